"""Make3D as its users have it: tall photos with a 55x305 laser grid each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.data.truth import Frame

MAKE3D = Origin(
    "Make3D",
    "http://make3d.cs.cornell.edu/data.html",
    "Test134Img, Train400Img and their Gridlaserdata (depth_sph_corr-*.mat)",
)
FOLDERS = {"test": ("Test134", "Gridlaserdata"), "train": ("Train400Img", "Train400Depth")}
FAR_M = 81.0


class Make3d(Sequence[Frame]):
    """Photos and laser grids; depth keeps the grid's own 55x305, over the photo's whole view.

    Args:
        root: holds ``Test134`` and ``Gridlaserdata`` (or ``Train400Img`` and ``Train400Depth``).
        split: "test" (134) or "train" (400).

    Raises:
        UnreadableInputError: a file is missing or damaged.
        MissingModelError: scipy is not installed.
    """

    def __init__(self, root: Path, split: str = "test") -> None:
        photos, grids = (root / name for name in FOLDERS[split])
        found = MAKE3D.need(photos).glob("img-*.jpg")
        self._photos = MAKE3D.need_any(found, photos / "img-*.jpg")
        self._grids = MAKE3D.need(grids)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        photo = self._photos[i]
        name = photo.stem.removeprefix("img-")
        path = self._grids / f"depth_sph_corr-{name}.mat"
        grid = np.asarray(read_mat(path, MAKE3D).get("Position3DGrid"))
        if grid.ndim != 3 or grid.shape[2] != 4:
            raise MAKE3D.damaged(path, "no Position3DGrid of four numbers a point")
        depth_m = grid[:, :, 3].astype(np.float32)
        return Frame(name, MAKE3D.rgb(photo), depth_m, (depth_m > 0) & (depth_m < FAR_M), FAR_M)


def read_mat(path: Path, origin: Origin) -> dict[str, Any]:
    """Return the variables of a MATLAB file up to version 7.

    Raises:
        MissingModelError: scipy is not installed.
        UnreadableInputError: the file is missing or damaged.
    """
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError:
        raise MissingModelError(f"{path} needs scipy to be read; pip install scipy.") from None
    try:
        variables: dict[str, Any] = loadmat(str(origin.need(path)))
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError) as error:
        raise origin.damaged(path, f"no MATLAB file: {error}") from None
    return variables
