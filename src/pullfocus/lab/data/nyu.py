"""NYU Depth V2 as its users have it: the labelled .mat, and the CSV lists of the raw frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.data.truth import Frame

NYU = Origin(
    "NYU Depth V2",
    "https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
    "nyu_depth_v2_labeled.mat (and splits.mat)",
)
NYU_CSV = Origin(
    "the NYU frames of DenseDepth",
    "https://github.com/ialhashim/DenseDepth",
    "nyu_data.zip",
)
FAR_M = 10.0


class NyuLabelled(Sequence[Frame]):
    """The 1449 labelled frames, or one split of them.

    Args:
        mat: nyu_depth_v2_labeled.mat (MATLAB 7.3, read through h5py).
        split: "train" (795), "test" (654) or "all"; the first two need ``splits.mat`` beside it.
        raw: the sensor's depth (0 where it saw nothing) rather than the filled one.

    Raises:
        MissingModelError: h5py or scipy is not installed.
        UnreadableInputError: a file is missing or damaged.
    """

    def __init__(self, mat: Path, split: str = "test", *, raw: bool = False) -> None:
        self._path = NYU.need(mat)
        self._depths = "rawDepths" if raw else "depths"
        for name in ("images", self._depths):
            if name not in self._mat:
                raise NYU.damaged(mat, f"no {name} in it")
        count = self._mat["images"].shape[0]
        self._index = np.arange(count) if split == "all" else _split(mat, split, count)

    @property
    def _mat(self) -> Any:
        return _open(self._path, os.getpid())  # an HDF5 handle does not survive a fork

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        n = int(self._index[i])
        rgb = np.ascontiguousarray(self._mat["images"][n].transpose(2, 1, 0))
        depth_m = np.ascontiguousarray(self._mat[self._depths][n].T, np.float32)
        return Frame(f"{n:04d}", rgb, depth_m, (depth_m > 1e-3) & (depth_m < FAR_M), FAR_M)


class NyuCsv(Sequence[Frame]):
    """Frames that a CSV file lists: ``picture,depth`` a line, relative to the folder above data/.

    Depth pictures of 8 bits hold depth / 10 m * 255 (the training frames), those of 16 bits
    millimetres (the test frames).

    Raises:
        UnreadableInputError: the list, or a file that it names, is missing or damaged.
    """

    def __init__(self, csv: Path) -> None:
        self._above = csv.parent.parent if csv.parent.name == "data" else csv.parent
        lines = NYU_CSV.need(csv).read_text().splitlines()
        self._rows = [line.strip().split(",") for line in lines if line.strip()]
        for number, row in enumerate(self._rows, 1):
            if len(row) != 2:
                raise NYU_CSV.damaged(csv, f"line {number} is not 'picture,depth'")

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        picture, depth = (self._above / name for name in self._rows[i])
        raw = NYU_CSV.raw(depth)
        metres = FAR_M / 255 if raw.dtype == np.uint8 else 1e-3
        depth_m = raw.astype(np.float32) * np.float32(metres)
        name = f"{picture.parent.name}/{picture.stem}"
        return Frame(name, NYU_CSV.rgb(picture), depth_m, raw > 0, FAR_M)


@lru_cache(maxsize=4)
def _open(mat: Path, _process: int) -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingModelError(
            f"{mat} needs h5py to be read; pip install pullfocus[lab]."
        ) from None
    try:
        return h5py.File(mat, "r")
    except OSError:
        raise NYU.damaged(mat, "no MATLAB 7.3 file") from None


def _split(mat: Path, split: str, count: int) -> np.ndarray:
    from pullfocus.lab.data.make3d import read_mat

    named = read_mat(mat.with_name("splits.mat"), NYU)
    if f"{split}Ndxs" not in named:
        raise NYU.damaged(mat.with_name("splits.mat"), f"no {split}Ndxs in it")
    index = np.asarray(named[f"{split}Ndxs"], int).ravel() - 1
    if index.max() >= count:
        raise NYU.damaged(mat, f"{count} frames, its split names frame {index.max() + 1}")
    return index
