"""Compiled loops of `fast`, first half: where bands occur, and one band's blurred layer of a tile.

What is done for a whole block works on its parts first:end, for `cores.in_bands` to share out.
Every array is float32 and planar. A band's layer has five channels: premultiplied red, green and
blue of visible and hidden surface together, visible coverage, hidden coverage. A tile is worked on
in cells: bands are gathered, blurred and composed only where `Block.reached` says they matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pullfocus.kernels import kernel
from pullfocus.render.layered.blur_levels import CELL_PX

CHANNELS = 5
STEPS_PER_PX = 32
"""Places of `Ladder` for each pixel of radius."""


class Block(NamedTuple):
    """Both surfaces of a block (see `layers.BlockLayers`) and the bands they fall into.

    place1, place2: (H, W) place of front and back on the ladder, counted from the first band.
    marks, reached: uint8 (bands, H / CELL_PX, W / CELL_PX): cells in which a band occurs, and
        those that its blur reaches.
    stacks: the layers of all bands of level >= 2 at their reduced size, one after the other;
        offset[b]: where band b's (5, H >> level, W >> level) begins, -1 for finer bands.
    """

    planes: np.ndarray
    place1: np.ndarray
    place2: np.ndarray
    marks: np.ndarray
    reached: np.ndarray
    stacks: np.ndarray
    offset: np.ndarray


class Ladder(NamedTuple):
    """The way from disparity to a place on the ladder of radii, counted from rung `low`.

    radius = gain * (disparity beyond far..near); place: float32, of every 1 / STEPS_PER_PX px.
    """

    gain: np.float32
    near: np.float32
    far: np.float32
    low: np.float32
    high: np.float32
    place: np.ndarray


@kernel(fastmath=True, inline="always")
def _place(disparity, ladder):
    zero = np.float32(0.0)
    beyond = max(disparity - ladder.near, zero) + min(disparity - ladder.far, zero)
    radius = ladder.gain * beyond
    at = min(abs(radius) * np.float32(STEPS_PER_PX), np.float32(len(ladder.place) - 1.001))
    k = np.uint32(at)
    place = ladder.place[k]
    place += (ladder.place[k + np.uint32(1)] - place) * (at - np.float32(k))
    place = (place if radius >= zero else -place) - ladder.low
    return min(max(place, zero), ladder.high - ladder.low)


@kernel(fastmath=True)
def place_on_ladder(disparity, ladder, out):
    """Write the place of every disparity, (n)."""
    for x in range(len(out)):
        out[x] = _place(disparity[x], ladder)


@kernel(fastmath=True)
def mark_bands(first, end, planes, disparity1, disparity2, ladder, place1, place2, marks):
    """Write the places of both surfaces and mark the cells in which a band occurs.

    first, end: rows of cells. marks: uint8 (bands + 1, ...).
    """
    one, zero = np.float32(1.0), np.float32(0.0)
    columns = marks.shape[2]
    for row in range(first, end):
        for y in range(row * CELL_PX, (row + 1) * CELL_PX):
            for x in range(columns * CELL_PX):
                column = x // CELL_PX
                front, back, alpha = disparity1[y, x], disparity2[y, x], planes[3, y, x]
                place = behind = _place(front, ladder)
                if back != front:
                    behind = _place(back, ladder)
                place1[y, x], place2[y, x] = place, behind
                if alpha > zero:
                    _mark(place, row, column, marks)
                if alpha < one or (planes[7, y, x] > zero and place - behind > one):
                    _mark(behind, row, column, marks)


@kernel(inline="always")
def _mark(place, row, column, marks):
    rung = np.uint32(place)
    marks[rung, row, column] = 1
    if place > np.float32(rung):
        marks[rung + np.uint32(1), row, column] = 1


@kernel(fastmath=True)
def stack_coarse_bands(first, end, planes, place1, place2, level, offset, align, stacks):
    """Sum all bands of level >= 2 at their own reduced size into one flat buffer.

    first, end: parts of `align` rows.
    """
    zero, one = np.float32(0.0), np.float32(1.0)
    height, width = place1.shape
    for y in range(first * align, end * align):
        for x in range(width):
            alpha, place, behind = planes[3, y, x], place1[y, x], place2[y, x]
            if alpha > zero:
                _stack(planes, 0, y, x, place, alpha, zero, level, offset, height, width, stacks)
            hidden = alpha * planes[7, y, x] * min(max(place - behind - one, zero), one)
            if alpha < one or hidden > zero:
                seen = one - alpha
                _stack(planes, 4, y, x, behind, seen, hidden, level, offset, height, width, stacks)


@kernel(fastmath=True, inline="always")
def _stack(planes, red, y, x, place, seen, hidden, level, offset, height, width, stacks):
    """Add one surface of a pixel, whose red is planes[red], to its two bands if they are coarse."""
    rung = int(place)
    part = place - np.float32(rung)
    for step in range(2):
        share = part if step else np.float32(1.0) - part
        band = rung + step
        if share <= 0 or offset[band] < 0:
            continue
        lvl = level[band]
        columns = width >> lvl
        plane = np.uint64((height >> lvl) * columns)
        at = np.uint64(offset[band] + (y >> lvl) * columns + (x >> lvl))
        share *= np.float32(1.0) / np.float32(1 << (2 * lvl))
        both = share * (seen + hidden)
        for c in range(3):
            stacks[at] += both * planes[red + c, y, x]
            at += plane
        stacks[at] += share * seen
        stacks[at + plane] += share * hidden


@kernel(fastmath=True)
def blur_band(block, taps, band, top, left, tile, spans, corners):
    """Blur one band where `spans` needs it: (5, n, n), the tile at the band's scale with a margin.

    spans: (cells, 2) first and end column, in cells, of every row of cells; outside of them the
    result is not written. The margin, of one pixel, is what enlarging needs; full size has none.
    taps: `bands.Taps`.
    corners: cat's-eye weights at the tile's corners, (taps, 4), empty without one.

    Also returns whether the layer holds hidden light; if not, its last channel is not written.
    """
    lvl, reach = taps.level[band], taps.reach[band]
    margin = 1 if lvl else 0
    size = (tile >> lvl) + 2 * margin
    size_y = size + 2 * reach
    columns = _columns_to_blur(spans, lvl, margin, size)
    first, last, from_x, to_x = _bounds(columns)
    layer = np.empty((CHANNELS, size + 2 * reach, size + 2 * reach), np.float32)
    read = layer[:, first : last + 2 * reach, from_x : to_x + 2 * reach]
    read[:] = np.float32(0.0)
    origin_y, origin_x = (top >> lvl) - margin - reach + first, (left >> lvl) - margin - reach
    if block.offset[band] >= 0:
        _copy_layer(block, band, lvl, origin_y, origin_x + from_x, read)
    else:
        _gather_layer(block, band, lvl, origin_y, origin_x + from_x, read)
    hides = _holds_light(read[CHANNELS - 1])
    channels = CHANNELS if hides else CHANNELS - 1
    own = slice(taps.start[band], taps.start[band + 1])
    dy, dx = taps.dy[own] + reach, taps.dx[own] + reach
    out = np.empty((CHANNELS, size, size), np.float32)
    if taps.nodes_across:
        _convolve_varying(layer, channels, columns, margin, tile >> lvl, dy, dx, corners, out)
        return out, hides
    weight, tap = taps.weight[own, 0], (taps.block[own] * size_y + dy) * layer.shape[2] + dx
    sums = np.empty((taps.tallest[band] + 1, size_y, layer.shape[2]), np.float32)
    for c in range(channels):
        if len(sums) == 1:
            _convolve(layer[c], columns, tap, weight, out[c])
            continue
        own_sums = sums[:, first : last + 2 * reach, from_x : to_x + 2 * reach]
        _sum_blocks(read[c], own_sums)
        _convolve(sums, columns, tap, weight, out[c])
    return out, hides


@kernel(fastmath=True)
def _sum_blocks(plane, sums):
    """sums[k, y] = plane[y] + ... + plane[y + 2^k - 1], where the plane has so many rows."""
    sums[0] = plane
    for k in range(1, len(sums)):
        below = 1 << (k - 1)
        for y in range(plane.shape[0] - 2 * below + 1):
            for x in range(plane.shape[1]):
                sums[k, y, x] = sums[k - 1, y, x] + sums[k - 1, y + below, x]


@kernel()
def _holds_light(plane):
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            if plane[y, x] > 0:
                return True
    return False


@kernel()
def _columns_to_blur(spans, lvl, margin, size):
    """First and end column of every row of a blurred layer that composing `spans` reads."""
    columns = np.zeros((size, 2), np.int64)
    height = len(spans) * CELL_PX
    for y in range(size):
        above = max((y - margin - 1) << lvl, 0) if lvl else y
        below = min(((y - margin + 2) << lvl) - 1 if lvl else y, height - 1)
        first, last = size, 0
        for cell in range(above // CELL_PX, below // CELL_PX + 1):
            if spans[cell, 0] < spans[cell, 1]:
                first, last = min(first, spans[cell, 0]), max(last, spans[cell, 1])
        if first < last:
            columns[y, 0] = (first * CELL_PX) >> lvl
            columns[y, 1] = min(((last * CELL_PX - 1) >> lvl) + 1 + 2 * margin, size)
    return columns


@kernel()
def _bounds(columns):
    """First and end row, first and end column of what `columns` says is to be blurred."""
    first = last = right = 0
    left = len(columns)
    for y in range(len(columns)):
        if columns[y, 0] < columns[y, 1]:
            first = y if last == 0 else first
            last = y + 1
            left, right = min(left, columns[y, 0]), max(right, columns[y, 1])
    return first, last, left, right


@kernel(fastmath=True)
def _copy_layer(block, band, lvl, origin_y, origin_x, layer):
    """Copy a layer, whose corner is at (origin_y, origin_x), from the stack of coarse bands."""
    height, width = block.place1.shape
    rows, columns = height >> lvl, width >> lvl
    offset = block.offset[band]
    for c in range(CHANNELS):
        for y in range(layer.shape[1]):
            at = offset + (c * rows + origin_y + y) * columns + origin_x
            for x in range(layer.shape[2]):
                layer[c, y, x] = block.stacks[at + x]


@kernel(fastmath=True)
def _gather_layer(block, band, lvl, origin_y, origin_x, layer):
    """Gather a layer of level 0 or 1 from the cells in which the band occurs."""
    step = 1 << lvl
    left, width = origin_x * step, layer.shape[2] * step
    scale = np.float32(1.0 / (step * step))
    row = np.empty((CHANNELS, width), np.float32)
    marks = block.marks[band]
    for y in range(layer.shape[1]):
        top = (origin_y + y) * step
        from_x, to_x = _marked_columns(marks[top // CELL_PX], left, width)
        for sub in range(step if from_x < to_x else 0):
            _share_row(block, band, top + sub, left, from_x, to_x, row)
            for c in range(CHANNELS):
                values, out = row[c, from_x:to_x], layer[c, y, from_x >> lvl : to_x >> lvl]
                if lvl == 0:
                    for x in range(len(out)):
                        out[x] = values[x]
                else:
                    for x in range(len(out)):
                        out[x] += scale * (values[2 * x] + values[2 * x + 1])


@kernel()
def _marked_columns(marks, left, width):
    """First and end pixel, counted from `left`, of the marked cells in a row of cells."""
    first, last = left // CELL_PX, (left + width - 1) // CELL_PX
    while first <= last and marks[first] == 0:
        first += 1
    while last > first and marks[last] == 0:
        last -= 1
    return max(first * CELL_PX - left, 0), min((last + 1) * CELL_PX - left, width)


@kernel(fastmath=True)
def _share_row(block, band, y, left, from_x, to_x, row):
    """Write one row of a band's five channels at full size."""
    b, one, zero = np.float32(band), np.float32(1.0), np.float32(0.0)
    part = slice(left + from_x, left + to_x)
    place1, place2 = block.place1[y, part], block.place2[y, part]
    alpha, exists = block.planes[3, y, part], block.planes[7, y, part]
    count = to_x - from_x
    front, back = np.empty(count, np.float32), np.empty(count, np.float32)
    coverage, covered = row[3, from_x:to_x], row[4, from_x:to_x]
    for x in range(count):
        w1 = max(zero, one - abs(place1[x] - b)) * alpha[x]
        w2 = max(zero, one - abs(place2[x] - b))
        seen = w2 * (one - alpha[x])
        behind = min(max(place1[x] - place2[x] - one, zero), one)
        hidden = w2 * alpha[x] * exists[x] * behind
        front[x] = w1
        back[x] = seen + hidden
        coverage[x] = w1 + seen
        covered[x] = hidden
    for c in range(3):
        near, far = block.planes[c, y, part], block.planes[4 + c, y, part]
        out = row[c, from_x:to_x]
        for x in range(count):
            out[x] = front[x] * near[x] + back[x] * far[x]


