"""Small bright lights, drawn one by one: blurred at reduced size, their discs would lose the rim.

    layers (what lies above white in small spots is taken out) -> `place_lamps`, for one focus:
        every lamp's band and aperture at its own radius -> `lamp_kernels.draw_lamps`, tile by tile

A lamp's disc joins the light of its band and is hidden by nearer bands as that is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from pullfocus.lens.aperture import aperture_kernel
from pullfocus.render.layered.blur_levels import (
    aperture_only,
    column_sum_taps,
    rung_level,
    rung_radius_px,
    vignette_at,
)
from pullfocus.types import Lens

STEPS_PER_RUNG = 8
SHARP_LEVELS = 3  # a disc's rim is sharp to 1/2^(6..7) of its radius; finer lamps are merged


class Lamps(NamedTuple):
    """Light above white of small spots: where, how far, and how much (linear, of one pixel)."""

    y: Int64[np.ndarray, " n"]
    x: Int64[np.ndarray, " n"]
    disparity: Float32[np.ndarray, " n"]
    colour: Float32[np.ndarray, "n 3"]


class Discs(NamedTuple):
    """Lamps of one focus setting, ordered by band and row, and the kernels they are drawn with.

    Band b owns lamps start[b]:start[b+1]; none of its discs reaches farther than widest[b].
    kernel: each lamp's kernel k, which owns taps first_tap[k]:first_tap[k+1], reaches reach[k]
    and is unit[k] = (x, y) aperture radii a pixel. shift: (n, 2) the cat's eye at each lamp.
    summed: the taps are for sums down the columns (see `bands.column_sum_taps`).
    """

    start: np.ndarray
    widest: np.ndarray
    y: np.ndarray
    x: np.ndarray
    colour: np.ndarray
    kernel: np.ndarray
    shift: np.ndarray
    reach: np.ndarray
    unit: np.ndarray
    first_tap: np.ndarray
    dy: np.ndarray
    dx: np.ndarray
    weight: np.ndarray
    summed: bool


def place_lamps(
    lamps: Lamps,
    place: Float32[np.ndarray, " n"],
    bands: tuple[int, int],
    lens: Lens,
    origin: tuple[int, int],
    size_hw: tuple[int, int],
) -> Discs:
    """Find band and kernel of every lamp.

    Args:
        place: signed place of each lamp on the ladder of radii, 0 in focus, positive nearer.
        bands: the lowest rung, and how many there are.
        origin: the picture's row and column of the lamps' (0, 0).
        size_hw: the picture's.
    """
    low, count = bands
    band, y, x, fine, colour = _merged(lamps, place)
    used, kernel = np.unique(fine, return_inverse=True)
    shape, summed = aperture_only(lens), lens.cats_eye <= 0
    drawn = [_disc_taps(int(k), shape, summed) for k in used]
    reach = np.array([reach for reach, *_ in drawn], np.int64)
    start = np.searchsorted(band - low, np.arange(count + 1))
    widest = np.zeros(count, np.int64)
    np.maximum.at(widest, band - low, reach[kernel])
    vignettes = vignette_at(x + origin[1], y + origin[0], size_hw, lens.cats_eye)
    empty = np.empty(0)
    return Discs(
        start=start,
        widest=widest,
        y=y,
        x=x,
        colour=colour,
        kernel=kernel,
        shift=np.stack(vignettes, -1).astype(np.float32),
        reach=reach,
        unit=np.array([unit for _, unit, *_ in drawn], np.float32).reshape(-1, 2),
        first_tap=np.cumsum([0, *(len(dy) for _, _, dy, *_ in drawn)]),
        dy=np.concatenate([empty, *(dy for _, _, dy, *_ in drawn)]).astype(np.int64),
        dx=np.concatenate([empty, *(dx for *_, dx, _ in drawn)]).astype(np.int64),
        weight=np.concatenate([empty, *(weight for *_, weight in drawn)]).astype(np.float32),
        summed=summed,
    )


def _merged(lamps: Lamps, place: np.ndarray) -> tuple[np.ndarray, ...]:
    """Order lamps by (rung, row, column), merging what a large disc cannot tell apart.

    A lamp goes to the rung that is blurred more of its two, whose marks reach as far as its disc.
    """
    rung = np.where(place < 0, np.floor(place), np.ceil(place)).astype(np.int64)
    fine = np.rint(place * STEPS_PER_RUNG).astype(np.int64)
    lowest, highest = int(rung.min(initial=0)), int(rung.max(initial=0))
    levels = [max(rung_level(abs(r)) - SHARP_LEVELS, 0) for r in range(lowest, highest + 1)]
    shift = np.array(levels, np.int64)[rung - lowest]
    middle = (1 << shift) >> 1
    y, x = ((at >> shift << shift) + middle for at in (lamps.y, lamps.x))
    first_fine = int(fine.min(initial=0))
    values = (rung - lowest, y, x, fine - first_fine)
    shape = tuple(int(value.max(initial=0)) + 1 for value in values)
    found, member = np.unique(np.ravel_multi_index(values, shape), return_inverse=True)
    colour = np.zeros((len(found), 3), np.float32)
    np.add.at(colour, member, lamps.colour)
    rung, y, x, fine = (np.ascontiguousarray(value) for value in np.unravel_index(found, shape))
    return rung + lowest, y, x, fine + first_fine, colour


@lru_cache(maxsize=1024)
def _disc_taps(
    fine: int, lens: Lens, summed: bool
) -> tuple[int, tuple[float, float], np.ndarray, np.ndarray, np.ndarray]:
    """Return one kernel's (reach, unit, dy, dx, weight); kept, as every focus asks again."""
    radius = rung_radius_px(abs(fine) / STEPS_PER_RUNG)
    kernel = aperture_kernel(radius, lens, (0.0, 0.0), fine > 0)
    reach = kernel.shape[0] // 2
    turn = (-1.0 if fine > 0 else 1.0) / max(radius, 1e-6)
    unit = (turn * max(lens.squeeze, 1.0), turn * max(1.0 / lens.squeeze, 1.0))
    if summed:
        return reach, unit, *column_sum_taps(kernel)
    rows, columns = np.nonzero(kernel)
    return reach, unit, rows - reach, columns - reach, kernel[rows, columns]
