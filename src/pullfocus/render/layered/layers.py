"""From one picture and its disparity to two surfaces: what is seen, and what it hides.

The step before the bands in `render/layered`. Every pixel gets a front surface (colour, disparity,
coverage alpha) and, near a depth edge, a back one: the nearest farther surface, estimated by
climbing a pyramid that always keeps the far part of each square. On the edge itself, where a pixel
holds light of both, alpha is the pixel's place on the line between the two sides' colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from pullfocus.cores import in_bands
from pullfocus.render.layered import layer_kernels, splat_kernels
from pullfocus.render.layered.highlight_recovery import Lights, cell_places
from pullfocus.render.layered.highlight_splats import Lamps

LARGEST_HIDDEN_PX = 8_000_000


@dataclass(frozen=True, slots=True, eq=False)
class HiddenSurface:
    """The farther surface behind every near one, at 1/2^shift size, for the whole picture.

    colour: (4, h', w'): linear red, green, blue and disparity; disparity is +inf where nothing
    farther lies within reach.
    """

    colour: Float32[np.ndarray, "4 hh wh"]
    shift: int


@dataclass(frozen=True, slots=True, eq=False)
class BlockLayers:
    """Both surfaces of a block of the picture, mirrored outwards by `pad` pixels on all sides.

    planes: (8, H, W): front red, green, blue, alpha; back red, green, blue, 1 where a back exists.
    disparity1, disparity2: (H, W) of front and back.
    lamps: what was brighter than white in small spots, in the block's rows and columns.
    """

    planes: Float32[np.ndarray, "8 H W"]
    disparity1: Float32[np.ndarray, "H W"]
    disparity2: Float32[np.ndarray, "H W"]
    lamps: Lamps
    first_row: int
    first_column: int
    pad: int


def mirror_index(first: int, count: int, size: int) -> np.ndarray:
    """Return `count` indices from `first` on, reflected into 0..size-1 at the borders."""
    index = np.mod(np.arange(first, first + count), 2 * size)
    return np.where(index >= size, 2 * size - 1 - index, index)


def find_hidden_surface(
    linear: Float32[np.ndarray, "h w 3"],
    disparity: Float32[np.ndarray, "h w"],
    step: float,
    reach_px: float,
) -> HiddenSurface:
    """Estimate what lies behind every depth edge, as far as blur can uncover it.

    Args:
        step: disparity difference that counts as an edge (a blur difference of about one pixel).
        reach_px: how far from the edge the back surface can come into view.
    """
    half_hw = _half_of(disparity.shape)
    far, nearest = np.empty((4, *half_hw), np.float32), np.empty(half_hw, np.float32)
    in_bands(
        layer_kernels.halve_keeping_far, len(nearest),
        linear, disparity, np.float32(step), far, nearest,
    )  # fmt: skip
    shift = 1
    while disparity.size >> (2 * shift) > LARGEST_HIDDEN_PX:
        far, finer = _halved(far, step), nearest
        nearest = np.empty(_half_of(finer.shape), np.float32)
        in_bands(layer_kernels.shrink_keeping_near, len(nearest), finer, nearest)
        shift += 1
    near_edge = _within_reach(nearest, far[3], step, reach_px / 2**shift)
    found = np.full_like(far, np.inf)
    level = far
    for climb in range(1, max(2, math.ceil(math.log2(max(reach_px, 2.0))) + 2 - shift)):
        if min(level.shape[1:]) < 2:
            break
        level = _halved(level, step)
        in_bands(
            layer_kernels.take_farther, found.shape[1],
            nearest, near_edge, level, climb, np.float32(step), found,
        )  # fmt: skip
    return HiddenSurface(found, shift)


def _half_of(size_hw: tuple[int, ...]) -> tuple[int, int]:
    return (size_hw[0] + 1) // 2, (size_hw[1] + 1) // 2


def _halved(level: np.ndarray, step: float) -> np.ndarray:
    out = np.empty((4, *_half_of(level.shape[1:])), np.float32)
    in_bands(layer_kernels.shrink_keeping_far, out.shape[1], level, np.float32(step), out)
    return out


def _within_reach(
    nearest: np.ndarray, farthest: np.ndarray, step: float, reach: float
) -> np.ndarray:
    """Mark the squares that lie within reach (in squares) of a depth edge."""
    import cv2

    window = np.ones((3, 3), np.uint8)
    high, low = cv2.dilate(nearest, window), cv2.erode(farthest, window)
    edge = ((high - low) > step).astype(np.uint8)
    h, w = edge.shape
    factor = 8
    coarse = np.zeros((-(-h // factor), -(-w // factor)), np.uint8)
    padded = np.pad(edge, ((0, coarse.shape[0] * factor - h), (0, coarse.shape[1] * factor - w)))
    coarse = padded.reshape(coarse.shape[0], factor, coarse.shape[1], factor).max(axis=(1, 3))
    radius = math.ceil(reach / factor) + 1
    grown = cv2.dilate(coarse, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    return grown.repeat(factor, axis=0).repeat(factor, axis=1)[:h, :w]


def make_block(
    linear: Float32[np.ndarray, "h w 3"],
    disparity: Float32[np.ndarray, "h w"],
    hidden: HiddenSurface,
    lights: Lights | None,
    step: float,
    first: tuple[int, int],
    size: tuple[int, int],
    pad: int,
) -> BlockLayers:
    """Build both surfaces of the block at `first` (row, column) of `size`, padded and mirrored.

    lights: the picture's small bright spots, or None.
    """
    import cv2

    index_y = mirror_index(first[0] - pad, size[0] + 2 * pad, linear.shape[0])
    index_x = mirror_index(first[1] - pad, size[1] + 2 * pad, linear.shape[1])
    front = np.empty((len(index_y), len(index_x)), np.float32)
    in_bands(layer_kernels.take_pixels, len(front), disparity, index_y, index_x, front)
    window = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(front, window), cv2.dilate(front, window)
    gain = np.ones((1, 1), np.float32) if lights is None else lights.gain
    cell_y = cell_places(index_y, linear.shape[0], gain.shape[0])
    cell_x = cell_places(index_x, linear.shape[1], gain.shape[1])
    planes = np.empty((8, *front.shape), np.float32)
    back = np.empty_like(front)
    in_bands(
        layer_kernels.fill_planes, len(front),
        linear, hidden.colour, hidden.shift, gain, lights is not None,
        cell_y, cell_x, index_y, index_x, front, np.float32(step), planes, back,
    )  # fmt: skip
    split = front.copy()
    in_bands(
        layer_kernels.matte_edges, len(front),
        linear, index_y, index_x, low, high, np.float32(step), front, planes, split, back,
    )  # fmt: skip
    own_y, own_x = (
        index == start - pad + np.arange(len(index))
        for index, start in zip((index_y, index_x), first, strict=True)
    )
    lamps = _take_lamps(planes, split, back, lights, (cell_y, cell_x, own_y, own_x))
    return BlockLayers(planes, split, back, lamps, *first, pad)


def _take_lamps(
    planes: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    lights: Lights | None,
    where: tuple[np.ndarray, ...],
) -> Lamps:
    """Cut small lights out of the planes; where: place among the cells, and whether not mirrored,
    of rows and columns."""
    if lights is None:
        none = np.empty(0, np.int64)
        return Lamps(none, none, none.astype(np.float32), np.empty((0, 3), np.float32))
    count = len(front)
    start = np.zeros(count + 1, np.int64)
    in_bands(splat_kernels.count_lamps, count, planes, lights.spots, *where, start[1:])
    rows = np.repeat(np.arange(count), start[1:])
    start = np.cumsum(start)
    columns, disparity = np.empty(len(rows), np.int64), np.empty(len(rows), np.float32)
    colour = np.empty((len(rows), 3), np.float32)
    in_bands(
        splat_kernels.cut_lamps, count,
        front, back, lights.spots, *where, start, planes, columns, disparity, colour,
    )  # fmt: skip
    return Lamps(rows, columns, disparity, colour)
