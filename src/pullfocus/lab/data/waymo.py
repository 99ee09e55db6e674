"""Waymo Open Dataset, after its front camera's frames were extracted from the TFRecords."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pullfocus.lab.data.origin import PICTURES, Origin
from pullfocus.lab.data.video import FrameRuns, Run, intrinsics_beside, matrix_file

WAYMO = Origin(
    "Waymo Open Dataset",
    "https://waymo.com/open/download",
    "the TFRecords and extract their FRONT camera into a folder of pictures a segment",
)
FRAMES_PER_SECOND = 10.0


def waymo_clips(root: Path, count: int = 3, step: int = 1) -> FrameRuns:
    """Return clips of the segments' frames.

    Args:
        root: a folder of pictures for each segment; ``K.txt`` (3x3 of the pictures as extracted,
            pixel centres at +0.5) and ``poses.txt`` (16 numbers a frame, camera to world, x right,
            y down, z forward) are read where they lie beside them.
        count, step: as in `FrameRuns`.

    Raises:
        UnreadableInputError: a folder or file is missing or damaged.
    """
    folders = (p for p in WAYMO.need(root).iterdir() if p.is_dir())
    return FrameRuns(
        [_run(f) for f in WAYMO.need_any(folders, root / "SEGMENT")], count, step, WAYMO
    )


def _run(folder: Path) -> Run:
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES)
    return Run(
        folder.name, paths, intrinsics_beside(folder), FRAMES_PER_SECOND, _poses(folder, paths)
    )


def _poses(folder: Path, paths: list[Path]) -> np.ndarray | None:
    path = folder / "poses.txt"
    return matrix_file(path, (len(paths), 4, 4)) if path.exists() else None
