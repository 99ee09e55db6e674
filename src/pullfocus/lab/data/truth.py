"""Frames with true depth from ../shared/data, split into what may train and what only measures.

Kinect, TUM and HoloLens frames may train shipped weights; of each the last frames in time are
held out. 7-Scenes, OSD, KITTI and Middlebury are research only and only ever measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

HELD_OUT_SHARE = 0.25
"""Share of the HoloLens frames, last in time, that only measure."""


@dataclass(frozen=True)
class Frame:
    """One picture and its true depth.

    Attributes:
        name: unique within its set.
        rgb: h w 3 uint8, sRGB-encoded.
        depth_m: h w float32; metres, or (Middlebury) any unit proportional to them.
        valid: h w bool, where depth is known.
        far_m: largest depth that the protocol lets a prediction have.
    """

    name: str
    rgb: np.ndarray
    depth_m: np.ndarray
    valid: np.ndarray
    far_m: float


def read_rgb(path: Path) -> np.ndarray:
    """Return h w 3 uint8 RGB; raises FileNotFoundError when it cannot be read."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(f"{path}: not a readable picture")
    return np.ascontiguousarray(bgr[:, :, ::-1])


def _read_raw(path: Path) -> np.ndarray:
    raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise FileNotFoundError(f"{path}: not a readable depth picture")
    return raw


def _frame(rgb: Path, depth: Path, metres_per_unit: float, far_m: float) -> Frame:
    raw = _read_raw(depth)
    depth_m = raw.astype(np.float32) * np.float32(metres_per_unit)
    valid = (raw > 0) & (depth_m > 0.1) & (depth_m < far_m)
    return Frame(rgb.stem, read_rgb(rgb), depth_m, valid, far_m)


def seven_scenes(data: Path) -> Iterator[Frame]:
    """Yield 7-Scenes (Microsoft, research only): millimetres, 65535 = unknown."""
    for rgb in sorted((data / "rgbd/7scenes").glob("*.color.jpg")):
        yield _frame(rgb, rgb.with_name(rgb.name.replace("color.jpg", "depth_mm.png")), 1e-3, 10)


def osd(data: Path) -> Iterator[Frame]:
    """Yield OSD table tops (research only): millimetres."""
    for rgb in sorted((data / "rgbd/osd/rgb").glob("*.jpg")):
        yield _frame(rgb, data / f"rgbd/osd/depth_mm/{rgb.stem}.png", 1e-3, 10)


def kitti(data: Path) -> Iterator[Frame]:
    """Yield KITTI driving frames (research only) with sparse laser depth, metres * 256."""
    for rgb in sorted((data / "rgbd/kitti-lidar/rgb").glob("*.jpg")):
        yield _frame(rgb, data / f"rgbd/kitti-lidar/depth_png256/{rgb.stem}.png", 1 / 256, 80)


MIDDLEBURY = (
    ("Cones", "im2", "disp2", 4),
    ("Cloth3", "view1", "disp1", 2),
    ("Wood2", "view1", "disp1", 2),
)
"""Set, left picture, its disparity, units per pixel of disparity."""


def middlebury(data: Path) -> Iterator[Frame]:
    """Yield Middlebury stereo truth (research only) as depth = 100 / disparity in pixels."""
    for name, picture, truth, unit in MIDDLEBURY:
        folder = data / "stereo/middlebury" / name
        raw = _read_raw(folder / f"{truth}.png")
        disparity = (raw if raw.ndim == 2 else raw[:, :, 0]).astype(np.float32) / unit
        valid = disparity > 0
        depth = np.where(valid, 100 / np.maximum(disparity, 1e-3), 0).astype(np.float32)
        yield Frame(name, read_rgb(folder / f"{picture}.png"), depth, valid, 1e3)


def _hololens_names(data: Path) -> list[Path]:
    return sorted((data / "rgbd/hololens").glob("?????.jpg"))


def _hololens(data: Path, held_out: bool) -> Iterator[Frame]:
    names = _hololens_names(data)
    first = round(len(names) * (1 - HELD_OUT_SHARE))
    for rgb in names[first:] if held_out else names[:first]:
        yield _frame(rgb, rgb.with_name(f"{rgb.stem}_depth_mm.png"), 1e-3, 10)


def _kinect(data: Path, held_out: bool) -> Iterator[Frame]:
    folder = data / "rgbd/kinect-tum"
    for number in (4, 5) if held_out else (1, 2, 3):
        rgb = folder / f"ch5/rgbd/color/{number}.png"
        yield _frame(rgb, folder / f"ch5/rgbd/depth/{number}.pgm", 1e-3, 10)
    number = 2 if held_out else 1
    yield _frame(folder / f"ch7/{number}.png", folder / f"ch7/{number}_depth.png", 1 / 5000, 10)


def hololens_held_out(data: Path) -> Iterator[Frame]:
    """Yield the last quarter of the HoloLens office frames (MIT)."""
    return _hololens(data, True)


def kinect_held_out(data: Path) -> Iterator[Frame]:
    """Yield the last Kinect and TUM frames (slambook2, MIT and CC BY 4.0)."""
    return _kinect(data, True)


def sensor_training(data: Path) -> Iterator[Frame]:
    """Yield every RGB-D frame that may train shipped weights."""
    yield from _hololens(data, False)
    yield from _kinect(data, False)


MEASURED: dict[str, Callable[[Path], Iterator[Frame]]] = {
    "7scenes": seven_scenes,
    "osd": osd,
    "kitti": kitti,
    "middlebury": middlebury,
    "hololens": hololens_held_out,
    "kinect-tum": kinect_held_out,
}
"""Sets to be measured on, by name."""


def people(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rgb h w 3 uint8 and person mask h w bool (evaluate only)."""
    for mask_path in sorted((data / "people/Ground_Truth").glob("*.png")):
        matches = sorted((data / "people/Training_Images").glob(f"{mask_path.stem}.*"))
        mask = cv2.imread(str(mask_path), cv2.IMREAD_GRAYSCALE)
        if not matches or mask is None:
            continue
        rgb = read_rgb(matches[0])
        size = (rgb.shape[1], rgb.shape[0])
        yield mask_path.stem, rgb, cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST) > 127
