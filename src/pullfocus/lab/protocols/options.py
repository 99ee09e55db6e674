"""What a person may change about a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Deviations from a protocol; None keeps its own, and every one is named in the summary.

    Attributes:
        alignment: one of `alignment.ALIGNMENTS`.
        flip: merge the answers about the picture and its mirror image.
        near_m, far_m: caps of truth and prediction (KITTI's other one is 50 m).
        crop: one of `crops.CROPS`.
        subset: which set of a protocol that knows several (affine: nyu, kitti, ...).
        frames: list file of test frames (kitti-eigen).
        improved: folder of KITTI's accumulated truth (``data_depth_annotated``).
        limit: only the first so many images.
        pictures: how many images get a row in the sheet, evenly spread.
    """

    alignment: str | None = None
    flip: bool = False
    near_m: float | None = None
    far_m: float | None = None
    crop: str | None = None
    subset: str | None = None
    frames: Path | None = None
    improved: Path | None = None
    limit: int | None = None
    pictures: int = 12
