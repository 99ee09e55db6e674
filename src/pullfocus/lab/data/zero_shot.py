"""ETH3D and DIODE as their users have them: sets that nobody trains on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.data.truth import Frame

ETH3D = Origin(
    "ETH3D",
    "https://www.eth3d.net/datasets",
    "the high-res multi-view training images and depth (SCENE_dslr_jpg.7z, SCENE_dslr_depth.7z)",
)
DIODE = Origin("DIODE", "https://diode-dataset.org", "val.tar.gz and val_depth.tar.gz")


class Eth3d(Sequence[Frame]):
    """Distorted DSLR photos with laser depth of the same size, raw float32, infinity = unknown.

    Args:
        root: holds ``SCENE/images/dslr_images`` and ``SCENE/ground_truth_depth/dslr_images``.

    Raises:
        UnreadableInputError: a file is missing or damaged.
    """

    def __init__(self, root: Path) -> None:
        found = ETH3D.need(root).glob("*/images/dslr_images/*.JPG")
        self._photos = ETH3D.need_any(found, root / "SCENE/images/dslr_images")

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        photo = self._photos[i]
        scene = photo.parents[2]
        rgb = ETH3D.rgb(photo)
        path = scene / "ground_truth_depth/dslr_images" / photo.name
        depth = np.fromfile(ETH3D.need(path), np.float32)
        if depth.size != rgb.shape[0] * rgb.shape[1]:
            raise ETH3D.damaged(path, f"{depth.size} values for {rgb.shape[:2]} pixels")
        known = np.isfinite(depth) & (depth > 0)
        depth_m = np.where(known, depth, 0).reshape(rgb.shape[:2])
        return Frame(f"{scene.name}/{photo.stem}", rgb, depth_m, depth_m > 0, np.inf)


class Diode(Sequence[Frame]):
    """Indoor and outdoor photos with laser depth and its mask.

    Args:
        root: searched for ``*_depth.npy`` and their ``*_depth_mask.npy``.

    Raises:
        UnreadableInputError: a file is missing or damaged.
    """

    def __init__(self, root: Path) -> None:
        found = DIODE.need(root).rglob("*_depth.npy")
        self._depths = DIODE.need_any(found, root / "val/indoors/SCENE/SCAN")

    def __len__(self) -> int:
        return len(self._depths)

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        path = self._depths[i]
        stem = path.name.removesuffix("_depth.npy")
        mask = _array(path.with_name(f"{stem}_depth_mask.npy")) > 0
        depth_m = np.where(mask, _array(path).reshape(mask.shape), 0).astype(np.float32)
        return Frame(stem, DIODE.rgb(path.with_name(f"{stem}.png")), depth_m, mask, 350.0)


def _array(path: Path) -> np.ndarray:
    try:
        return np.asarray(np.load(DIODE.need(path)))
    except (ValueError, EOFError, OSError):
        raise DIODE.damaged(path, "no NumPy array") from None
