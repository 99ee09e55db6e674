"""A folder of RGB-D frames with poses as one clip: video whose depth can be held against itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pullfocus.lab.data.origin import OWN
from pullfocus.lab.data.rgbd import RgbdFolder
from pullfocus.lab.data.samples import Clip
from pullfocus.lab.data.video import intrinsics_beside, matrix_file


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
