"""Compiled loops of `fast`, second half: every tile's bands, composed from near to far.

A tile's state has 13 channels: light of closed surfaces (3), light left over, light and coverage
of hidden surfaces (3 + 1), those of the surface being collected (3 + 1), coverage of all so far,
seen or hidden. Neighbouring bands that a pixel sees without a gap are one surface: their light is
averaged by coverage. Closing a surface gives it no more of the pixel's light than nearer ones left.
"""

from __future__ import annotations

import numpy as np

from pullfocus.kernels import kernel
from pullfocus.render.layered.blur_kernels import CHANNELS, blur_band
from pullfocus.render.layered.blur_levels import CELL_PX
from pullfocus.render.layered.splat_kernels import draw_lamps

GAP = 1e-3
SHARP_RUNGS = 2
OPAQUE_BELOW = 1e-4


@kernel(fastmath=True)
def render_tiles(first, end, block, taps, discs, pad, tile, first_row, first_column, out):
    """Render a block's tiles first:end, counted row by row, into out[first_row:, first_column:].

    block: `band_kernels.Block` with `pad` mirrored pixels on each side; taps: `bands.Taps`;
    discs: `lamps.Discs`, drawn one by one.
    """
    height = min(block.place1.shape[0] - 2 * pad, out.shape[0] - first_row)
    width = min(block.place1.shape[1] - 2 * pad, out.shape[1] - first_column)
    across = (width + tile - 1) // tile
    for index in range(first, end):
        y, x = index // across * tile, index % across * tile
        node = (first_row + y) // tile * taps.nodes_across + (first_column + x) // tile
        rows, columns = min(tile, height - y), min(tile, width - x)
        cells = (rows + CELL_PX - 1) // CELL_PX, (columns + CELL_PX - 1) // CELL_PX
        state = _collect_tile(block, taps, discs, y + pad, x + pad, tile, cells, node)
        _finish_tile(state, out, first_row + y, first_column + x, rows, columns)