# Taps are places in one flat array: making slices for them would take as long as the sums. For
# blocks of rows, `plane` is a stack of them: block k of row y is row y of plane k.
@kernel(fastmath=True)
def _convolve(plane, columns, tap, weight, out):
    """out[y, x] = sum of weight * plane[place of (y, x) + tap], taps outermost over a row."""
    taps = len(tap)
    quads = taps // 4 * 4
    flat, width = plane.reshape(-1), plane.shape[-1]
    for y in range(len(columns)):
        a, b = columns[y, 0], columns[y, 1]
        size = np.uint64(b - a)
        row = out[y, a:b]
        row[:] = np.float32(0.0)
        corner = y * width + a
        for t in range(0, quads, 4):
            w0, w1, w2, w3 = weight[t], weight[t + 1], weight[t + 2], weight[t + 3]
            s0, s1 = np.uint64(corner + tap[t]), np.uint64(corner + tap[t + 1])
            s2, s3 = np.uint64(corner + tap[t + 2]), np.uint64(corner + tap[t + 3])
            for x in range(size):
                near = w0 * flat[s0 + x] + w1 * flat[s1 + x]
                row[x] += near + w2 * flat[s2 + x] + w3 * flat[s3 + x]
        for t in range(quads, taps):
            w0, s0 = weight[t], np.uint64(corner + tap[t])
            for x in range(size):
                row[x] += w0 * flat[s0 + x]


@kernel(fastmath=True)
def _convolve_varying(layer, channels, columns, margin, inner, dy, dx, corners, out):
    """Like `_convolve`, with weights bilinear between the tile's four corners (cat's eye)."""
    for y in range(len(columns)):
        a, b = columns[y, 0], columns[y, 1]
        fy = np.float32(min(max((y - margin + 0.5) / inner, 0.0), 1.0))
        for c in range(channels):
            row = out[c, y, a:b]
            row[:] = np.float32(0.0)
            for t in range(len(dy)):
                w_left = corners[t, 0] + (corners[t, 2] - corners[t, 0]) * fy
                w_right = corners[t, 1] + (corners[t, 3] - corners[t, 1]) * fy
                slope = (w_right - w_left) / np.float32(inner)
                base = w_left + slope * np.float32(a + 0.5 - margin)
                s0 = layer[c, y + dy[t], a + dx[t] : b + dx[t]]
                for x in range(b - a):
                    row[x] += max(base + slope * np.float32(x), np.float32(0.0)) * s0[x]
