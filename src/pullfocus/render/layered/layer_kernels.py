"""Compiled loops of `layers`: far-keeping pyramid, both surfaces of every pixel, edge alpha.

Each works on rows first:end of what it writes, so that `cores.in_bands` can share them out.
"""

from __future__ import annotations

import numpy as np

from pullfocus.kernels import kernel

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
EXTREME = np.float32(2.0)
ON_EDGE = np.float32(0.02)  # what a pixel that touches the edge counts for
PURE = np.float32(0.05)  # coverage from which on a pixel belongs to one side only
DOUBT_PER_SPREAD = np.float32(3.0)  # variance of a channel (1/3) over that of coverage (1/9)
LEAST_DOUBT = np.float32(1e-3)
CLIPPING_FROM = np.float32(0.96)  # least channel from which on the gain sets in, whole at white
AROUND = 25  # pixels in the window around one on an edge
NEARNESS = np.exp(-(np.add.outer(np.arange(-2, 3) ** 2, np.arange(-2, 3) ** 2) / 4.0))
NEARNESS = NEARNESS.ravel().astype(np.float32)


@kernel(fastmath=True)
def halve_keeping_far(first, end, linear, disparity, step, far, nearest):
    """Halve a picture, weighting the far side of each 2 x 2 square.

    far: (4, h/2, w/2) red, green, blue, disparity of the far side; nearest: the nearest disparity.
    """
    h, w = disparity.shape
    for y in range(first, end):
        for x in range(nearest.shape[1]):
            low = np.float32(np.inf)
            high = np.float32(-np.inf)
            for k in range(4):
                d = disparity[min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)]
                low, high = min(low, d), max(high, d)
            red = green = blue = depth = total = np.float32(0.0)
            for k in range(4):
                sy, sx = min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)
                d = disparity[sy, sx]
                weight = np.exp((low - d) / step)
                weight /= ONE + max(  # float files hold light below zero
                    ZERO, linear[sy, sx, 0], linear[sy, sx, 1], linear[sy, sx, 2]
                )
                red += weight * linear[sy, sx, 0]
                green += weight * linear[sy, sx, 1]
                blue += weight * linear[sy, sx, 2]
                depth += weight * d
                total += weight
            far[0, y, x] = red / total
            far[1, y, x] = green / total
            far[2, y, x] = blue / total
            far[3, y, x] = depth / total
            nearest[y, x] = high


@kernel(fastmath=True)
def shrink_keeping_far(first, end, level, step, out):
    """Halve a (4, h, w) level again in the same way."""
    _, h, w = level.shape
    for y in range(first, end):
        for x in range(out.shape[2]):
            low = np.float32(np.inf)
            for k in range(4):
                low = min(low, level[3, min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)])
            total = np.float32(0.0)
            for c in range(4):
                out[c, y, x] = 0.0
            for k in range(4):
                sy, sx = min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)
                weight = np.exp((low - level[3, sy, sx]) / step)
                weight /= ONE + max(ZERO, level[0, sy, sx], level[1, sy, sx], level[2, sy, sx])
                total += weight
                for c in range(4):
                    out[c, y, x] += weight * level[c, sy, sx]
            for c in range(4):
                out[c, y, x] /= total


@kernel()
def shrink_keeping_near(first, end, nearest, out):
    """Halve a picture of disparity, keeping the nearest of each 2 x 2 square."""
    h, w = nearest.shape
    for y in range(first, end):
        for x in range(out.shape[1]):
            top, left = 2 * y, 2 * x
            below, right = min(top + 1, h - 1), min(left + 1, w - 1)
            out[y, x] = max(
                nearest[top, left], nearest[top, right], nearest[below, left], nearest[below, right]
            )


