"""The renderer people get: bands of blur over two surfaces, composed front to back.

    linear, disparity -> layers (front + hidden back) -> bands (soft shares of rungs of radius)
        -> tiles: gather band, blur at its own scale, compose near to far -> picture

The picture is rendered in blocks, so that memory does not grow with it; a block sees enough of its
neighbours that the result does not depend on where blocks end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.cores import in_bands
from pullfocus.lens.optics import blur_gain_px
from pullfocus.render.layered.blur_levels import (
    CELL_PX,
    Taps,
    ladder_index,
    make_taps,
    rung_level,
    rung_radius_px,
    vignette_at,
)
from pullfocus.render.layered.highlight_recovery import Lights, find_lights
from pullfocus.render.layered.highlight_splats import place_lamps
from pullfocus.types import Focus, Lens

if TYPE_CHECKING:
    from pullfocus.render.layered.blur_kernels import Ladder
    from pullfocus.render.layered.layers import BlockLayers, HiddenSurface

EDGE_STEP_PX = 1.0
INVISIBLE_RADIUS_PX = 0.1
BLOCK_MEGAPIXELS = 6.0
LARGEST_SHARE, LARGEST_AT_LEAST_PX = 0.5, 64.0
"""Blur radii end at half the longer side, discs as wide as the picture: light spread wider looks
the same, but one stray millimetre in a depth map, or 800 mm before a near face, would ask for
memory and time without end."""
SMALLEST_TILE_PX, LARGEST_TILE_PX = 32, 128


def _rung_beyond(radius_px: float) -> int:
    """Return the first rung at or beyond a radius; 0 for radii that are not positive."""
    return int(np.ceil(float(ladder_index(np.array(max(radius_px, 0.0))))))


def read_only(array: np.ndarray) -> np.ndarray:
    """Return a C-ordered float32 view that is never writeable: one type for the compiled loops."""
    view = np.ascontiguousarray(array, np.float32).view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True)
class BlurPlan:
    """What a picture's size and its largest radius decide: tile, padding, size of blocks."""

    reach_px: float
    tile: int
    align: int
    pad: int
    block_hw: tuple[int, int]

    def blocks(self, size_hw: tuple[int, ...]) -> list[tuple[int, int]]:
        """List the first (row, column) of every block."""
        rows, columns = (range(0, n, step) for n, step in zip(size_hw, self.block_hw, strict=True))
        return [(row, column) for row in rows for column in columns]

    def inner_size(self, first: tuple[int, int], size_hw: tuple[int, ...]) -> tuple[int, int]:
        """Return a block's (rows, columns), in whole marks and whole coarsest pixels."""
        rows, columns = (
            -(-min(most, side - start) // self.align) * self.align
            for start, side, most in zip(first, size_hw, self.block_hw, strict=True)
        )
        return rows, columns


def plan_blur(size_hw: tuple[int, int], reach_px: float, block_px: int | None = None) -> BlurPlan:
    """Choose tile, padding and block size; all are multiples of the coarsest pixel."""
    h, w = size_hw
    rung = int(np.ceil(ladder_index(np.array(reach_px))))
    coarsest = 1 << rung_level(rung)
    tile = SMALLEST_TILE_PX
    while tile < max(coarsest, min(LARGEST_TILE_PX, max(h, w) // 4)):
        tile *= 2
    align = max(coarsest, CELL_PX)
    pad = -(-int(np.ceil(rung_radius_px(rung)) + 3 * coarsest + 2) // align) * align
    columns = block_px or (w if w + 2 * pad < 8192 else 4096)
    rows = block_px or int(BLOCK_MEGAPIXELS * 1e6 / (columns + 2 * pad))
    block_hw = (_block_side(h, rows, tile, pad), _block_side(w, columns, tile, pad))
    return BlurPlan(reach_px, tile, align, pad, block_hw)


def _block_side(side_px: int, wanted_px: int, tile: int, pad: int) -> int:
    """Round up to whole tiles, at least half the padding, at most the picture."""
    tiles = max(1, -(-wanted_px // tile), pad // 2 // tile)
    return min(tiles, -(-side_px // tile)) * tile


def render_linear(
    linear: Float32[np.ndarray, "h w 3"],
    radius_px: Float32[np.ndarray, "h w"],
    lens: Lens | None = None,
    *,
    block_px: int | None = None,
) -> Float32[np.ndarray, "h w 3"]:
    """Blur a linear-light picture by a signed radius in pixels (positive = nearer than focus)."""
    scene = PreparedScene(linear, radius_px, 1.0, float(np.abs(radius_px).max()), block_px)
    return scene.render_radii(1.0, 0.0, 0.0, lens or Lens())


class PreparedScene:
    """One picture and its disparity, ready to be rendered at many focus settings.

    What does not depend on the focus is found once: clipped light, depth edges, hidden surface,
    and, for pictures of up to `BLOCK_MEGAPIXELS`, both surfaces of every pixel.

    Args:
        linear: (h, w, 3) linear light.
        disparity: (h, w), larger = nearer.
        gain_px: blur radius in pixels per unit of disparity, the same for every focus: it decides
            what counts as an edge and how far blur can uncover what lies behind it.
        reach_px: the largest blur radius that will be asked for; see LARGEST_SHARE.
    """

    def __init__(
        self,
        linear: Float32[np.ndarray, "h w 3"],
        disparity: Float32[np.ndarray, "h w"],
        gain_px: float,
        reach_px: float,
        block_px: int | None = None,
    ) -> None:
        self._linear = read_only(linear)
        self._disparity = read_only(disparity)
        self._step = EDGE_STEP_PX / max(gain_px, 1e-9)
        h, w = disparity.shape
        self._largest_px = max(LARGEST_SHARE * max(h, w), LARGEST_AT_LEAST_PX)
        self._plan = plan_blur((h, w), min(reach_px, self._largest_px), block_px)
        span = float(self._disparity.max() - self._disparity.min())
        # how far from an edge its back can come into view
        self._uncovered_px = min(gain_px * span, 2 * self._largest_px)
        self._hidden: HiddenSurface | None = None
        self._highlights: float | None = None  # what lights and blocks were found for
        self._lights: Lights | None = None
        self._kept: dict[tuple[int, int], BlockLayers] = {}
        self._keep = disparity.size <= BLOCK_MEGAPIXELS * 1e6

    def render(self, focus: Focus, lens: Lens, long_side_px: int) -> Float32[np.ndarray, "h w 3"]:
        """Render one focus setting; `lens` must be resolved (see `lens.resolve_lens`)."""
        gain_px = blur_gain_px(lens, focus.disparity, long_side_px)
        return self.render_radii(gain_px, *sharp_ends(focus), lens)

    def render_radii(
        self, gain_px: float, near: float, far: float, lens: Lens
    ) -> Float32[np.ndarray, "h w 3"]:
        """Render with radius = gain_px * (disparity beyond the sharp range far..near)."""
        far_px, near_px = (
            gain_px * (max(d - near, 0.0) + min(d - far, 0.0))
            for d in (float(self._disparity.min()), float(self._disparity.max()))
        )
        if max(-far_px, near_px) < INVISIBLE_RADIUS_PX:
            return np.array(self._linear)
        low = -_rung_beyond(min(-far_px, self._largest_px))
        high = _rung_beyond(min(near_px, self._largest_px))
        taps = self._taps(low, high, lens)
        ladder = _ladder(gain_px, near, far, low, high)
        out = np.empty(self._linear.shape, np.float32)
        for first in self._plan.blocks(self._disparity.shape):
            block = self._block(first, lens.highlights)
            self._render_block(block, ladder, taps, lens, out)
        return out

    def _block(self, first: tuple[int, int], highlights: float) -> BlockLayers:
        from pullfocus.render.layered import layers

        if highlights != self._highlights:  # the blocks of one strength are kept, not of all
            self._kept.clear()
            self._lights = find_lights(self._linear, highlights)
            self._highlights = highlights
        if first in self._kept:
            return self._kept[first]
        if self._hidden is None:
            self._hidden = layers.find_hidden_surface(
                self._linear, self._disparity, self._step, self._uncovered_px
            )
        block = layers.make_block(
            self._linear, self._disparity, self._hidden, self._lights,
            self._step, first, self._plan.inner_size(first, self._disparity.shape), self._plan.pad,
        )  # fmt: skip
        if self._keep:
            self._kept[first] = block
        return block

    def _taps(self, low: int, high: int, lens: Lens) -> Taps:
        if lens.cats_eye <= 0:
            return make_taps(low, high, lens)
        h, w = self._disparity.shape
        tile = self._plan.tile
        down, across = -(-h // tile) + 1, -(-w // tile) + 1
        y, x = (n.ravel() * tile for n in np.mgrid[:down, :across])
        at = vignette_at(x, y, (h, w), lens.cats_eye)
        vignettes = list(zip(*(n.tolist() for n in at), strict=True))
        return make_taps(low, high, lens, vignettes, across)

    def _render_block(
        self, block: BlockLayers, ladder: Ladder, taps: Taps, lens: Lens, out: np.ndarray
    ) -> None:
        from pullfocus.render.layered import blur_kernels, composite_kernels

        place1, place2, marks = _places_and_marks(block, ladder, len(taps.level))
        lamp_place = np.empty_like(block.lamps.disparity)
        blur_kernels.place_on_ladder(block.lamps.disparity, ladder, lamp_place)
        discs = place_lamps(
            block.lamps, lamp_place + np.float32(taps.low),
            (taps.low, len(taps.level)), lens,
            (block.first_row - block.pad, block.first_column - block.pad), self._disparity.shape,
        )  # fmt: skip
        stacks, offset = self._stack_coarse_bands(block, place1, place2, marks, taps)
        pad, tile = self._plan.pad, self._plan.tile
        first_row, first_column = block.first_row, block.first_column
        down = -(-min(place1.shape[0] - 2 * pad, out.shape[0] - first_row) // tile)
        across = -(-min(place1.shape[1] - 2 * pad, out.shape[1] - first_column) // tile)
        surfaces = blur_kernels.Block(
            block.planes, place1, place2, marks, _spread(marks, taps, pad), stacks, offset
        )
        in_bands(
            composite_kernels.render_tiles, down * across,
            surfaces, taps, discs, pad, tile, first_row, first_column, out, least=1,
        )  # fmt: skip

    def _stack_coarse_bands(
        self,
        block: BlockLayers,
        place1: np.ndarray,
        place2: np.ndarray,
        marks: np.ndarray,
        taps: Taps,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the stacks and offsets of `band_kernels.Block`."""
        from pullfocus.render.layered import blur_kernels

        height, width = place1.shape
        offset = np.full(len(taps.level), -1, np.int64)
        total = 0
        for band in np.flatnonzero((taps.level >= 2) & marks.any(axis=(1, 2))):
            offset[band] = total
            level = taps.level[band]
            total += blur_kernels.CHANNELS * (height >> level) * (width >> level)
        stacks = np.zeros(max(total, 1), np.float32)
        if total:
            in_bands(
                blur_kernels.stack_coarse_bands, height // self._plan.align,
                block.planes, place1, place2, taps.level, offset, self._plan.align, stacks, least=1,
            )  # fmt: skip
        return stacks, offset


def _places_and_marks(
    block: BlockLayers, ladder: Ladder, bands: int
) -> tuple[np.ndarray, np.ndarray, UInt8[np.ndarray, "bands rows columns"]]:
    """Place both surfaces on the ladder, and mark the cells in which each band occurs."""
    from pullfocus.render.layered import blur_kernels

    place1, place2 = np.empty_like(block.disparity1), np.empty_like(block.disparity2)
    rows, columns = (side // CELL_PX for side in place1.shape)
    marks = np.zeros((bands + 1, rows, columns), np.uint8)
    in_bands(
        blur_kernels.mark_bands, rows,
        block.planes, block.disparity1, block.disparity2, ladder, place1, place2, marks, least=4,
    )  # fmt: skip
    return place1, place2, marks[:bands]


def _spread(marks: np.ndarray, taps: Taps, pad: int) -> np.ndarray:
    """Grow each band's marks by what its blur reaches, never past what every block can see."""
    import cv2

    reached = np.empty_like(marks)
    for band, (reach, level) in enumerate(zip(taps.reach, taps.level, strict=True)):
        halo_px = (reach + (level > 0)) << level
        cells = min(-(-halo_px // CELL_PX), pad // CELL_PX)
        window = np.ones((2 * cells + 1, 2 * cells + 1), np.uint8)
        reached[band] = cv2.dilate(marks[band], window)
    return reached


def _ladder(gain_px: float, near: float, far: float, low: int, high: int) -> Ladder:
    """Write down the map from disparity to a place on the ladder, counted from rung `low`."""
    from pullfocus.render.layered.blur_kernels import STEPS_PER_PX, Ladder

    top = rung_radius_px(max(-low, high, 1)) + 1.0
    place = ladder_index(np.arange(int(top * STEPS_PER_PX) + 2) / STEPS_PER_PX)
    return Ladder(
        np.float32(gain_px), np.float32(near), np.float32(far), np.float32(low), np.float32(high),
        place,
    )  # fmt: skip


def sharp_ends(focus: Focus) -> tuple[float, float]:
    """Return the disparities (near, far) between which nothing is blurred."""
    near, far = focus.near_disparity, focus.far_disparity
    if near is None or far is None:
        return focus.disparity, focus.disparity
    return near, far
