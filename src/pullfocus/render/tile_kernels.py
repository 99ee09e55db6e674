"""Compiled loops of `fast`, second half: every tile's bands, composed from near to far.

A tile's state has 13 channels: light of closed surfaces (3), light left over, light and coverage
of hidden surfaces (3 + 1), those of the surface being collected (3 + 1), coverage of all so far,
seen or hidden. Neighbouring bands that a pixel sees without a gap are one surface: their light is
averaged by coverage. Closing a surface gives it no more of the pixel's light than nearer ones left.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from pullfocus.render.band_kernels import CHANNELS, blur_band
from pullfocus.render.bands import CELL_PX
from pullfocus.render.lamp_kernels import draw_lamps

GAP = 1e-3
SHARP_RUNGS = 2
OPAQUE_BELOW = 1e-4


@njit(cache=True, nogil=True, fastmath=True)
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
        state = _collect_tile(block, taps, discs, y + pad, x + pad, tile, node)
        rows, columns = min(tile, height - y), min(tile, width - x)
        _finish_tile(state, out, first_row + y, first_column + x, rows, columns)


@njit(cache=True, nogil=True, fastmath=True)
def _collect_tile(block, taps, discs, top, left, tile, node):
    """Compose all bands that reach the tile at (top, left), from near to far, to its state."""
    bands = len(taps.level)
    cells = tile // CELL_PX
    state = np.zeros((13, tile, tile), np.float32)
    state[3] = np.float32(1.0)
    previous = np.full((cells, cells), bands, np.int64)
    spans = np.empty((cells, 2), np.int64)
    light = np.empty((3, tile, tile), np.float32)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _find_spans(reached, band, bands, alone, previous, state, spans):
    """Find the cells to which a band adds light; in each, end the surface if this is another.

    previous: the last band of each cell; `bands` where there was none, -1 where nothing more
    is seen. alone: whether every such band is a surface of its own.
    """
    cells = len(spans)
    any_reached = False
    for row in range(cells):
        first, last = cells, 0
        for column in range(cells):
            before = previous[row, column]
            if not reached[row, column] or before < 0:
                continue
            is_another = before < bands and (alone or before != band + 1)
            if is_another and _close(state, row * CELL_PX, column * CELL_PX) <= OPAQUE_BELOW:
                previous[row, column] = -1
                continue
            previous[row, column] = band
            first, last = min(first, column), column + 1
        spans[row, 0], spans[row, 1] = min(first, last), last
        any_reached = any_reached or first < last
    return any_reached


@njit(cache=True, nogil=True, fastmath=True)
def _close(state, top, left):
    """Give the collected surface its light in one cell; return the most that is left over."""
    most = np.float32(0.0)
    for y in range(top, top + CELL_PX):
        for x in range(left, left + CELL_PX):
            coverage = state[11, y, x]
            taken = min(state[3, y, x], coverage)
            share = taken / max(coverage, np.float32(1e-6))
            state[0, y, x] += share * state[8, y, x]
            state[1, y, x] += share * state[9, y, x]
            state[2, y, x] += share * state[10, y, x]
            state[3, y, x] -= taken
            most = max(most, state[3, y, x])
        for c in range(8, 12):
            state[c, y, left : left + CELL_PX] = np.float32(0.0)
    return most


@njit(cache=True, nogil=True, fastmath=True)
def _compose(blurred, hides, light, lit, level, spans, state):
    """Add one blurred band behind what `state` holds, where `spans` says.

    hides: whether the band holds hidden light at all; lit: whether light holds discs of lamps.
    """
    channels = CHANNELS if hides else CHANNELS - 1
    tile = state.shape[1]
    margin = 1 if level else 0
    scale = np.float32(1.0 / (1 << level))
    one, half = np.float32(1.0), np.float32(0.5)
    places = np.empty(tile, np.float32)
    for x in range(tile):
        places[x] = (np.float32(x) + half) * scale - half + np.float32(margin)
    band = np.zeros((CHANNELS, tile), np.float32)
    wide = np.empty((2, CHANNELS, tile), np.float32)
    held = np.empty(2, np.int64)
    covered = state[12]
    for y in range(tile):
        left, right = spans[y // CELL_PX, 0] * CELL_PX, spans[y // CELL_PX, 1] * CELL_PX
        if left == right:
            continue
        if level == 0:
            for c in range(channels):
                for x in range(left, right):
                    band[c, x] = blurred[c, y, x]
        else:
            _enlarge_row(blurred[:channels], places, y, left, right, held, wide, band)
        _add_seen(band, y, left, right, state)
        _add_light(light, lit, y, left, right, state)
        if hides:
            _add_hidden(band, y, left, right, state)
        for x in range(left, right):
            covered[y, x] = min(covered[y, x] + band[3, x] + band[4, x], one)


@njit(cache=True, nogil=True, fastmath=True)
def _enlarge_row(blurred, places, y, left, right, held, wide, band):
    """Enlarge a reduced layer to the tile's row y, bilinear.

    held, wide: the two reduced rows that were widened last, and what they became.
    """
    if y % CELL_PX == 0:
        held[:] = -1
    upper = int(places[y])
    part = places[y] - np.float32(upper)
    for row in (upper, upper + 1):
        if held[row & 1] != row:
            held[row & 1] = row
            _widen_row(blurred[:, row], places, left, right, wide[row & 1])
    for c in range(len(blurred)):
        above, below = wide[upper & 1, c], wide[(upper + 1) & 1, c]
        for x in range(left, right):
            band[c, x] = above[x] * (np.float32(1.0) - part) + below[x] * part


@njit(cache=True, nogil=True, fastmath=True)
def _widen_row(row, places, left, right, wide):
    """Enlarge one row of a reduced layer, bilinear."""
    for x in range(left, right):
        k = int(places[x])
        part = places[x] - np.float32(k)
        for c in range(len(row)):
            wide[c, x] = row[c, k] + (row[c, k + 1] - row[c, k]) * part


# Two loops: with more arrays in one, LLVM gives up proving them apart and vectorising.
@njit(cache=True, nogil=True, fastmath=True)
def _add_seen(band, y, left, right, state):
    """Add a row of visible light to the surface being collected; a gap closes it first."""
    one, zero = np.float32(1.0), np.float32(0.0)
    for x in range(left, right):
        seen, hidden = band[3, x], band[4, x]
        ends = one if seen < np.float32(GAP) else zero
        coverage = state[11, y, x]
        taken = ends * min(state[3, y, x], coverage)
        share = taken / max(coverage, np.float32(1e-6))
        state[0, y, x] += share * state[8, y, x]
        state[1, y, x] += share * state[9, y, x]
        state[2, y, x] += share * state[10, y, x]
        state[3, y, x] -= taken
        share = seen / max(seen + hidden, np.float32(1e-6))
        goes_on = one - ends
        state[8, y, x] = goes_on * state[8, y, x] + share * band[0, x]
        state[9, y, x] = goes_on * state[9, y, x] + share * band[1, x]
        state[10, y, x] = goes_on * state[10, y, x] + share * band[2, x]
        state[11, y, x] = goes_on * coverage + seen


@njit(cache=True, nogil=True, fastmath=True)
def _add_light(light, lit, y, left, right, state):
    """Add a row of lamps to the surface being collected, if there are any."""
    for c in range(3 if lit else 0):
        for x in range(left, right):
            state[8 + c, y, x] += light[c, y, x]


@njit(cache=True, nogil=True, fastmath=True)
def _add_hidden(band, y, left, right, state):
    """Add a row of hidden light, as far as nothing nearer covers it."""
    one = np.float32(1.0)
    for x in range(left, right):
        seen, hidden = band[3, x], band[4, x]
        filled = min(one - state[12, y, x], hidden)
        share = filled / max(seen + hidden, np.float32(1e-6))
        state[4, y, x] += share * band[0, x]
        state[5, y, x] += share * band[1, x]
        state[6, y, x] += share * band[2, x]
        state[7, y, x] += filled


@njit(cache=True, nogil=True, fastmath=True)
def _finish_tile(state, out, top, left, rows, columns):
    """Give light that no visible surface took to the hidden one, or share it out if none is."""
    for y in range(0, rows, CELL_PX):
        for x in range(0, columns, CELL_PX):
            _close(state, y, x)
    for y in range(rows):
        for x in range(columns):
            left_over = state[3, y, x]
            if state[7, y, x] > np.float32(1e-4):
                fill = left_over / state[7, y, x]
                for c in range(3):
                    out[top + y, left + x, c] = state[c, y, x] + fill * state[4 + c, y, x]
            else:
                gain = np.float32(1.0) / max(np.float32(1.0) - left_over, np.float32(1e-4))
                for c in range(3):
                    out[top + y, left + x, c] = gain * state[c, y, x]
