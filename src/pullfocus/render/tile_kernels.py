"""Compiled loops of `fast`: gather bands into tiles, blur them, compose them front to back.

Every array here is float32 and planar. A band's layer has five channels: premultiplied red, green
and blue of visible and hidden surface together, visible coverage, hidden coverage. Taps run
outermost over rows that stay in the first-level cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

CHANNELS = 5
GAP = 1e-3
SHARP_RUNGS = 2


@njit(cache=True, nogil=True, fastmath=True, inline="always")
def _share(place, band):
    distance = abs(place - band)
    return 1.0 - distance if distance < 1.0 else 0.0


@njit(cache=True, nogil=True, fastmath=True)
def _gather_band(planes, place1, place2, band, level, top, left, rows, columns, layer):
    """Fill layer[:, :rows, :columns] with one band, averaged over 2^level squares."""
    step = 1 << level
    scale = np.float32(1.0 / (step * step))
    b = np.float32(band)
    one = np.float32(1.0)
    zero = np.float32(0.0)
    for y in range(rows):
        for c in range(CHANNELS):
            for x in range(columns):
                layer[c, y, x] = zero
        for sub_y in range(step):
            sy = top + y * step + sub_y
            for sub_x in range(step):
                sx0 = left + sub_x
                for x in range(columns):
                    sx = sx0 + x * step
                    w1 = max(zero, one - abs(place1[sy, sx] - b))
                    w2 = max(zero, one - abs(place2[sy, sx] - b))
                    a = planes[3, sy, sx]
                    front = w1 * a * scale
                    seen = w2 * (one - a) * scale
                    behind = min(max(place1[sy, sx] - place2[sy, sx] - one, zero), one)
                    hidden = w2 * a * planes[7, sy, sx] * behind * scale
                    back = seen + hidden
                    layer[0, y, x] += front * planes[0, sy, sx] + back * planes[4, sy, sx]
                    layer[1, y, x] += front * planes[1, sy, sx] + back * planes[5, sy, sx]
                    layer[2, y, x] += front * planes[2, sy, sx] + back * planes[6, sy, sx]
                    layer[3, y, x] += front + seen
                    layer[4, y, x] += hidden


@njit(cache=True, nogil=True, fastmath=True)
def _convolve_rows(layer, top, left, rows, size, dy, dx, weight, out):
    """out[c, y, x] = sum of weight * layer[c, top + y + dy, left + x + dx]."""
    taps = len(dy)
    quads = taps // 4 * 4
    for y in range(rows):
        for c in range(CHANNELS):
            row = out[c, y]
            for x in range(size):
                row[x] = np.float32(0.0)
            for t in range(0, quads, 4):
                w0, w1, w2, w3 = weight[t], weight[t + 1], weight[t + 2], weight[t + 3]
                s0 = layer[c, top + y + dy[t], left + dx[t] : left + dx[t] + size]
                s1 = layer[c, top + y + dy[t + 1], left + dx[t + 1] : left + dx[t + 1] + size]
                s2 = layer[c, top + y + dy[t + 2], left + dx[t + 2] : left + dx[t + 2] + size]
                s3 = layer[c, top + y + dy[t + 3], left + dx[t + 3] : left + dx[t + 3] + size]
                for x in range(size):
                    row[x] += w0 * s0[x] + w1 * s1[x] + w2 * s2[x] + w3 * s3[x]
            for t in range(quads, taps):
                w0 = weight[t]
                s0 = layer[c, top + y + dy[t], left + dx[t] : left + dx[t] + size]
                for x in range(size):
                    row[x] += w0 * s0[x]


@njit(cache=True, nogil=True, fastmath=True)
def _convolve_varying(layer, top, left, size, margin, inner, dy, dx, corners, out):
    """Like `_convolve_rows`, with weights bilinear between the tile's four corners (cat's eye)."""
    for y in range(size):
        fy = np.float32(min(max((y - margin + 0.5) / inner, 0.0), 1.0))
        for c in range(CHANNELS):
            row = out[c, y]
            for x in range(size):
                row[x] = np.float32(0.0)
            for t in range(len(dy)):
                w_left = corners[t, 0] + (corners[t, 2] - corners[t, 0]) * fy
                w_right = corners[t, 1] + (corners[t, 3] - corners[t, 1]) * fy
                slope = (w_right - w_left) / np.float32(inner)
                base = w_left + slope * np.float32(0.5 - margin)
                s0 = layer[c, top + y + dy[t], left + dx[t] : left + dx[t] + size]
                for x in range(size):
                    row[x] += max(base + slope * np.float32(x), np.float32(0.0)) * s0[x]


@njit(cache=True, nogil=True, fastmath=True)
def _compose(blurred, level, margin, tile, closes, state):
    """Add one blurred band behind what `state` holds; see `render_tiles` for its channels.

    Neighbouring bands that a pixel sees without a gap are one surface: their light is averaged
    by coverage. A surface may take no more of the pixel's light than nearer ones left over.
    `closes` ends the surface before this band.
    """
    scale = np.float32(1.0 / (1 << level))
    one, zero = np.float32(1.0), np.float32(0.0)
    columns = np.empty(tile, np.int64)
    weights = np.empty(tile, np.float32)
    for x in range(tile):
        fx = (np.float32(x) + np.float32(0.5)) * scale - np.float32(0.5) + np.float32(margin)
        columns[x] = int(fx)
        weights[x] = fx - np.float32(columns[x])
    line = np.empty(blurred.shape[2], np.float32)
    band = np.empty((CHANNELS, tile), np.float32)
    for y in range(tile):
        if level == 0:
            for c in range(CHANNELS):
                for x in range(tile):
                    band[c, x] = blurred[c, y, x]
        else:
            fy = (np.float32(y) + np.float32(0.5)) * scale - np.float32(0.5) + np.float32(margin)
            y0 = int(fy)
            wy = fy - np.float32(y0)
            for c in range(CHANNELS):
                for x in range(blurred.shape[2]):
                    line[x] = blurred[c, y0, x] * (one - wy) + blurred[c, y0 + 1, x] * wy
                for x in range(tile):
                    k = columns[x]
                    band[c, x] = line[k] + (line[k + 1] - line[k]) * weights[x]
        # Two loops: with more arrays in one, LLVM gives up proving them apart and vectorising.
        for x in range(tile):
            seen, hidden = band[3, x], band[4, x]
            ends = one if closes or seen < np.float32(GAP) else zero
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
        for x in range(tile):
            seen, hidden = band[3, x], band[4, x]
            filled = min(one - state[12, y, x], hidden)
            state[12, y, x] = min(state[12, y, x] + seen + hidden, one)
            share = filled / max(seen + hidden, np.float32(1e-6))
            state[4, y, x] += share * band[0, x]
            state[5, y, x] += share * band[1, x]
            state[6, y, x] += share * band[2, x]
            state[7, y, x] += filled


@njit(cache=True, nogil=True, fastmath=True)
def _is_opaque(state):
    """Whether the surfaces so far take all the light of every pixel of the tile."""
    for y in range(state.shape[1]):
        most = np.float32(0.0)
        for x in range(state.shape[2]):
            most = max(most, state[3, y, x] - state[11, y, x])
        if most > np.float32(1e-4):
            return False
    return True


@njit(cache=True, nogil=True, fastmath=True)
def _finish_tile(state, out, top, left, rows, columns):
    """Give light that no visible surface took to the hidden one, or share it out if none is."""
    for y in range(rows):
        for x in range(columns):
            coverage = state[11, y, x]
            taken = min(state[3, y, x], coverage)
            for c in range(3):
                state[c, y, x] += taken / max(coverage, np.float32(1e-6)) * state[8 + c, y, x]
            left_over = state[3, y, x] - taken
            if state[7, y, x] > np.float32(1e-4):
                fill = left_over / state[7, y, x]
                for c in range(3):
                    out[top + y, left + x, c] = state[c, y, x] + fill * state[4 + c, y, x]
            else:
                gain = np.float32(1.0) / max(np.float32(1.0) - left_over, np.float32(1e-4))
                for c in range(3):
                    out[top + y, left + x, c] = gain * state[c, y, x]


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def place_on_ladder(disparity, gain, near, far, low, high, ladder, steps):
    """Map disparity to its place on the ladder of radii, counted from rung `low`."""
    height, width = disparity.shape
    out = np.empty((height, width), np.float32)
    zero = np.float32(0.0)
    last = np.float32(len(ladder) - 1.001)
    for y in prange(height):
        for x in range(width):
            d = disparity[y, x]
            radius = gain * (max(d - near, zero) + min(d - far, zero))
            at = min(abs(radius) * steps, last)
            k = int(at)
            place = ladder[k] + (ladder[k + 1] - ladder[k]) * (at - np.float32(k))
            place = (place if radius >= zero else -place) - low
            out[y, x] = min(max(place, zero), high - low)
    return out


@njit(cache=True, nogil=True, parallel=True)
def mark_bands(planes, place1, place2, block, bands):
    """Mark, for every block x block square, the bands that occur in it: uint8 (by, bx, bands)."""
    rows, columns = place1.shape[0] // block, place1.shape[1] // block
    marks = np.zeros((rows, columns, bands), np.uint8)
    for by in prange(rows):
        for y in range(by * block, (by + 1) * block):
            for x in range(columns * block):
                bx = x // block
                a = planes[3, y, x]
                if a > 0:
                    j = int(place1[y, x])
                    marks[by, bx, j] = 1
                    if place1[y, x] > j:
                        marks[by, bx, j + 1] = 1
                if a < 1 or (planes[7, y, x] > 0 and place1[y, x] - place2[y, x] > 1):
                    j = int(place2[y, x])
                    marks[by, bx, j] = 1
                    if place2[y, x] > j:
                        marks[by, bx, j + 1] = 1
    return marks


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def stack_coarse_bands(planes, place1, place2, level, offset, align, stacks):
    """Sum all bands of level >= 2 at their own reduced size into one flat buffer.

    offset[b] is where band b's (5, rows >> level, columns >> level) layer starts, -1 if none.
    """
    height, width = place1.shape
    for part in prange(height // align):
        for y in range(part * align, (part + 1) * align):
            for x in range(width):
                a = planes[3, y, x]
                behind = min(max(place1[y, x] - place2[y, x] - 1.0, 0.0), 1.0)
                for surface in range(2):
                    if surface == 0:
                        place, seen, hidden = place1[y, x], a, np.float32(0.0)
                    else:
                        place = place2[y, x]
                        seen = np.float32(1.0) - a
                        hidden = a * planes[7, y, x] * np.float32(behind)
                    if seen + hidden <= 0:
                        continue
                    first = int(place)
                    for b in range(first, first + 2):
                        share = _share(place, b)
                        if share <= 0 or offset[b] < 0:
                            continue
                        lvl = level[b]
                        rows, columns = height >> lvl, width >> lvl
                        plane = rows * columns
                        at = offset[b] + (y >> lvl) * columns + (x >> lvl)
                        share *= np.float32(1.0) / np.float32(1 << (2 * lvl))
                        both = share * (seen + hidden)
                        c = 4 * surface
                        stacks[at] += both * planes[c, y, x]
                        stacks[at + plane] += both * planes[c + 1, y, x]
                        stacks[at + 2 * plane] += both * planes[c + 2, y, x]
                        stacks[at + 3 * plane] += share * seen
                        stacks[at + 4 * plane] += share * hidden


@njit(cache=True, nogil=True)
def _occurs(marks, band, block, top, left, bottom, right):
    for by in range(max(top // block, 0), min((bottom - 1) // block + 1, marks.shape[0])):
        for bx in range(max(left // block, 0), min((right - 1) // block + 1, marks.shape[1])):
            if marks[by, bx, band]:
                return True
    return False


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def render_tiles(
    planes, place1, place2, marks, block, stacks, offset,
    level, reach, start, dy, dx, weight, nodes_across,
    pad, tile, sharp_band, first_row, first_column, out,
):  # fmt: skip
    """Render every tile of a block into out[first_row:, first_column:], bands from near to far.

    planes: (8, H, W) block with `pad` mirrored pixels on each side. nodes_across: columns of the
    grid of cat's-eye kernels in `weight`, 0 when one kernel serves the whole picture.
    sharp_band: the band of radius 0. A tile's state: light of closed surfaces (3), light left over,
    light and coverage of hidden surfaces (3 + 1), those of the surface being collected (3 + 1),
    coverage of all so far, seen or hidden.
    """
    height = min(planes.shape[1] - 2 * pad, out.shape[0] - first_row)
    width = min(planes.shape[2] - 2 * pad, out.shape[1] - first_column)
    across = (width + tile - 1) // tile
    down = (height + tile - 1) // tile
    bands = len(level)
    for index in prange(across * down):
        ty, tx = index // across, index % across
        top, left = ty * tile + pad, tx * tile + pad
        state = np.zeros((13, tile, tile), np.float32)
        previous = bands
        state[3] = 1.0
        for band in range(bands - 1, -1, -1):
            lvl = level[band]
            margin = 1 if lvl else 0
            halo = (reach[band] + margin) << lvl
            if not _occurs(
                marks, band, block, top - halo, left - halo, top + tile + halo, left + tile + halo
            ):
                continue
            rung = band - sharp_band
            closes = previous != band + 1 or -SHARP_RUNGS <= rung <= SHARP_RUNGS
            if closes and previous < bands and _is_opaque(state):
                break
            previous = band
            inner = tile >> lvl
            size = inner + 2 * margin
            first, last = start[band], start[band + 1]
            if offset[band] >= 0:
                rows, columns = planes.shape[1] >> lvl, planes.shape[2] >> lvl
                flat = stacks[offset[band] : offset[band] + CHANNELS * rows * columns]
                layer = flat.reshape((CHANNELS, rows, columns))
                at_y, at_x = (top >> lvl) - margin, (left >> lvl) - margin
            else:
                span = size + 2 * reach[band]
                layer = np.empty((CHANNELS, span, span), np.float32)
                _gather_band(
                    planes, place1, place2, band, lvl, top - halo, left - halo, span, span, layer
                )
                at_y = at_x = reach[band]
            if last - first == 1 and lvl == 0 and nodes_across == 0:
                _compose(
                    layer[:, at_y : at_y + size, at_x : at_x + size], 0, 0, tile, closes, state
                )
                continue
            blurred = np.empty((CHANNELS, size, size), np.float32)
            if nodes_across == 0:
                _convolve_rows(
                    layer, at_y, at_x, size, size, dy[first:last], dx[first:last],
                    weight[first:last, 0], blurred,
                )  # fmt: skip
            else:
                gy, gx = first_row // tile + ty, first_column // tile + tx
                corners = np.empty((last - first, 4), np.float32)
                for t in range(last - first):
                    for node in range(4):
                        column = (gy + node // 2) * nodes_across + gx + node % 2
                        corners[t, node] = weight[first + t, column]
                _convolve_varying(
                    layer, at_y, at_x, size, margin, inner, dy[first:last], dx[first:last],
                    corners, blurred,
                )  # fmt: skip
            _compose(blurred, lvl, margin, tile, closes, state)
        _finish_tile(
            state, out, first_row + ty * tile, first_column + tx * tile,
            min(tile, height - ty * tile), min(tile, width - tx * tile),
        )  # fmt: skip
