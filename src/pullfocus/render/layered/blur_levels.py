"""Bands of blur: the fixed ladder of radii at which `fast` blurs, and where each is computed.

A pixel of blur radius r belongs to the two neighbouring rungs, in shares that add up to 1, so
that a continuous surface stays continuous. Rungs lie one pixel apart below 8 px and 12 % apart
above. A rung of radius 8 to 16 px is blurred at half size, 16 to 32 px at a quarter, and so on:
the cost does not grow with the radius.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from pullfocus.lens.aperture import aperture_kernel
from pullfocus.types import Lens

CELL_PX = 16  # side of the squares in which bands are marked
LADDER_RATIO = 1.12
LINEAR_UNTIL_PX = 1.0 / (LADDER_RATIO - 1.0)
FULL_SIZE_BELOW_PX = 8.0
RESAMPLING_VARIANCE = 0.25  # box 1/12 + bilinear 1/6, in pixels of the reduced picture
BLOCK_SHARE = 0.75  # of the taps that may be left, so that summing first is worth it
EQUAL_WEIGHTS = 2.0**-20  # of a weight: what rounding leaves between equal ones
SUM_UNIT = 2.0**-23  # of the largest weight: what weights for sums are rounded to
TALLEST_BLOCK = 4  # blocks of at most 2^4 rows: a kernel of 8 reduced pixels is 19 rows high


def ladder_index(radius_px: np.ndarray) -> Float32[np.ndarray, "*s"]:
    """Map a radius (>= 0) to its place on the ladder; whole numbers are rungs.

    Below 1 px the place is r^2: blur adds variance r^2/4, and rung 1 brings that of r = 1.
    """
    r = np.asarray(radius_px, np.float32)
    straight = np.where(r < 1.0, r * r, r)
    bent = LINEAR_UNTIL_PX + np.log(np.maximum(r, LINEAR_UNTIL_PX) / LINEAR_UNTIL_PX) / math.log(
        LADDER_RATIO
    )
    return np.where(r <= LINEAR_UNTIL_PX, straight, bent).astype(np.float32)


def rung_radius_px(place: float) -> float:
    """Return the radius of a rung, or of any place on the ladder: the inverse of `ladder_index`."""
    if place <= LINEAR_UNTIL_PX:
        return math.sqrt(place) if place < 1.0 else float(place)
    return LINEAR_UNTIL_PX * LADDER_RATIO ** (place - LINEAR_UNTIL_PX)


def rung_level(rung: int) -> int:
    """Return the pyramid level (0 = full size, 1 = half ...) at which a rung is blurred."""
    radius = rung_radius_px(rung)
    return 0 if radius < FULL_SIZE_BELOW_PX else 1 + int(math.log2(radius / FULL_SIZE_BELOW_PX))


def reduced_radius_px(rung: int) -> float:
    """Return the kernel's radius in pixels of the rung's level, less what resampling adds."""
    level = rung_level(rung)
    radius = rung_radius_px(rung) / 2**level
    return math.sqrt(radius**2 - 4.0 * RESAMPLING_VARIANCE) if level else radius


class Taps(NamedTuple):
    """The kernels of all bands as flat arrays, the form the compiled loops read.

    Band b (signed rung `low + b`) owns taps start[b]:start[b+1]. `weight` is (n, nodes): one
    column for each corner of the grid over the picture on which a cat's eye varies, else one;
    nodes_across: columns of that grid, 0 without one.
    A tap reads the sum of 2^block rows from row dy down (see `block_taps`); those of band b are
    at most 2^tallest[b] rows, 0 where every tap reads one pixel.
    """

    low: int
    level: np.ndarray
    reach: np.ndarray
    start: np.ndarray
    tallest: np.ndarray
    block: np.ndarray
    dy: np.ndarray
    dx: np.ndarray
    weight: np.ndarray
    nodes_across: int


def make_taps(
    low: int,
    high: int,
    lens: Lens,
    vignettes: Sequence[tuple[float, float]] = ((0.0, 0.0),),
    nodes_across: int = 0,
) -> Taps:
    """Draw the kernels of the signed rungs low..high (positive = nearer than the focus)."""
    rungs = range(low, high + 1)
    shape = aperture_only(lens)
    bands = [_rung_taps(rung, shape, tuple(vignettes)) for rung in rungs]
    return Taps(
        low=low,
        level=np.array([rung_level(abs(rung)) for rung in rungs], np.int64),
        reach=np.array([reach for reach, *_ in bands], np.int64),
        start=np.cumsum([0, *(len(dy) for _, _, dy, _, _ in bands)]),
        tallest=np.array([int(block.max(initial=0)) for _, block, *_ in bands], np.int64),
        block=np.concatenate([block for _, block, *_ in bands]),
        dy=np.concatenate([dy for _, _, dy, _, _ in bands]),
        dx=np.concatenate([dx for *_, dx, _ in bands]),
        weight=np.concatenate([weight for *_, weight in bands]),
        nodes_across=nodes_across,
    )


def aperture_only(lens: Lens) -> Lens:
    """Keep of a lens what shapes a point of light, so that one kernel serves every f-number."""
    return Lens(
        blades=lens.blades,
        rotation_deg=lens.rotation_deg,
        roundness=lens.roundness,
        squeeze=lens.squeeze,
        ring=lens.ring,
        edge_softness=lens.edge_softness,
    )


def vignette_at(
    x: np.ndarray, y: np.ndarray, size_hw: tuple[int, int], cats_eye: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shift (x, y) of the second pupil at points of a picture, in aperture radii."""
    h, w = size_hw
    per_px = cats_eye / (math.hypot(h, w) / 2)
    return per_px * (w / 2 - x), per_px * (h / 2 - y)


