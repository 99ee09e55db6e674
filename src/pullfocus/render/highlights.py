"""Estimate the light that clipping took away, so that lamps become discs and not grey smears.

A file stores at most 1.0; a lamp may have been fifty. How much is lost cannot be known, but small
clipped spots are lamps and glints, large clipped areas are skies and windows near white. So the
gain of a clipped pixel falls with the share of clipped pixels around it:

    gain = 1 + strength * LARGEST_BOOST * (1 - share / SHARE_OF_AREA)^2        (1 above that share)

with the share taken over a window of 1/40 of the picture's long side. `Lens.highlights` is the
strength; 0 leaves the file's values. Pictures that hold values above 1 are left alone: they know.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

LARGEST_BOOST = 6.0
SHARE_OF_AREA = 0.5
CLIPPED_ABOVE = 0.97
CELL_PX = 8


def clipped_light_gain(
    linear: Float32[np.ndarray, "h w 3"], strength: float
) -> Float32[np.ndarray, "hs ws"] | None:
    """Compute the gain for clipped pixels on a grid of 8 x 8 cells; None if there are none."""
    import cv2

    if strength <= 0:
        return None
    h, w = linear.shape[:2]
    rows, columns = -(-h // CELL_PX), -(-w // CELL_PX)
    share = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        band = linear[row * CELL_PX : (row + 1) * CELL_PX]
        peak = band.max(axis=0).max(axis=1) if band.max() >= CLIPPED_ABOVE else None
        if band.max() > 1.001:
            return None
        if peak is not None:
            clipped = (band.max(axis=2) >= CLIPPED_ABOVE).mean(axis=0)
            padded = np.pad(clipped, (0, columns * CELL_PX - w))
            share[row] = padded.reshape(columns, CELL_PX).mean(axis=1)
    if not share.any():
        return None
    window = max(1, round(max(h, w) / 40 / CELL_PX)) | 1
    around = cv2.blur(share, (window, window), borderType=cv2.BORDER_REPLICATE)
    room = np.clip(1.0 - around / SHARE_OF_AREA, 0.0, 1.0)
    return (1.0 + strength * LARGEST_BOOST * room * room).astype(np.float32)
