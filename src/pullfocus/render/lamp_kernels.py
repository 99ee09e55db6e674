"""Compiled loops of `lamps`: taking lights out of a block's surfaces, drawing them in a tile."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

SPOT_SHIFT = 3  # spots are marked on cells of 8 x 8 pixels


@njit(cache=True, nogil=True, parallel=True)
def take_lamps(planes, disparity1, disparity2, spots, index_y, index_x, first_row, first_column):
    """Cut the seen light of spots down to white; return what was cut: y, x, disparity, colour.

    spots: uint8, where lights are small. Mirrored pixels lose theirs: a twin of a lamp near the
    border would be seen as one. first_row, first_column: the picture's at the block's (0, 0).
    """
    height, width = disparity1.shape
    depths = (disparity1, disparity2)
    own_columns = index_x == first_column + np.arange(width)
    cells = index_x >> SPOT_SHIFT
    nowhere = (np.empty(0, np.int64), np.empty(0, np.float32), np.empty((0, 3), np.float32))
    count = np.zeros(height + 1, np.int64)
    for y in prange(height):
        marked = spots[index_y[y] >> SPOT_SHIFT]
        own = own_columns & (index_y[y] == first_row + y)
        count[y + 1] = _take_row(planes, depths, marked, cells, own, y, nowhere, -1)
    first = np.cumsum(count)
    columns = np.empty(first[-1], np.int64)
    disparity = np.empty(first[-1], np.float32)
    colour = np.empty((first[-1], 3), np.float32)
    rows = np.empty(first[-1], np.int64)
    for y in prange(height):
        rows[first[y] : first[y + 1]] = y
        marked = spots[index_y[y] >> SPOT_SHIFT]
        own = own_columns & (index_y[y] == first_row + y)
        _take_row(planes, depths, marked, cells, own, y, (columns, disparity, colour), first[y])
    return rows, columns, disparity, colour


@njit(cache=True, nogil=True)
def _take_row(planes, depths, marked, cells, own, y, lamps, at):
    """Write the lamps of row y from place `at` on and cut them; only count them if at < 0."""
    columns, disparity, colour = lamps
    found = 0
    for x in range(len(own)):
        for surface in range(2 if marked[cells[x]] else 0):
            share = _bright_share(planes, y, x, surface)
            if share <= 0:
                continue
            for c in range(3 if at >= 0 else 0):
                value = planes[4 * surface + c, y, x]
                planes[4 * surface + c, y, x] = min(value, np.float32(1.0))
                if own[x]:
                    colour[at + found, c] = share * max(value - np.float32(1.0), np.float32(0.0))
            if at >= 0 and own[x]:
                columns[at + found] = x
                disparity[at + found] = depths[surface][y, x]
            found += own[x]
    return found


@njit(cache=True, nogil=True, inline="always")
def _bright_share(planes, y, x, surface):
    """Return a surface's seen coverage of a pixel where it is brighter than white, else 0."""
    one = np.float32(1.0)
    first = 4 * surface
    brightest = max(planes[first, y, x], planes[first + 1, y, x], planes[first + 2, y, x])
    if brightest <= one:
        return np.float32(0.0)
    return one - planes[3, y, x] if surface else planes[3, y, x]


@njit(cache=True, nogil=True, fastmath=True)
def draw_lamps(discs, band, top, left, tile, light):
    """Draw a band's discs into light (3, tile, tile), whose corner is at (top, left).

    discs: `lamps.Discs`. Returns whether there are any; if not, `light` is not written.
    """
    first, end = discs.start[band], discs.start[band + 1]
    widest = discs.widest[band] + 1
    first += np.searchsorted(discs.y[first:end], top - widest)
    drawn = False
    for n in range(first, end):
        y, x = discs.y[n] - top, discs.x[n] - left
        if y >= tile + widest:
            break
        reach = discs.reach[discs.kernel[n]] + 1
        if y + reach < 0 or y - reach >= tile or x + reach < 0 or x - reach >= tile:
            continue
        if not drawn:
            light[:] = np.float32(0.0)
            drawn = True
        if discs.summed:
            _draw_ends(discs, n, y, x, light)
        else:
            _draw_cut(discs, n, y, x, light)
    if drawn and discs.summed:
        for c in range(3):
            for y in range(1, tile):
                light[c, y] += light[c, y - 1]
    return drawn


@njit(cache=True, nogil=True, fastmath=True)
def _draw_ends(discs, lamp, y, x, light):
    """Add one lamp where its columns begin and end; sums down the columns make it a disc."""
    tile = light.shape[1]
    k = discs.kernel[lamp]
    red, green, blue = discs.colour[lamp]
    for tap in range(discs.first_tap[k], discs.first_tap[k + 1]):
        row, column = max(y - discs.dy[tap], 0), x - discs.dx[tap]
        if row < tile and 0 <= column < tile:
            weight = discs.weight[tap]
            light[0, row, column] += weight * red
            light[1, row, column] += weight * green
            light[2, row, column] += weight * blue


@njit(cache=True, nogil=True, fastmath=True)
def _draw_cut(discs, lamp, y, x, light):
    """Add one lamp through a cat's eye: its disc where a second, shifted circle lets it pass."""
    tile = light.shape[1]
    k = discs.kernel[lamp]
    red, green, blue = discs.colour[lamp]
    first, end = discs.first_tap[k], discs.first_tap[k + 1]
    passed = np.empty(end - first, np.float32)
    total = np.float32(1e-6)
    for tap in range(first, end):
        u = discs.dx[tap] * discs.unit[k, 0] - discs.shift[lamp, 0]
        v = discs.dy[tap] * discs.unit[k, 1] - discs.shift[lamp, 1]
        inside = (1.0 - np.sqrt(u * u + v * v)) / abs(discs.unit[k, 1]) + 0.5
        passed[tap - first] = discs.weight[tap] * min(max(inside, 0.0), 1.0)
        total += passed[tap - first]
    for tap in range(first, end):
        row, column = y - discs.dy[tap], x - discs.dx[tap]
        if 0 <= row < tile and 0 <= column < tile:
            weight = passed[tap - first] / total
            light[0, row, column] += weight * red
            light[1, row, column] += weight * green
            light[2, row, column] += weight * blue