@lru_cache(maxsize=256)
def _rung_taps(
    rung: int, lens: Lens, vignettes: tuple[tuple[float, float], ...]
) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return one rung's (reach, block, dy, dx, weight); kept, as every focus asks again."""
    radius = reduced_radius_px(abs(rung))
    kernels = np.stack([aperture_kernel(radius, lens, v, rung > 0) for v in vignettes], -1)
    reach = kernels.shape[0] // 2
    rows, columns = np.nonzero(kernels.max(axis=-1) > 0)
    if len(vignettes) == 1:
        block, dy, dx, weight = block_taps(kernels[..., 0])
        if len(dy) < BLOCK_SHARE * len(rows):
            return reach, block, dy, dx, weight[:, None]
    block = np.zeros(len(rows), np.int64)
    return reach, block, rows - reach, columns - reach, kernels[rows, columns]


def block_taps(kernel: Float32[np.ndarray, "k k"]) -> tuple[np.ndarray, ...]:
    """Rewrite a kernel for sums of 1, 2, 4 .. rows: a run of equal weights is a few such blocks.

    Sums over blocks only add. Differences of sums from the top of a tile would be fewer taps, but
    they leave the rounding of all light above, which is more than the light of a dark place below
    a bright window. Returns (block, dy, dx, weight): a tap reads rows dy .. dy + 2^block - 1.
    """
    half = kernel.shape[0] // 2
    taps = []
    for column in range(kernel.shape[1]):
        for first, end in pairwise(_run_ends(kernel[:, column])):
            weight = float(kernel[first, column])
            row = first if weight > 0 else end
            while row < end:
                block = min((end - row).bit_length() - 1, TALLEST_BLOCK)
                taps.append((block, row - half, column - half, weight))
                row += 1 << block
    places = np.array([tap[:3] for tap in taps], np.int64).reshape(-1, 3).T.copy()
    return *places, np.array([tap[3] for tap in taps], np.float32)


def _run_ends(weights: np.ndarray) -> list[int]:
    """List where runs of equal weights begin, and the end of the last one."""
    ends = [0]
    for row in range(1, len(weights)):
        before = float(weights[ends[-1]])
        if abs(float(weights[row]) - before) > EQUAL_WEIGHTS * before:
            ends.append(row)
    return [*ends, len(weights)]


def column_sum_taps(kernel: Float32[np.ndarray, "k k"]) -> tuple[np.ndarray, ...]:
    """Rewrite a kernel for a picture S summed down its columns: S[y] = row 0 + ... + row y.

    sum_dy k[dy] p[y + dy] = sum_dy (k[dy] - k[dy + 1]) S[y + dy], and where the kernel is as
    bright as below, no tap is left: a disc costs its rim. Weights are rounded to multiples of a
    power of two, so that those of a column sum to 0 exactly, in float32 too: what they missed
    would be left below every light. Returns (dy, dx, weight); dy begins one row above the kernel.

    Convention: sum in float64; float32 leaves the rounding of all light above.
    """
    half = kernel.shape[0] // 2
    unit = 2.0 ** math.ceil(math.log2(float(kernel.max()) * SUM_UNIT))
    units = np.rint(kernel.astype(np.float64) / unit)
    for column in range(kernel.shape[1]):
        for first, end in pairwise(_run_ends(kernel[:, column])):
            units[first:end, column] = units[first, column]
    step = -np.diff(units, axis=0, prepend=0.0, append=0.0)
    rows, columns = np.nonzero(step)
    return rows - half - 1, columns - half, (step[rows, columns] * unit).astype(np.float32)
