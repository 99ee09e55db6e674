"""KITTI's measured truth: laser scans as depth pictures, and the stereo pairs of KITTI 2015."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.data.samples import StereoPair

KITTI_RAW = Origin(
    "KITTI raw",
    "https://www.cvlibs.net/datasets/kitti/raw_data.php",
    "the synced+rectified data and the calibration of that drive",
)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Where the laser's points fall in the left colour picture, and what the rig measures.

    Attributes:
        to_pixels: 3x4, laser coordinates to homogeneous pixels of camera 2.
        focal_px, baseline_m: of the rectified colour pair (cameras 2 and 3).
        intrinsics: 3x3 of camera 2, pixel centres at +0.5.
    """

    to_pixels: Float64[np.ndarray, "3 4"]
    focal_px: float
    baseline_m: float
    intrinsics: Float64[np.ndarray, "3 3"]


@lru_cache(maxsize=64)
def read_calibration(day: Path) -> Calibration:
    """Return the calibration of a recording day's folder.

    Raises:
        UnreadableInputError: ``calib_cam_to_cam.txt`` or ``calib_velo_to_cam.txt`` is missing or
            incomplete.
    """
    cameras = _numbers(day / "calib_cam_to_cam.txt", ("R_rect_00", "P_rect_02", "P_rect_03"))
    laser = _numbers(day / "calib_velo_to_cam.txt", ("R", "T"))
    second, third = (cameras[f"P_rect_0{n}"].reshape(3, 4) for n in (2, 3))
    rectify, to_camera = np.eye(4), np.eye(4)
    rectify[:3, :3] = cameras["R_rect_00"].reshape(3, 3)
    to_camera[:3, :3], to_camera[:3, 3] = laser["R"].reshape(3, 3), laser["T"]
    intrinsics = second[:, :3].copy()
    intrinsics[:2, 2] += 0.5  # KITTI counts whole pixels at their centres
    focal = float(second[0, 0])
    baseline = float(second[0, 3] - third[0, 3]) / focal
    return Calibration(second @ rectify @ to_camera, focal, baseline, intrinsics)


def read_scan(path: Path) -> Float32[np.ndarray, "n 4"]:
    """Return a scan's points: forward, left, up in metres, and reflectance.

    Raises:
        UnreadableInputError: the file is missing or cut off.
    """
    flat = np.fromfile(KITTI_RAW.need(path), np.float32)
    if flat.size % 4 or not flat.size:
        raise KITTI_RAW.damaged(path, "not rows of four numbers")
    return flat.reshape(-1, 4)


def laser_depth(
    scan: Float32[np.ndarray, "n 4"], to_pixels: Float64[np.ndarray, "3 4"], hw: tuple[int, int]
) -> Float32[np.ndarray, "h w"]:
    """Return depth in metres at the pixels that the laser hit, 0 elsewhere; the nearest wins.

    Convention: depth is the laser's own forward coordinate, and a point at u lies in column
        round(u) - 1, as in the evaluation that all published Eigen figures share.

    Source: Eigen et al. 2014, section 4.2; reference/evaluation-protocols.md.
    """
    ahead = scan[scan[:, 0] >= 0]
    points = np.concatenate([ahead[:, :3], np.ones((len(ahead), 1))], 1) @ to_pixels.T
    ahead, points = ahead[points[:, 2] > 0], points[points[:, 2] > 0]
    columns, rows = (np.rint(points[:, n] / points[:, 2]).astype(int) - 1 for n in (0, 1))
    h, w = hw
    inside = (columns >= 0) & (rows >= 0) & (columns < w) & (rows < h)
    depth = np.full(hw, np.inf, np.float32)
    np.minimum.at(depth, (rows[inside], columns[inside]), ahead[inside, 0])
    return np.where(np.isfinite(depth), depth, 0).astype(np.float32)


def _numbers(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    found = {}
    for line in KITTI_RAW.need(path).read_text(errors="replace").splitlines():
        key, _, values = line.partition(":")
        if key in keys:
            try:
                found[key] = np.array(values.split(), float)
            except ValueError:
                raise KITTI_RAW.damaged(path, f"{key} is not numbers") from None
    if missing := [key for key in keys if key not in found]:
        raise KITTI_RAW.damaged(path, f"no {missing[0]} in it")
    return found


KITTI_2015 = Origin(
    "KITTI 2015 stereo",
    "https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=stereo",
    "data_scene_flow.zip",
)
FOCAL_PX_BY_WIDTH = {1242: 721.5377, 1241: 718.856, 1224: 707.0493, 1238: 718.3351}
"""Source: reference/evaluation-protocols.md, KITTI 2015."""
BASELINE_2015_M = 0.54


class Kitti2015(Sequence[StereoPair]):
    """The 200 training pairs of KITTI 2015 with their disparity (occluded pixels included).

    Args:
        root: holds ``training/image_2``, ``image_3`` and ``disp_occ_0``.

    Raises:
        UnreadableInputError: a folder or picture is missing or damaged.
    """

    def __init__(self, root: Path) -> None:
        self._root = KITTI_2015.need(root / "training")
        lefts = (self._root / "image_2").glob("*_10.png")
        self._names = [p.name for p in KITTI_2015.need_any(lefts, root / "training/image_2")]

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, i: int) -> StereoPair:  # type: ignore[override]
        name = self._names[i]
        left, right = (KITTI_2015.rgb(self._root / f"image_{n}" / name) for n in (2, 3))
        raw = KITTI_2015.raw(self._root / "disp_occ_0" / name).astype(np.float32)
        disparity = np.where(raw > 0, raw / np.float32(256), np.float32(np.nan))
        focal = FOCAL_PX_BY_WIDTH.get(left.shape[1])
        if focal is None:
            path = self._root / "image_2" / name
            raise KITTI_2015.damaged(path, f"{left.shape[1]} pixels wide, unlike any KITTI camera")
        return StereoPair(Path(name).stem, left, right, disparity, focal, BASELINE_2015_M)
