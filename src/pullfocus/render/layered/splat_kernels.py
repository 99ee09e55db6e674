"""Compiled loops of `lamps`: taking lights out of a block's surfaces, drawing them in a tile."""

from __future__ import annotations

import numpy as np

from pullfocus.kernels import kernel
from pullfocus.render.layered.layer_kernels import between_cells


@kernel()
def count_lamps(first, end, planes, spots, cell_y, cell_x, own_y, own_x, count):
    """Write how many lamps `cut_lamps` will find in row y to count[y]."""
    for y in range(first, end):
        found = 0
        for x in range(len(own_x) if own_y[y] else 0):
            if not own_x[x]:
                continue
            lamps = (_bright_share(planes, y, x, 0) > 0) + (_bright_share(planes, y, x, 1) > 0)
            if lamps and _is_spot(spots, cell_y[y], cell_x[x]):
                found += lamps
        count[y] = found


@kernel()
def cut_lamps(
    first, end, disparity1, disparity2, spots, cell_y, cell_x, own_y, own_x, start,
    planes, columns, disparity, colour,
):  # fmt: skip
    """Cut the seen light of spots down to white; write what was cut, row y's from start[y] on.

    spots: 1 in cells where lights are small; cell_y, cell_x: where a row and a column lie among
    them. own_y, own_x: what is not mirrored. Mirrored pixels are
    cut too: a twin of a lamp near the border would be seen as one.
    """
    for y in range(first, end):
        at = start[y]
        for x in range(len(own_x)):
            shares = _bright_share(planes, y, x, 0), _bright_share(planes, y, x, 1)
            if max(shares) <= 0 or not _is_spot(spots, cell_y[y], cell_x[x]):
                continue
            for surface in range(2):
                share = shares[surface]
                if share <= 0:
                    continue
                is_own = own_y[y] and own_x[x]
                for c in range(3):
                    value = planes[4 * surface + c, y, x]
                    planes[4 * surface + c, y, x] = min(value, np.float32(1.0))
                    if is_own:
                        over = max(value - np.float32(1.0), np.float32(0.0))
                        colour[at, c] = share * over
                if is_own:
                    columns[at] = x
                    disparity[at] = disparity2[y, x] if surface else disparity1[y, x]
                    at += 1


@kernel()
def _is_spot(spots, y, x):
    """Whether a place lies in a cell of small lights; between two, either will do."""
    return between_cells(spots, y, x) > 0.499


@kernel(inline="always")
def _bright_share(planes, y, x, surface):
    """Return a surface's seen coverage of a pixel where it is brighter than white, else 0."""
    one = np.float32(1.0)
    first = 4 * surface
    brightest = max(planes[first, y, x], planes[first + 1, y, x], planes[first + 2, y, x])
    if brightest <= one:
        return np.float32(0.0)
    return one - planes[3, y, x] if surface else planes[3, y, x]


@kernel(fastmath=True)
def draw_lamps(discs, band, top, left, tile, light):
    """Draw a band's discs into light (3, tile, tile), whose corner is at (top, left).

    discs: `lamps.Discs`; light: float64. Returns whether there are any; if not, `light` is not
    written.
    """
    widest, end = discs.widest[band] + 1, discs.start[band + 1]
    first = _first_from(discs.y, discs.start[band], end, top - widest)
    drawn = False
    for n in range(first, end):
        y, x = discs.y[n] - top, discs.x[n] - left
        if y >= tile + widest:
            break
        reach = discs.reach[discs.kernel[n]] + 1
        if y + reach < 0 or y - reach >= tile or x + reach < 0 or x - reach >= tile:
            continue
        if not drawn:
            light[:] = 0.0
            drawn = True
        if discs.summed:
            _draw_ends(discs, n, y, x, light)
        else:
            _draw_cut(discs, n, y, x, light)
    if drawn and discs.summed:
        _sum_down(light)
    return drawn


@kernel(fastmath=True)
def _sum_down(light):
    """Sum down the columns; no light is left below a disc, nor less than none by rounding."""
    total = np.empty(light.shape[2], np.float64)
    for c in range(3):
        total[:] = 0.0
        for y in range(light.shape[1]):
            for x in range(light.shape[2]):
                total[x] += light[c, y, x]
                light[c, y, x] = max(total[x], 0.0)


@kernel()
def _first_from(rows, first, end, least):
    """Return the first place in the rising rows[first:end] that is not below `least`, or end."""
    while first < end:
        middle = (first + end) // 2
        if rows[middle] < least:
            first = middle + 1
        else:
            end = middle
    return first


@kernel(fastmath=True)
def _draw_ends(discs, lamp, y, x, light):
    """Add one lamp where its columns begin and end; sums down the columns make it a disc."""
    tile = light.shape[1]
    k = discs.kernel[lamp]
    red, green, blue = discs.colour[lamp, 0], discs.colour[lamp, 1], discs.colour[lamp, 2]
    for tap in range(discs.first_tap[k], discs.first_tap[k + 1]):
        row, column = max(y - discs.dy[tap], 0), x - discs.dx[tap]
        if row < tile and 0 <= column < tile:
            weight = np.float64(discs.weight[tap])
            light[0, row, column] += weight * red
            light[1, row, column] += weight * green
            light[2, row, column] += weight * blue


@kernel(fastmath=True)
def _draw_cut(discs, lamp, y, x, light):
    """Add one lamp through a cat's eye: its disc where a second, shifted circle lets it pass."""
    tile = light.shape[1]
    k = discs.kernel[lamp]
    red, green, blue = discs.colour[lamp, 0], discs.colour[lamp, 1], discs.colour[lamp, 2]
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
