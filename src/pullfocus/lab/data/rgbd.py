"""Any folder of pictures with depth pictures beside them, whatever either are called; or video."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pullfocus.lab.data.dataset_files import OWN, PICTURES
from pullfocus.lab.data.samples import Clip
from pullfocus.lab.data.truth import Frame
from pullfocus.lab.data.video import intrinsics_beside, matrix_file

UNITS = {"mm": 1e-3, "png256": 1 / 256}
"""Metres a unit, told by a word in the depth picture's name or folder."""
UNKNOWN = 65535
"""7-Scenes' mark for unknown depth, beside 0."""
_WORDS = re.compile(r"depth|disp|rgb|colou?r|image|png256|mm|left|_|-|\.")


class RgbdFolder(Sequence[Frame]):
    """Pictures and depth that share a name but for words such as "depth", "rgb" and "mm".

    Depth pictures are those with "depth" in their name or folder; 0 and 65535 are unknown.

    Args:
        folder: searched with everything below it.
        metres_per_unit: of depth pictures whose name says neither "mm" nor "png256".
        near_m, far_m: depth outside is not valid.

    Raises:
        UnreadableInputError: the folder is missing, or no picture in it has depth.
    """

    def __init__(
        self,
        folder: Path,
        metres_per_unit: float = 1e-3,
        near_m: float = 0.1,
        far_m: float = 10.0,
    ) -> None:
        self._unit, self._near_m, self._far_m = metres_per_unit, near_m, far_m
        self._pairs = _paired(OWN.need(folder))
        OWN.need_any((depth for _, depth in self._pairs), folder / "*depth*.png")

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        colour, depth = self._pairs[i]
        raw = OWN.raw(depth)
        depth_m = raw.astype(np.float32) * np.float32(_unit(depth, self._unit))
        valid = (raw != UNKNOWN) & (depth_m > self._near_m) & (depth_m < self._far_m)
        rgb = OWN.rgb(colour)
        if rgb.shape[:2] != depth_m.shape:
            raise OWN.damaged(depth, f"{depth_m.shape} pixels, its picture has {rgb.shape[:2]}")
        return Frame(colour.stem, rgb, depth_m, valid, self._far_m)


def _paired(folder: Path) -> list[tuple[Path, Path]]:
    endings = (*PICTURES, ".pgm")
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in endings)
    colours: dict[tuple[str, str], Path] = {}
    depths: dict[tuple[str, str], Path] = {}
    for path in files:
        words = "/".join(path.relative_to(folder).parts[-2:])
        kind = depths if "depth" in words.lower() else colours
        kind[_key(path.relative_to(folder))] = path
    return [(colours[key], depth) for key, depth in sorted(depths.items()) if key in colours]


def _key(inside: Path) -> tuple[str, str]:
    """Return the folder above rgb/ or depth/ and what is left of the name without such words."""
    folders = [part for part in inside.parent.parts if _WORDS.sub("", part.lower())]
    return "/".join(folders), _WORDS.sub("", inside.stem.lower())


def _unit(depth: Path, default: float) -> float:
    words = f"{depth.parent.name}_{depth.stem}".lower()
    return next(
        (unit for word, unit in UNITS.items() if word in re.split(r"[_.\-]", words)), default
    )


def read_rgbd_video(folder: Path, far_m: float = 10.0, limit: int | None = None) -> Clip:
    """Return all frames of a folder (or the first ``limit``) with their depth and poses.

    Poses: ``poses.txt`` (16 numbers a row, camera to world; a row for each number from the first
    frame's on, so that frames may be left out) or ``NAME.pose.txt`` beside each frame.
    Intrinsics: ``K.txt`` or ``camera-intrinsics.txt``.

    Raises:
        UnreadableInputError: frames, poses or intrinsics are missing or damaged.
    """
    reader = RgbdFolder(folder, far_m=far_m)
    frames = [reader[i] for i in range(min(limit or len(reader), len(reader)))]
    intrinsics = intrinsics_beside(folder)
    if np.isnan(intrinsics).any():
        OWN.need(folder / "K.txt")
    depth = np.stack([np.where(f.valid, f.depth_m, np.nan) for f in frames])
    names = [frame.name.removesuffix(".color") for frame in frames]
    return Clip(
        folder.name,
        np.stack([frame.rgb for frame in frames]),
        np.arange(len(frames), dtype=float),
        intrinsics,
        _poses(folder, names),
        depth,
    )


def _poses(folder: Path, names: list[str]) -> np.ndarray:
    table = folder / "poses.txt"
    if not table.exists():
        return np.stack([matrix_file(OWN.need(folder / f"{n}.pose.txt"), (4, 4)) for n in names])
    poses = matrix_file(table, (-1, 4, 4))
    numbers = [int("".join(c for c in name if c.isdigit()) or 0) for name in names]
    rows = np.array(numbers) - numbers[0]
    if rows.max() >= len(poses):
        raise OWN.damaged(table, f"{len(poses)} poses, {rows.max() + 1} frames from first to last")
    return poses[rows]
