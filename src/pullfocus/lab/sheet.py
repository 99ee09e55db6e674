"""One picture of many depth maps, to be looked at before a network is called good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pullfocus.lab.data.truth import read_rgb

if TYPE_CHECKING:
    from pullfocus.lab.protocols.quick import Estimator

TILE_HW = (200, 260)


def coloured(disparity: np.ndarray) -> np.ndarray:
    """Return the map h w as magma h w 3 uint8 RGB, stretched between its 1st and 99th percentile.

    Convention: bright = near.
    """
    low, high = np.percentile(disparity, [1, 99])
    share = np.clip((disparity - low) / max(float(high - low), 1e-6), 0, 1)
    bgr = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_MAGMA)
    return np.ascontiguousarray(bgr[:, :, ::-1])


def tile(rgb: np.ndarray) -> np.ndarray:
    """Return the picture fitted into TILE_HW, centred on black."""
    scale = min(TILE_HW[0] / rgb.shape[0], TILE_HW[1] / rgb.shape[1])
    size = (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    out = np.zeros((*TILE_HW, 3), np.uint8)
    top, left = (TILE_HW[0] - size[1]) // 2, (TILE_HW[1] - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = small
    return out


def sheet(photos: list[Path], estimators: list[Estimator]) -> np.ndarray:
    """Return one RGB picture: a row a photo, the photo first, then each estimator's map."""
    rows = []
    for path in photos:
        rgb = read_rgb(path)
        maps = [coloured(estimate(rgb)) for estimate in estimators]
        rows.append(np.hstack([tile(picture) for picture in (rgb, *maps)]))
    columns = 2 if len(rows) > 1 and len(rows) % 2 == 0 else 1
    per = len(rows) // columns
    return np.hstack([np.vstack(rows[c * per : (c + 1) * per]) for c in range(columns)])
