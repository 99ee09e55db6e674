"""KITTI 2015 stereo as its users have it: 200 pairs with disparity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pullfocus.lab.data.origin import Origin
from pullfocus.lab.data.samples import StereoPair

KITTI_2015 = Origin(
    "KITTI 2015 stereo",
    "https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=stereo",
    "data_scene_flow.zip",
)
FOCAL_PX_BY_WIDTH = {1242: 721.5377, 1241: 718.856, 1224: 707.0493, 1238: 718.3351}
"""Source: reference/evaluation-protocols.md, KITTI 2015."""
BASELINE_M = 0.54


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
        return StereoPair(Path(name).stem, left, right, disparity, focal, BASELINE_M)
