"""Driving sequences as their users have them: Cityscapes (pairs and clips) and Waymo (clips)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from pullfocus.lab.data.dataset_files import PICTURES, Origin
from pullfocus.lab.data.samples import StereoPair
from pullfocus.lab.data.video import (
    UNKNOWN_INTRINSICS,
    FrameRuns,
    Run,
    intrinsics_beside,
    matrix_file,
)

CITYSCAPES = Origin(
    "Cityscapes",
    "https://www.cityscapes-dataset.com/downloads",
    "leftImg8bit, rightImg8bit, disparity, camera (or leftImg8bit_sequence)",
)
FRAMES_PER_SECOND = 17.0


class CityscapesStereo(Sequence[StereoPair]):
    """Left and right pictures; disparity (semi-global matching) where it was downloaded.

    Args:
        root: holds ``leftImg8bit/SPLIT/CITY``, ``rightImg8bit``, ``camera`` and, if wanted,
            ``disparity``.
        split: train, val, test, train_extra.

    Raises:
        UnreadableInputError: a folder or file is missing or damaged.
    """

    def __init__(self, root: Path, split: str = "train") -> None:
        self._root = root
        folder = CITYSCAPES.need(root / "leftImg8bit" / split)
        found = CITYSCAPES.need_any(folder.glob("*/*_leftImg8bit.png"), folder / "CITY")
        stems = [p.name.removesuffix("_leftImg8bit.png") for p in found]
        self._shots = [(f"{split}/{p.parent.name}", s) for p, s in zip(found, stems, strict=True)]

    def __len__(self) -> int:
        return len(self._shots)

    def __getitem__(self, i: int) -> StereoPair:  # type: ignore[override]
        _, stem = self._shots[i]
        left = CITYSCAPES.rgb(self._path(i, "leftImg8bit", "png"))
        right = CITYSCAPES.rgb(self._path(i, "rightImg8bit", "png"))
        camera = _camera(self._path(i, "camera", "json"))
        focal_px, baseline_m = camera["intrinsic"]["fx"], camera["extrinsic"]["baseline"]
        return StereoPair(stem, left, right, self._disparity(i), focal_px, baseline_m)

    def _path(self, i: int, kind: str, ending: str) -> Path:
        place, stem = self._shots[i]
        return self._root / kind / place / f"{stem}_{kind}.{ending}"

    def _disparity(self, i: int) -> np.ndarray | None:
        """Return disparity in pixels: (code - 1) / 256, code 0 = unknown (Cityscapes' README)."""
        if not (self._root / "disparity").is_dir():
            return None
        raw = CITYSCAPES.raw(self._path(i, "disparity", "png")).astype(np.float32)
        return np.where(raw > 0, (raw - 1) / np.float32(256), np.float32(np.nan))


def cityscapes_clips(root: Path, split: str = "train", count: int = 3, step: int = 1) -> FrameRuns:
    """Return clips of the 30-frame snippets in ``leftImg8bit_sequence/SPLIT/CITY``.

    Raises:
        UnreadableInputError: a folder or file is missing or damaged.
    """
    folder = CITYSCAPES.need(root / "leftImg8bit_sequence" / split)
    found = CITYSCAPES.need_any(folder.glob("*/*_leftImg8bit.png"), folder / "CITY")
    snippets = [list(group) for _, group in groupby(enumerate(found), _snippet)]
    runs = []
    for numbered in snippets:
        paths = [path for _, path in numbered]
        name = paths[0].name.removesuffix("_leftImg8bit.png")
        runs.append(Run(name, paths, _intrinsics(root, split, paths), FRAMES_PER_SECOND))
    return FrameRuns(runs, count, step, CITYSCAPES)


def _snippet(numbered: tuple[int, Path]) -> tuple[str, int]:
    """Return what consecutive frames share: city, sequence, and number less place in the list."""
    place, path = numbered
    city, sequence, number = path.name.split("_")[:3]
    return f"{city}_{sequence}", int(number) - place


def _intrinsics(root: Path, split: str, paths: list[Path]) -> np.ndarray:
    """Return the camera of the snippet's one annotated frame, NaN where none was downloaded."""
    for path in paths:
        stem = path.name.removesuffix("_leftImg8bit.png")
        camera = root / "camera" / split / path.parent.name / f"{stem}_camera.json"
        if camera.exists():
            said = _camera(camera)["intrinsic"]
            fx, fy, u0, v0 = (said[key] for key in ("fx", "fy", "u0", "v0"))
            return np.array([[fx, 0, u0 + 0.5], [0, fy, v0 + 0.5], [0, 0, 1]])
    return UNKNOWN_INTRINSICS


def _camera(path: Path) -> dict[str, dict[str, float]]:
    wanted = {"intrinsic": ("fx", "fy", "u0", "v0"), "extrinsic": ("baseline",)}
    try:
        said = json.loads(CITYSCAPES.need(path).read_text())
        return {
            part: {key: float(said[part][key]) for key in keys} for part, keys in wanted.items()
        }
    except (ValueError, KeyError, TypeError):
        raise CITYSCAPES.damaged(path, "no focal lengths, centre and baseline in it") from None


WAYMO = Origin(
    "Waymo Open Dataset",
    "https://waymo.com/open/download",
    "the TFRecords and extract their FRONT camera into a folder of pictures a segment",
)
WAYMO_FRAMES_PER_SECOND = 10.0


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
        folder.name,
        paths,
        intrinsics_beside(folder),
        WAYMO_FRAMES_PER_SECOND,
        _poses(folder, paths),
    )


def _poses(folder: Path, paths: list[Path]) -> np.ndarray | None:
    path = folder / "poses.txt"
    return matrix_file(path, (len(paths), 4, 4)) if path.exists() else None