@kernel(fastmath=True)
def _collect_tile(block, taps, discs, top, left, tile, cells, node):
    """Compose all bands that reach the tile at (top, left), from near to far, to its state.

    cells: rows and columns of cells that lie in the picture.
    """
    bands = len(taps.level)
    state = np.zeros((13, tile, tile), np.float32)
    state[3] = np.float32(1.0)
    previous = np.full(cells, bands, np.int64)
    spans = np.empty((cells[0], 2), np.int64)
    light = np.empty((3, tile, tile), np.float64)
    for band in range(bands - 1, -1, -1):
        rung = band + taps.low
        alone = -SHARP_RUNGS <= rung <= SHARP_RUNGS
        reached = block.reached[band, top // CELL_PX :, left // CELL_PX :]
        if not _find_spans(reached, band, bands, alone, previous, state, spans):
            continue
        corners = _corner_weights(taps, band, node)
        blurred, hides = blur_band(block, taps, band, top, left, tile, spans, corners)
        lit = draw_lamps(discs, band, top, left, tile, light)
        _compose(blurred, hides, light, lit, taps.level[band], spans, state)
    return state


@kernel()
def _corner_weights(taps, band, node):
    """The band's weights at the four corners of the tile whose first corner is `node`."""
    across = taps.nodes_across
    if across == 0:
        return np.empty((0, 4), np.float32)
    start = taps.start[band]
    corners = np.empty((taps.start[band + 1] - start, 4), np.float32)
    for tap in range(len(corners)):
        for corner in range(4):
            corners[tap, corner] = taps.weight[
                start + tap, node + corner // 2 * across + corner % 2
            ]
    return corners


@kernel()
def _find_spans(reached, band, bands, alone, previous, state, spans):
    """Find the cells to which a band adds light; in each, end the surface if this is another.

    previous: the last band of each cell; `bands` where there was none, -1 where nothing more
    is seen. alone: whether every such band is a surface of its own.
    """
    rows, columns = previous.shape
    any_reached = False
    for row in range(rows):
        first, last = columns, 0
        for column in range(columns):
            before = previous[row, column]
            if not reached[row, column] or before < 0:
                continue
            is_another = before < bands and (alone or before != band + 1)
            left = column * CELL_PX
            if is_another and _close(state, row * CELL_PX, left, left + CELL_PX) <= OPAQUE_BELOW:
                previous[row, column] = -1
                continue
            previous[row, column] = band
            first, last = min(first, column), column + 1
        spans[row, 0], spans[row, 1] = min(first, last), last
        any_reached = any_reached or first < last
    return any_reached


# Columns are counted without a sign: where an index may be negative, numba looks each time, and
# LLVM does not vectorise. An unsigned one must meet no signed number: together they are a float.
@kernel(fastmath=True)
def _close(state, top, left, right):
    """Give the collected surface its light in cells of one row; return the most left over."""
    zero, least = np.float32(0.0), np.float32(1e-6)
    most = zero
    share = np.empty(state.shape[2], np.float32)
    for y in range(top, top + CELL_PX):
        for x in range(np.uint64(left), np.uint64(right)):
            coverage = state[11, y, x]
            taken = min(state[3, y, x], coverage)
            share[x] = taken / max(coverage, least)
            left_over = state[3, y, x] - taken
            state[3, y, x] = left_over
            state[11, y, x] = zero
            most = max(most, left_over)
        for c in range(3):
            for x in range(np.uint64(left), np.uint64(right)):
                state[c, y, x] += share[x] * state[8 + c, y, x]
                state[8 + c, y, x] = zero
    return most


@kernel(fastmath=True)
def _compose(blurred, hides, light, lit, level, spans, state):
    """Add one blurred band behind what `state` holds, where `spans` says.

    hides: whether the band holds hidden light at all; lit: whether light holds discs of lamps.
    """
    channels = CHANNELS if hides else CHANNELS - 1
    tile = state.shape[1]
    first, part = _bilinear(tile, level)
    band = np.zeros((CHANNELS, tile), np.float32)
    wide = np.empty((2, CHANNELS, tile), np.float32)
    held = np.empty(2, np.int64)
    scratch = np.empty((3, tile), np.float32)
    for y in range(len(spans) * CELL_PX):
        left = np.uint64(spans[y // CELL_PX, 0] * CELL_PX)
        right = np.uint64(spans[y // CELL_PX, 1] * CELL_PX)
        if left == right:
            continue
        if level == 0:
            for c in range(channels):
                for x in range(left, right):
                    band[c, x] = blurred[c, y, x]
        else:
            if y % CELL_PX == 0:
                held[:] = -1
            _enlarge_row(blurred, channels, first, part, y, left, right, held, wide, band)
        _add_seen(band, y, left, right, scratch, state)
        for c in range(3 if lit else 0):
            for x in range(left, right):
                state[8 + c, y, x] += np.float32(light[c, y, x])
        if hides:
            _add_hidden(band, y, left, right, scratch, state)
        for x in range(left, right):
            state[12, y, x] = min(state[12, y, x] + band[3, x] + band[4, x], np.float32(1.0))


@kernel()
def _bilinear(tile, level):
    """Where a tile's pixels lie in a layer of a level with a margin: first pixel, part of next."""
    first = np.empty(tile, np.int64)
    part = np.empty(tile, np.float32)
    for x in range(tile):
        place = (x + 0.5) / (1 << level) + 0.5
        first[x] = int(place)
        part[x] = place - first[x]
    return first, part


@kernel(fastmath=True)
def _enlarge_row(blurred, channels, first, part, y, left, right, held, wide, band):
    """Enlarge a reduced layer to the tile's row y, bilinear.

    held, wide: the two reduced rows that were widened last, and what they became.
    """
    upper = first[y]
    below, above = part[y], np.float32(1.0) - part[y]
    for row in (upper, upper + 1):
        own = row & 1
        if held[own] != row:
            held[own] = row
            for c in range(channels):
                for x in range(left, right):
                    k = np.uint64(first[x])
                    value, after = blurred[c, row, k], blurred[c, row, k + np.uint64(1)]
                    wide[own, c, x] = value + (after - value) * part[x]
    for c in range(channels):
        for x in range(left, right):
            band[c, x] = above * wide[upper & 1, c, x] + below * wide[(upper + 1) & 1, c, x]


# Light comes after the weights, in a loop of its own for each channel: with all arrays in one loop,
# LLVM gives up proving them apart.
@kernel(fastmath=True)
def _add_seen(band, y, left, right, scratch, state):
    """Add a row of visible light to the surface being collected; a gap closes it first.

    scratch: (3, tile), written: shares of the light that is closed, kept and added.
    """
    one, zero, least = np.float32(1.0), np.float32(0.0), np.float32(1e-6)
    for x in range(left, right):
        seen, coverage, left_over = band[3, x], state[11, y, x], state[3, y, x]
        goes_on = zero if seen < np.float32(GAP) else one
        taken = (one - goes_on) * min(left_over, coverage)
        state[3, y, x] = left_over - taken
        state[11, y, x] = goes_on * coverage + seen
        scratch[0, x] = taken / max(coverage, least)
        scratch[1, x] = goes_on
        scratch[2, x] = seen / max(seen + band[4, x], least)
    for c in range(3):
        for x in range(left, right):
            collected = state[8 + c, y, x]
            state[c, y, x] += scratch[0, x] * collected
            state[8 + c, y, x] = scratch[1, x] * collected + scratch[2, x] * band[c, x]


@kernel(fastmath=True)
def _add_hidden(band, y, left, right, scratch, state):
    """Add a row of hidden light, as far as nothing nearer covers it."""
    one, least = np.float32(1.0), np.float32(1e-6)
    for x in range(left, right):
        more = min(one - state[12, y, x], band[4, x])
        scratch[0, x] = more / max(band[3, x] + band[4, x], least)
        state[7, y, x] += more
    for c in range(3):
        for x in range(left, right):
            state[4 + c, y, x] += scratch[0, x] * band[c, x]


@kernel(fastmath=True)
def _finish_tile(state, out, top, left, rows, columns):
    """Give light that no visible surface took to the hidden one, or share it out if none is."""
    one, least = np.float32(1.0), np.float32(1e-4)
    fill, gain = np.empty(columns, np.float32), np.empty(columns, np.float32)
    for y in range(0, rows, CELL_PX):
        _close(state, y, 0, state.shape[2])
    for y in range(rows):
        for x in range(np.uint64(columns)):
            left_over, filled = state[3, y, x], state[7, y, x]
            has_back = filled > least
            fill[x] = left_over / filled if has_back else np.float32(0.0)
            gain[x] = one if has_back else one / max(one - left_over, least)
        for c in range(3):
            for x in range(columns):
                out[top + y, left + x, c] = gain[x] * state[c, y, x] + fill[x] * state[4 + c, y, x]
