"""Any folder of rectified stereo pairs: two folders of pictures, or two names in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pullfocus.errors import UnreadableInputError
from pullfocus.lab.data.dataset_files import OWN, PICTURES, pictures
from pullfocus.lab.data.samples import StereoPair

SIDES = (
    ("image_l", "image_r"),
    ("left", "right"),
    ("image_2", "image_3"),
    ("image_02", "image_03"),
    ("image_0", "image_1"),
    ("l", "r"),
)
"""Names of the two folders, the first that is there wins."""
NAMES = (("im0", "im1"), ("view1", "view5"), ("im2", "im6"), ("left", "right"))
"""Names of the two pictures of a set in a folder of its own, as Middlebury has them."""
_TRUTHS = {"view1": "disp1", "im2": "disp2"}
"""Middlebury's names of the left picture and of its disparity."""


class StereoFolder(Sequence[StereoPair]):
    """Pairs of equal names in two folders, or Middlebury-like folders of one pair each.

    Args:
        folder: holds "left" and "right" (or another of `SIDES`), or folders with `NAMES`.
        focal_px, baseline_m: of the rig; None reads ``calib.txt`` (KITTI odometry) or stays NaN.
        units_per_px: of disparity pictures (Middlebury: 2 or 4), 0 = unknown; None leaves them.

    Raises:
        UnreadableInputError: the folder is missing, or holds no pair, or one side is incomplete.
    """

    def __init__(
        self,
        folder: Path,
        focal_px: float | None = None,
        baseline_m: float | None = None,
        units_per_px: float | None = None,
    ) -> None:
        self._pairs = _pairs_of_folders(OWN.need(folder)) or _pairs_of_names(folder)
        if not self._pairs:
            raise UnreadableInputError(
                f"{folder} holds no stereo pairs; put them into two folders "
                f"{' and '.join(SIDES[1])} with equal file names."
            )
        said_focal, said_baseline = _calibrated(folder / "calib.txt")
        self._focal_px = said_focal if focal_px is None else focal_px
        self._baseline_m = said_baseline if baseline_m is None else baseline_m
        self._units_per_px = units_per_px

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, i: int) -> StereoPair:  # type: ignore[override]
        left, right = self._pairs[i]
        a, b = OWN.rgb(left), OWN.rgb(right)
        if a.shape != b.shape:
            raise OWN.damaged(right, f"{b.shape} pixels, the left picture has {a.shape}")
        name = left.stem if left.stem not in dict(NAMES) else left.parent.name
        return StereoPair(name, a, b, self._truth(left), self._focal_px, self._baseline_m)

    def _truth(self, left: Path) -> np.ndarray | None:
        truth = left.with_name(f"{_TRUTHS.get(left.stem, '')}.png")
        if self._units_per_px is None or not truth.exists():
            return None
        raw = OWN.raw(truth).astype(np.float32)
        return np.where(raw > 0, raw / np.float32(self._units_per_px), np.float32(np.nan))


def _pairs_of_folders(folder: Path) -> list[tuple[Path, Path]]:
    for left, right in SIDES:
        if (folder / left).is_dir() and (folder / right).is_dir():
            return [(p, OWN.need(folder / right / p.name)) for p in pictures(folder / left)]
    return []


def _pairs_of_names(folder: Path) -> list[tuple[Path, Path]]:
    pairs = []
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        found = {p.stem: p for p in sorted(place.iterdir()) if p.suffix.lower() in PICTURES}
        pairs += [(found[a], found[b]) for a, b in NAMES if a in found and b in found]
    return pairs


def _calibrated(path: Path) -> tuple[float, float]:
    """Return focal length and baseline of KITTI odometry's two projections, or NaN twice."""
    if not path.exists():
        return float("nan"), float("nan")
    rows = [line.split(":")[-1].split() for line in path.read_text().splitlines() if line.strip()]
    try:
        first, second = (np.array(row, float).reshape(3, 4) for row in rows[:2])
    except ValueError:
        raise OWN.damaged(path, "not two projections of 12 numbers each") from None
    return float(first[0, 0]), float((first[0, 3] - second[0, 3]) / first[0, 0])
