"""Everyday photos with the depth that strong networks see in them: scoring only, never training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.lab.data.truth import read_rgb


def wild(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rgb h w 3 uint8 and order a b float32 (larger = nearer, 0 = unknown).

    The order has a size of its own; only ranks of it mean anything, as the maps come from
    different networks.
    """
    for path in sorted((data / "wild").glob("*.jpg")):
        order = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        if order is not None:
            yield path.stem, read_rgb(path), order.astype(np.float32)
