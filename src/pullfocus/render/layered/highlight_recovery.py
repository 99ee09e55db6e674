"""Estimate the light that clipping took away, so that lamps become discs and not grey smears.

A file stores at most 1.0; a lamp may have been fifty. How much is lost cannot be known, but small
clipped spots in dark surroundings are lamps; large clipped areas are skies and windows near white,
and glints on something bright are little more than white. So the gain of a clipped pixel falls
with the share of clipped pixels around it and with the mean light of the others:

    gain = 1 + strength * LARGEST_BOOST * (1 - share / SHARE_OF_AREA) * (1 - light / LIT)

both taken over a window of 1/40 of the picture's long side, each bracket at least 0. Only
pixels with all channels clipped are lifted: one that is not tells how bright the light is, and
lifting the others alone would turn chrome purple. `Lens.highlights` is the strength; 0 leaves the
file's values. Pictures that hold values above 1 are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from pullfocus.cores import in_bands

LARGEST_BOOST = 12.0
SHARE_OF_AREA = 0.5
LIT = 0.5
CLIPPED_ABOVE = 0.97
CELL_PX = 8  # the largest side of a cell


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """The small bright spots of a picture, on cells of at most 8 x 8 pixels.

    The cells are all of one size, so that they divide the picture without a rest.
    gain: the factor for clipped pixels, bilinear between the cells' centres; spots: 1 where bright
    pixels are few, else 0. See `cell_places`.
    """

    gain: Float32[np.ndarray, "hs ws"]
    spots: Float32[np.ndarray, "hs ws"]


def find_lights(linear: Float32[np.ndarray, "h w 3"], strength: float) -> Lights | None:
    """Find small bright spots and the gain of clipped pixels; None if nothing is above white."""
    import cv2

    share, light, brightest = _clipped_share(linear)
    known = brightest > 1.001
    if not (known or strength > 0) or not share.any():
        return None
    window = max(1, round(max(linear.shape[:2]) / 40 / CELL_PX)) | 1
    window_hw = (window, window)
    around = cv2.blur(share, window_hw, borderType=cv2.BORDER_REPLICATE)
    spots = (around < SHARE_OF_AREA).astype(np.float32)
    if known:
        return Lights(np.ones_like(share), spots)
    lit = cv2.blur(light, window_hw, borderType=cv2.BORDER_REPLICATE)
    lit = (lit - around) / np.maximum(1.0 - around, 1e-3)  # without the lamps' own light
    room = np.clip(1.0 - around / SHARE_OF_AREA, 0.0, 1.0) * np.clip(1.0 - lit / LIT, 0.0, 1.0)
    return Lights((1.0 + strength * LARGEST_BOOST * room).astype(np.float32), spots)


def cell_places(
    pixels: Int64[np.ndarray, " n"], side_px: int, cells: int
) -> Float32[np.ndarray, " n"]:
    """Return where the centres of pixels lie among those of cells, 0 .. cells - 1."""
    places = (pixels + 0.5) * (cells / side_px) - 0.5
    return np.clip(places, 0, cells - 1).astype(np.float32)


def _clipped_share(
    linear: Float32[np.ndarray, "h w 3"],
) -> tuple[Float32[np.ndarray, "hs ws"], Float32[np.ndarray, "hs ws"], float]:
    """Return every cell's share of clipped pixels and mean light, and the picture's brightest."""
    from pullfocus.render.layered import layer_kernels

    rows, columns = (-(-side // CELL_PX) for side in linear.shape[:2])
    share, light = np.zeros((2, rows, columns), np.float32)
    peaks = np.zeros(rows, np.float32)
    cell_x, part_x = _columns_in_cells(linear.shape[1], columns)
    in_bands(
        layer_kernels.clipped_share, rows,
        linear, np.float32(CLIPPED_ABOVE), cell_x, part_x, share, light, peaks, least=4,
    )  # fmt: skip
    return share, light, float(peaks.max())


def _columns_in_cells(side_px: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the cell in which each pixel begins, and the part of the pixel that lies there."""
    pixels = np.arange(side_px)
    cell = pixels * cells // side_px
    part = np.minimum(((cell + 1) * side_px - pixels * cells) / cells, 1.0)
    return cell, part.astype(np.float32)
