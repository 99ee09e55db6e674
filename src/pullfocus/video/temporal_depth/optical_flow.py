"""Between two frames, for `steady_depth`: where every pixel was before, and whether it was seen.

small_picture -> flows_between -> followed -> Motion; is_cut says that there is nothing to follow
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8

SMALLEST_SIDE_PX = 32
"""A patch of 8 px at the quarter of the size where fast DIS flow ends: below that OpenCV 4.14 reads
beyond its pictures (now and then a crash at 16 and 24); at 16 CSRT breaks as well."""
ALIKE = 0.12
"""Mean difference of sRGB codes (0..1) up to which two pixels may be the same point."""
_CUT_SEEN = 0.5
"""Share of followed pixels below which colours decide (measured: 0.75 and up within shots)."""
_CUT_BLIND = 0.1
"""Share below which it is a cut whatever the colours: there is nothing to hold on to."""
_CUT_COLOURS = 0.6
"""Shared part of two colour histograms (0..1) below which the colours are another shot's."""


class Flows(NamedTuple):
    """How far pixels go between two frames, (x, y) in px.

    back: from each pixel of this frame to the frame before. ahead: from each pixel of the frame
        before to this one.
    """

    back: Float32[np.ndarray, "h w 2"]
    ahead: Float32[np.ndarray, "h w 2"]

    def reversed(self) -> Flows:
        """Return the flows of the same two frames in the other order."""
        return Flows(self.ahead, self.back)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """From the frame before to this one, on the grid of this one.

    grid: float32 (h, w, 2), (x, y) in px where each pixel was in the frame before (cv2.remap's
        map: pixel centres at whole numbers). seen: whether it could be followed there.
    """

    grid: Float32[np.ndarray, "h w 2"]
    seen: Bool[np.ndarray, "h w"]

    def carry(self, values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Bring a map of the frame before to this frame."""
        return np.asarray(sampled(values, self.grid), np.float32)

    @property
    def way_px(self) -> Float32[np.ndarray, "h w"]:
        """How far each pixel went."""
        return np.sqrt(_squared(self.grid - pixel_grid(*self.seen.shape)))


def small_picture(rgb: UInt8[np.ndarray, "h w 3"], long_side_px: int) -> UInt8[np.ndarray, "a b 3"]:
    """Shrink a frame so that its longer side has `long_side_px`; small ones are enlarged."""
    import cv2

    scale = long_side_px / max(rgb.shape[:2])
    size = tuple(max(SMALLEST_SIDE_PX, round(n * scale)) for n in rgb.shape[1::-1])
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size, interpolation=mode), np.uint8)


def flows_between(
    before: UInt8[np.ndarray, "h w 3"], now: UInt8[np.ndarray, "h w 3"], careful: bool = False
) -> Flows:
    """Work out DIS flow in both directions.

    careful: four times as long and half as wrong where little stands out, on a road say.

    Source: Kroeger et al. 2016, "Fast optical flow using dense inverse search".
    """
    import cv2

    first, second = (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (before, now))
    fast, medium = cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    dis = cv2.DISOpticalFlow.create(medium if careful else fast)
    still = np.zeros((*first.shape, 2), np.float32)
    back, ahead = dis.calc(second, first, still.copy()), dis.calc(first, second, still.copy())
    return Flows(np.asarray(back, np.float32), np.asarray(ahead, np.float32))


def followed(
    before: UInt8[np.ndarray, "h w 3"], now: UInt8[np.ndarray, "h w 3"], flows: Flows
) -> Motion:
    """Follow every pixel of `now` back to `before`, and on again to see whether it returns.

    Source: Sundaram et al. 2010, "Dense point trajectories", equation 5.
    """
    back = flows.back
    grid = pixel_grid(*now.shape[:2]) + back
    returned = sampled(flows.ahead, grid)
    limit = np.float32(0.01) * (_squared(back) + _squared(returned)) + np.float32(0.5)
    same = (_squared(back + returned) < limit) & (difference(before, now, grid) < ALIKE)
    return Motion(grid, same & inside(grid))


def is_cut(
    before: UInt8[np.ndarray, "h w 3"], now: UInt8[np.ndarray, "h w 3"], motion: Motion
) -> bool:
    """Say whether another shot begins: little can be followed and the colours are others."""
    share = float(motion.seen.mean())
    if share >= _CUT_SEEN:
        return False
    return share < _CUT_BLIND or _shared_colours(before, now) < _CUT_COLOURS


def _shared_colours(before: np.ndarray, now: np.ndarray) -> float:
    """Intersection of two histograms of 8x8x8 colours. Source: Swain and Ballard 1991."""
    import cv2

    first, second = (
        cv2.calcHist([rgb], [0, 1, 2], None, [8] * 3, [0, 256] * 3) / rgb[..., 0].size
        for rgb in (before, now)
    )
    return float(np.minimum(first, second).sum())


def difference(
    before: UInt8[np.ndarray, "h w 3"],
    now: UInt8[np.ndarray, "h w 3"],
    grid: Float32[np.ndarray, "h w 2"],
) -> Float32[np.ndarray, "h w"]:
    """Compare each pixel with where it was before: mean difference of codes, 0..1."""
    import cv2

    miss = cv2.absdiff(sampled(before, grid), now)
    return cv2.transform(miss, np.full((1, 3), 1 / 3)).astype(np.float32) / np.float32(255)


@lru_cache(maxsize=4)
def pixel_grid(h: int, w: int) -> Float32[np.ndarray, "h w 2"]:
    """Return where every pixel is, (x, y) in px; not to be written to."""
    columns, rows = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return np.stack([columns, rows], axis=2)


def sampled(values: np.ndarray, grid: Float32[np.ndarray, "h w 2"]) -> np.ndarray:
    """Look a map or a picture up at places, bilinearly; beyond its border the border counts."""
    import cv2

    whole = np.empty(0, np.float32)  # both coordinates are in `grid`
    mode, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(cv2.remap(values, grid, whole, mode, borderMode=border))


def inside(grid: Float32[np.ndarray, "h w 2"]) -> Bool[np.ndarray, "h w"]:
    """Say which places lie in the frame."""
    import cv2

    h, w = grid.shape[:2]
    return np.asarray(cv2.inRange(grid, (-0.5, -0.5), (w - 0.5, h - 0.5)) > 0)


def _squared(way: Float32[np.ndarray, "h w 2"]) -> Float32[np.ndarray, "h w"]:
    """Return the squared length of every vector."""
    return np.asarray(way[..., 0] ** 2 + way[..., 1] ** 2, np.float32)
