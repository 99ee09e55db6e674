"""The inner loops of edge refinement, compiled by numba; each works on a band of rows.

They release the interpreter lock, so that `refine` can run bands in threads. Importing this module
loads numba.
"""

from __future__ import annotations

import numpy as np

from pullfocus.kernels import kernel

BINS = 24


@kernel(fastmath=True)
def _pick(values, weights, count, low, high, mass, moment):  # type: ignore[no-untyped-def]
    """Return the weighted mode of `count` values in [low, high]: the heaviest of smoothed bins.

    The mean of the members of the bin and its neighbours, so that slanted surfaces stay smooth.
    mass, moment: scratch of BINS + 2 float32.
    """
    mass[:] = 0
    moment[:] = 0
    one, half = np.float32(1.0), np.float32(0.5)
    scale = np.float32(BINS - 1) / (high - low)
    for i in range(count):
        place = (values[i] - low) * scale
        b = int(place)
        above = weights[i] * (place - np.float32(b))
        below = weights[i] - above
        mass[b + 1] += below
        moment[b + 1] += below * values[i]
        mass[b + 2] += above
        moment[b + 2] += above * values[i]
    best, heaviest = 1, -one
    for b in range(1, BINS + 1):
        around = mass[b] + half * (mass[b - 1] + mass[b + 1])
        if around > heaviest:
            best, heaviest = b, around
    total = mass[best - 1] + mass[best] + mass[best + 1]
    if total <= 0:
        return values[0]
    return (moment[best - 1] + moment[best] + moment[best + 1]) / total


@kernel(fastmath=True)
def _weigh(powers, count, weights):  # type: ignore[no-untyped-def]
    """Multiply weights by exp(-power), as (1 - power / 64)^64: LLVM vectorises that; power < 64."""
    for i in range(count):
        share = np.float32(1.0) - powers[i] * np.float32(1 / 64)
        for _ in range(6):
            share *= share
        weights[i] *= share


@kernel(fastmath=True)
def snap_rows(first, end, disparity, certainty, guide, band, reach, step, sharpness, out):  # type: ignore[no-untyped-def]
    """Give every pixel of the band the depth that its like-coloured surroundings agree on.

    disparity, certainty (h, w), guide (h, w, 3) float32; band (h, w) bool. Looks at pixels within
    `reach`, every `step`-th. sharpness: 1 / (2 sigma^2) of the colour distance.
    """
    h, w = disparity.shape
    values = np.empty((2 * reach // step + 1) ** 2 + 1, np.float32)
    weights, powers = np.empty_like(values), np.empty_like(values)
    mass, moment = np.empty(BINS + 2, np.float32), np.empty(BINS + 2, np.float32)
    fall = np.float32(2.0 / (reach * reach + 1e-6))
    for y in range(first, end):
        for x in range(w):
            if not band[y, x]:
                out[y, x] = disparity[y, x]
                continue
            r0, g0, b0 = guide[y, x, 0], guide[y, x, 1], guide[y, x, 2]
            low, high = disparity[y, x], disparity[y, x]
            count = 0
            for yy in range(_first_inside(y, reach, step), min(y + reach + 1, h), step):
                for xx in range(_first_inside(x, reach, step), min(x + reach + 1, w), step):
                    dr = guide[yy, xx, 0] - r0
                    dg = guide[yy, xx, 1] - g0
                    db = guide[yy, xx, 2] - b0
                    away = np.float32((yy - y) * (yy - y) + (xx - x) * (xx - x))
                    power = sharpness * (dr * dr + dg * dg + db * db) + fall * away
                    if power > np.float32(12.0):
                        continue
                    value = disparity[yy, xx]
                    values[count], powers[count] = value, power
                    weights[count] = certainty[yy, xx]
                    count += 1
                    low, high = min(low, value), max(high, value)
            if count < 2 or high - low < np.float32(1e-6):
                out[y, x] = disparity[y, x]
            else:
                _weigh(powers, count, weights)
                out[y, x] = _pick(values, weights, count, low, high, mass, moment)


@kernel()
def _first_inside(middle, reach, step):  # type: ignore[no-untyped-def]
    """Return the first of middle - reach, middle - reach + step, ... that is not negative."""
    return (middle - reach) % step if middle < reach else middle - reach


@kernel(fastmath=True)
def choose_rows(first, end, small, guide, cells, linear, sharpness, out):  # type: ignore[no-untyped-def]
    """Overwrite full-resolution pixels at depth edges by the small map's value they look most like.

    small (m, n), guide (m, n, 3) float32; cells (m, n) bool marks where the small map has an edge;
    linear (h, w, 3) the photo; out (h, w) holds the bilinear enlargement and is changed in place.
    """
    m, n = small.shape
    h, w = out.shape
    fy, fx = m / h, n / w
    starts = np.empty(n + 1, np.int64)  # the pixels whose nearest small column it is
    for column in range(n):
        starts[column] = min(max(int(np.ceil(column / fx - 0.5)), 0), w)
    starts[n] = w
    values = np.empty(17, np.float32)
    weights = np.empty(17, np.float32)
    mass, moment = np.empty(BINS + 2, np.float32), np.empty(BINS + 2, np.float32)
    for y in range(first, end):
        sy = (y + 0.5) * fy - 0.5
        cy = int(np.floor(sy))
        row = min(max(int(sy + 0.5), 0), m - 1)
        for column in range(n):
            if not cells[row, column]:
                continue
            for x in range(starts[column], starts[column + 1]):
                sx = (x + 0.5) * fx - 0.5
                cx = int(np.floor(sx))
                r0 = np.sqrt(min(max(linear[y, x, 0], np.float32(0)), np.float32(1)))
                g0 = np.sqrt(min(max(linear[y, x, 1], np.float32(0)), np.float32(1)))
                b0 = np.sqrt(min(max(linear[y, x, 2], np.float32(0)), np.float32(1)))
                low, high = np.float32(1e30), np.float32(-1e30)
                count = 0
                for yy in range(max(cy - 1, 0), min(cy + 3, m)):
                    for xx in range(max(cx - 1, 0), min(cx + 3, n)):
                        dr = guide[yy, xx, 0] - r0
                        dg = guide[yy, xx, 1] - g0
                        db = guide[yy, xx, 2] - b0
                        ey, ex = yy - sy, xx - sx
                        power = sharpness * (dr * dr + dg * dg + db * db) + 0.7 * (
                            ey * ey + ex * ex
                        )
                        value = small[yy, xx]
                        values[count] = value
                        weights[count] = np.exp(-min(power, 30.0))
                        count += 1
                        low, high = min(low, value), max(high, value)
                if high - low > 1e-6:
                    out[y, x] = _pick(values, weights, count, low, high, mass, moment)