@kernel(fastmath=False)
def take_farther(first, end, nearest, near_edge, level, climb, step, found):
    """Where nothing farther was found yet, take it from this level if it holds something."""
    _, hl, wl = level.shape
    scale = np.float32(1.0 / (1 << climb))
    for y in range(first, end):
        fy = (y + np.float32(0.5)) * scale - np.float32(0.5)
        y0 = int(np.floor(fy))
        wy = fy - y0
        for x in range(found.shape[2]):
            if near_edge[y, x] == 0 or found[3, y, x] < np.float32(np.inf):
                continue
            limit = nearest[y, x] - step
            fx = (x + np.float32(0.5)) * scale - np.float32(0.5)
            x0 = int(np.floor(fx))
            wx = fx - x0
            red = green = blue = depth = total = np.float32(0.0)
            for k in range(4):
                sy = min(max(y0 + k // 2, 0), hl - 1)
                sx = min(max(x0 + k % 2, 0), wl - 1)
                if level[3, sy, sx] >= limit:
                    continue
                weight = (wy if k // 2 else 1 - wy) * (wx if k % 2 else 1 - wx)
                weight += np.float32(1e-3)
                red += weight * level[0, sy, sx]
                green += weight * level[1, sy, sx]
                blue += weight * level[2, sy, sx]
                depth += weight * level[3, sy, sx]
                total += weight
            if total > np.float32(0.2):
                found[0, y, x] = red / total
                found[1, y, x] = green / total
                found[2, y, x] = blue / total
                found[3, y, x] = depth / total


@kernel()
def clipped_share(first, end, linear, limit, cell_x, part_x, share, mean, peaks):
    """Share of clipped pixels and mean brightest channel of every cell; the rows' peaks.

    The rows x columns cells of `share` divide the picture evenly: a pixel on the line between two
    counts for both. cell_x: the cell in which each pixel column begins; part_x: how much of it is
    there, the rest in the next one.
    """
    h, w, _ = linear.shape
    rows, columns = share.shape
    one = np.float32(rows * columns / (h * w))
    for row in range(first, end):
        peak = ZERO
        for y in range(row * h // rows, ((row + 1) * h - 1) // rows + 1):
            inside = min((y + 1) * rows, (row + 1) * h) - max(y * rows, row * h)
            per_row = one * np.float32(inside / rows)
            for x in range(w):
                brightest = max(linear[y, x, 0], linear[y, x, 1], linear[y, x, 2])
                peak = max(peak, brightest)
                own = per_row * part_x[x]
                cell, after = cell_x[x], min(cell_x[x] + 1, columns - 1)
                mean[row, cell] += own * brightest
                mean[row, after] += (per_row - own) * brightest
                if brightest >= limit:
                    share[row, cell] += own
                    share[row, after] += per_row - own
        peaks[row] = peak


@kernel()
def take_pixels(first, end, picture, index_y, index_x, out):
    """picture[index_y][:, index_x], a row at a time."""
    for y in range(first, end):
        row = picture[index_y[y]]
        for x in range(len(index_x)):
            out[y, x] = row[index_x[x]]


@kernel()
def fill_planes(
    first, end, linear, hidden, shift, gain, has_gain, cell_y, cell_x, index_y, index_x, front,
    step, planes, back,
):  # fmt: skip
    """Write both surfaces of every pixel: its own colour in front, the hidden one behind.

    gain: of clipped light, on cells; cell_y, cell_x: where a row and a column lie among them.
    """
    for y in range(first, end):
        sy = index_y[y]
        for x in range(front.shape[1]):
            sx = index_x[x]
            red, green, blue = linear[sy, sx, 0], linear[sy, sx, 1], linear[sy, sx, 2]
            if has_gain:
                share = (min(red, green, blue) - CLIPPING_FROM) / (ONE - CLIPPING_FROM)
                if share > ZERO:
                    lift = ONE + (between_cells(gain, cell_y[y], cell_x[x]) - ONE) * min(share, ONE)
                    red, green, blue = lift * red, lift * green, lift * blue
            planes[0, y, x] = red
            planes[1, y, x] = green
            planes[2, y, x] = blue
            planes[3, y, x] = 1.0
            hy, hx = sy >> shift, sx >> shift
            d = hidden[3, hy, hx]
            if d < front[y, x] - step:
                planes[4, y, x] = hidden[0, hy, hx]
                planes[5, y, x] = hidden[1, hy, hx]
                planes[6, y, x] = hidden[2, hy, hx]
                planes[7, y, x] = 1.0
                back[y, x] = d
            else:
                planes[4, y, x] = red
                planes[5, y, x] = green
                planes[6, y, x] = blue
                planes[7, y, x] = 0.0
                back[y, x] = front[y, x]


@kernel(inline="always")
def between_cells(cells, y, x):
    """Read a map at a place >= 0 between its cells, bilinear."""
    top, left = int(y), int(x)
    below, right = min(top + 1, cells.shape[0] - 1), min(left + 1, cells.shape[1] - 1)
    dy, dx = y - np.float32(top), x - np.float32(left)
    upper = cells[top, left] + (cells[top, right] - cells[top, left]) * dx
    lower = cells[below, left] + (cells[below, right] - cells[below, left]) * dx
    return upper + (lower - upper) * dy


@kernel()
def matte_edges(
    first, end, linear, index_y, index_x, low, high, step, front, planes, front_out, back
):
    """Split the pixels on depth edges into a front of colour F and coverage alpha, and a back B.

    F and B begin as means of the near and the far pixels of the 5 x 5 window, preferring those
    that do not touch the edge; alpha is where the pixel I lies between them, the less believed the
    more either side varies, and never beyond one half: depth tells what fills most of the pixel.
    Then both take their part of what is missing, so that alpha F + (1 - alpha) B = I: texture
    stays, and an edge in focus stays as it is in the file.
    """
    height, width = front.shape
    window = np.empty((AROUND, 5), np.float32)
    side_of, touching = np.empty(AROUND, np.int64), np.empty(AROUND, np.bool_)
    sides = np.empty((2, 5), np.float32)
    for y in range(max(first, 2), min(end, height - 2)):
        for x in range(2, width - 2):
            if high[y, x] - low[y, x] <= step:
                continue
            middle = (low[y, x] + high[y, x]) * HALF
            at = 0
            for qy in range(y - 2, y + 3):
                for qx in range(x - 2, x + 3):
                    pixel = linear[index_y[qy], index_x[qx]]
                    window[at, 0], window[at, 1], window[at, 2] = pixel[0], pixel[1], pixel[2]
                    window[at, 3] = front[qy, qx]
                    brightest = max(pixel[0], pixel[1], pixel[2])
                    window[at, 4] = NEARNESS[at] / (ONE + max(brightest, ZERO))
                    side_of[at] = 1 if front[qy, qx] > middle else 0
                    touching[at] = high[qy, qx] - low[qy, qx] > step
                    at += 1
            _side_means(window, side_of, touching, sides)
            is_near = side_of[AROUND // 2] == 1
            alpha = _coverage(window[AROUND // 2], sides, is_near)
            if min(alpha, ONE - alpha) < PURE:
                continue
            _split(planes[:, y, x], sides, alpha)
            if is_near:
                back[y, x] = sides[0, 3]
            else:
                back[y, x] = front[y, x]
                front_out[y, x] = sides[1, 3]


@kernel()
def _split(planes, sides, alpha):
    """Make of a pixel's colour a front of coverage alpha and a back; planes: its eight values."""
    per_square = ONE / (alpha * alpha + (ONE - alpha) * (ONE - alpha))
    for c in range(3):
        far, near = sides[0, c], sides[1, c]
        missing = (planes[c] - alpha * near - (ONE - alpha) * far) * per_square
        planes[c] = max(near + alpha * missing, ZERO)
        planes[4 + c] = max(far + (ONE - alpha) * missing, ZERO)
    planes[3], planes[7] = alpha, ONE


@kernel(fastmath=True)
def _coverage(pixel, sides, is_near):
    """The near side's share of a pixel: least squares, drawn to its own side where in doubt."""
    contrast = along = ZERO
    for c in range(3):
        delta = sides[1, c] - sides[0, c]
        contrast += delta * delta
        along += (pixel[c] - sides[0, c]) * delta
    doubt = DOUBT_PER_SPREAD * (sides[0, 4] + sides[1, 4]) + LEAST_DOUBT
    if is_near:
        return min(max((along + doubt) / (contrast + doubt), HALF), ONE)
    return min(max(along / (contrast + doubt), ZERO), HALF)


@kernel(fastmath=True)
def _side_means(window, side_of, touching, sides):
    """Describe the far (0) and the near (1) pixels around an edge pixel.

    window: (25, 5) red, green, blue, disparity, and how much each pixel counts. touching: whether
    it touches the edge. sides: (2, 5) mean colour (3), mean disparity, spread of the colour.
    Pixels that do not touch the edge count most. Where there are none (hair, grass), the first
    means only give a direction, and the pixels farthest along it stand for their side.
    """
    weights, along = np.empty(AROUND, np.float32), np.empty(AROUND, np.float32)
    for at in range(AROUND):
        weights[at] = window[at, 4] * (ON_EDGE if touching[at] else ONE)
    _weighted_means(window, side_of, weights, sides)
    lowest, highest = np.float32(1e30), np.float32(-1e30)
    for at in range(AROUND):
        along[at] = ZERO
        for c in range(3):
            along[at] += (sides[1, c] - sides[0, c]) * window[at, c]
        if side_of[at]:
            highest = max(highest, along[at])
        else:
            lowest = min(lowest, along[at])
    per_way = EXTREME / max(highest - lowest, np.float32(1e-9))
    for at in range(AROUND):
        if touching[at]:
            miss = abs((highest if side_of[at] else lowest) - along[at])
            weights[at] *= np.exp(-per_way * miss)
    _weighted_means(window, side_of, weights, sides)


@kernel(fastmath=True)
def _weighted_means(window, side_of, weights, sides):
    """Average each side's pixels; disparity counts by nearness alone."""
    sides[:] = ZERO
    total = np.zeros((2, 2), np.float32)
    for at in range(AROUND):
        side, weight = side_of[at], weights[at]
        for c in range(3):
            value = weight * window[at, c]
            sides[side, c] += value
            sides[side, 4] += value * window[at, c]
        sides[side, 3] += window[at, 4] * window[at, 3]
        total[side, 0] += weight
        total[side, 1] += window[at, 4]
    for side in range(2):
        sides[side, 3] /= total[side, 1]
        sides[side, 4] /= total[side, 0]
        for c in range(3):
            sides[side, c] /= total[side, 0]
            sides[side, 4] -= sides[side, c] * sides[side, c]
        sides[side, 4] = max(sides[side, 4], ZERO)
