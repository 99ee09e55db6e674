"""Compiled loops of `layers`: far-keeping pyramid, both surfaces of every pixel, edge alpha."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

EXTREME = 2.0


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def halve_keeping_far(linear, disparity, step):
    """Halve a picture, weighting the far side of each 2 x 2 square.

    Returns (4, h/2, w/2) red, green, blue, disparity of the far side, and the nearest disparity.
    """
    h, w = disparity.shape
    hh, wh = (h + 1) // 2, (w + 1) // 2
    far = np.empty((4, hh, wh), np.float32)
    nearest = np.empty((hh, wh), np.float32)
    for y in prange(hh):
        for x in range(wh):
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
                weight /= np.float32(1.0) + max(
                    linear[sy, sx, 0], linear[sy, sx, 1], linear[sy, sx, 2]
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
    return far, nearest


@njit(cache=True, nogil=True, parallel=True, fastmath=True)
def shrink_keeping_far(level, step):
    """Halve a (4, h, w) level again in the same way."""
    _, h, w = level.shape
    hh, wh = (h + 1) // 2, (w + 1) // 2
    out = np.empty((4, hh, wh), np.float32)
    for y in prange(hh):
        for x in range(wh):
            low = np.float32(np.inf)
            for k in range(4):
                low = min(low, level[3, min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)])
            total = np.float32(0.0)
            for c in range(4):
                out[c, y, x] = 0.0
            for k in range(4):
                sy, sx = min(2 * y + k // 2, h - 1), min(2 * x + k % 2, w - 1)
                weight = np.exp((low - level[3, sy, sx]) / step)
                weight /= np.float32(1.0) + max(
                    level[0, sy, sx], level[1, sy, sx], level[2, sy, sx]
                )
                total += weight
                for c in range(4):
                    out[c, y, x] += weight * level[c, sy, sx]
            for c in range(4):
                out[c, y, x] /= total
    return out


@njit(cache=True, nogil=True, parallel=True)
def shrink_keeping_near(nearest):
    """Halve a picture of disparity, keeping the nearest of each 2 x 2 square."""
    h, w = nearest.shape
    out = np.empty(((h + 1) // 2, (w + 1) // 2), np.float32)
    for y in prange(out.shape[0]):
        for x in range(out.shape[1]):
            top, left = 2 * y, 2 * x
            below, right = min(top + 1, h - 1), min(left + 1, w - 1)
            out[y, x] = max(
                nearest[top, left], nearest[top, right], nearest[below, left], nearest[below, right]
            )
    return out


@njit(cache=True, nogil=True, parallel=True, fastmath=False)
def take_farther(found, nearest, near_edge, level, climb, step):
    """Where nothing farther was found yet, take it from this level if it holds something."""
    _, h, w = found.shape
    _, hl, wl = level.shape
    scale = np.float32(1.0 / (1 << climb))
    for y in prange(h):
        fy = (y + np.float32(0.5)) * scale - np.float32(0.5)
        y0 = int(np.floor(fy))
        wy = fy - y0
        for x in range(w):
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


@njit(cache=True, nogil=True, parallel=True)
def clipped_share(linear, cell, limit):
    """Share of clipped pixels and mean brightest channel of every square; the largest value."""
    h, w, _ = linear.shape
    rows, columns = (h + cell - 1) // cell, (w + cell - 1) // cell
    share = np.zeros((rows, columns), np.float32)
    mean = np.zeros((rows, columns), np.float32)
    peaks = np.zeros(rows, np.float32)
    one = np.float32(1.0 / (cell * cell))
    for row in prange(rows):
        peak = np.float32(0.0)
        for y in range(row * cell, min((row + 1) * cell, h)):
            for x in range(w):
                brightest = max(linear[y, x, 0], linear[y, x, 1], linear[y, x, 2])
                peak = max(peak, brightest)
                mean[row, x // cell] += one * brightest
                if brightest >= limit:
                    share[row, x // cell] += one
        peaks[row] = peak
    return share, mean, peaks.max()


@njit(cache=True, nogil=True, parallel=True)
def take_pixels(picture, index_y, index_x):
    """picture[index_y][:, index_x], a row at a time."""
    out = np.empty((len(index_y), len(index_x)), np.float32)
    for y in prange(len(index_y)):
        row = picture[index_y[y]]
        for x in range(len(index_x)):
            out[y, x] = row[index_x[x]]
    return out


@njit(cache=True, nogil=True, parallel=True)
def fill_planes(linear, hidden, shift, gain, has_gain, index_y, index_x, front, step, planes, back):
    """Write both surfaces of every pixel: its own colour in front, the hidden one behind."""
    height, width = front.shape
    for y in prange(height):
        sy = index_y[y]
        for x in range(width):
            sx = index_x[x]
            red, green, blue = linear[sy, sx, 0], linear[sy, sx, 1], linear[sy, sx, 2]
            if has_gain:
                light = gain[sy >> 3, sx >> 3]
                red, green, blue = _lift(red, light), _lift(green, light), _lift(blue, light)
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


@njit(cache=True, nogil=True, inline="always")
def _lift(value, gain):
    """Multiply a clipped value: a ramp from 1 below 0.96 of white to the full gain at white."""
    share = (value - np.float32(0.96)) * np.float32(25.0)
    share = min(max(share, np.float32(0.0)), np.float32(1.0))
    return value * (np.float32(1.0) + (gain - np.float32(1.0)) * share)


@njit(cache=True, nogil=True, parallel=True)
def matte_edges(linear, index_y, index_x, low, high, step, front, planes, front_out, back):
    """Split the pixels on depth edges into a front of colour F and coverage alpha, and a back B.

    F and B are means of the near and the far pixels of the 5 x 5 window, preferring those that do
    not touch the edge; alpha = clip((I - B).(F - B) / |F - B|^2), which needs F and B to differ.
    """
    height, width = front.shape
    for y in prange(2, height - 2):
        near_sum = np.empty(4, np.float64)
        far_sum = np.empty(4, np.float64)
        for x in range(2, width - 2):
            if high[y, x] - low[y, x] <= step:
                continue
            middle = (low[y, x] + high[y, x]) / 2
            _side_means(
                linear, index_y, index_x, front, low, high, step, y, x, middle, near_sum, far_sum
            )
            sy, sx = index_y[y], index_x[x]
            contrast = along = 0.0
            for c in range(3):
                delta = near_sum[c] - far_sum[c]
                contrast += delta * delta
                along += (linear[sy, sx, c] - far_sum[c]) * delta
            is_near = front[y, x] > middle
            trust = min(max(contrast / 0.003 - 0.3, 0.0), 1.0)
            alpha = min(max(along / max(contrast, 1e-8), 0.0), 1.0) * trust
            alpha += (1.0 - trust) * (1.0 if is_near else 0.0)
            if alpha > 0.95:
                alpha = 1.0
            elif alpha < 0.05:
                alpha = 0.0
            for c in range(3):
                own = planes[c, y, x]
                planes[c, y, x] = own if alpha == 1.0 else near_sum[c]
                planes[4 + c, y, x] = own if alpha == 0.0 else far_sum[c]
            planes[3, y, x] = alpha
            planes[7, y, x] = 1.0
            if is_near:
                back[y, x] = far_sum[3]
            else:
                back[y, x] = front[y, x]
                front_out[y, x] = near_sum[3]


@njit(cache=True, nogil=True)
def _side_means(linear, index_y, index_x, front, low, high, step, y, x, middle, near_sum, far_sum):
    """Mean colour and disparity of the near and far pixels around an edge pixel.

    Pixels that do not touch the edge count most. Where there are none (hair, grass), the first
    means only give a direction, and the pixels farthest along it stand for their side.
    """
    axis = np.zeros(3, np.float64)
    ends = np.zeros(2, np.float64)
    for turn in range(2):
        if turn == 1:
            _extremes(linear, index_y, index_x, front, y, x, middle, axis, ends)
        near_sum[:] = 0.0
        far_sum[:] = 0.0
        near_weight = far_weight = near_depth = far_depth = 0.0
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                qy, qx = y + dy, x + dx
                pixel = linear[index_y[qy], index_x[qx]]
                distance = np.exp(-(dy * dy + dx * dx) / 4.0)
                distance /= 1.0 + max(pixel[0], pixel[1], pixel[2])
                d = front[qy, qx]
                weight = distance
                if high[qy, qx] - low[qy, qx] > step:
                    along = axis[0] * pixel[0] + axis[1] * pixel[1] + axis[2] * pixel[2]
                    miss = ends[1] - along if d > middle else along - ends[0]
                    weight *= 0.02 * np.exp(-EXTREME * miss / max(ends[1] - ends[0], 1e-9))
                if d > middle:
                    near_weight += weight
                    near_depth += distance
                    near_sum[3] += distance * d
                    for c in range(3):
                        near_sum[c] += weight * pixel[c]
                else:
                    far_weight += weight
                    far_depth += distance
                    far_sum[3] += distance * d
                    for c in range(3):
                        far_sum[c] += weight * pixel[c]
        for c in range(3):
            near_sum[c] /= near_weight
            far_sum[c] /= far_weight
            axis[c] = near_sum[c] - far_sum[c]
        near_sum[3] /= near_depth
        far_sum[3] /= far_depth


@njit(cache=True, nogil=True)
def _extremes(linear, index_y, index_x, front, y, x, middle, axis, ends):
    """Write the far side's lowest and the near side's highest projection on `axis`."""
    ends[0], ends[1] = np.inf, -np.inf
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            pixel = linear[index_y[y + dy], index_x[x + dx]]
            along = axis[0] * pixel[0] + axis[1] * pixel[1] + axis[2] * pixel[2]
            if front[y + dy, x + dx] > middle:
                ends[1] = max(ends[1], along)
            else:
                ends[0] = min(ends[0], along)
