"""The inner loops of rendering at half size, compiled by numba; importing this module loads numba.

They release the interpreter lock and use one core: the other stages of the line use the others.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath=True)
def halve(codes, table, out):  # type: ignore[no-untyped-def]
    """Average 2x2 pixels in linear light; the last row or column of an odd side counts twice.

    codes: (h, w, 3 or 4), uint8 or uint16. table: float32, light of each code.
    out: float32 ((h + 1) // 2, (w + 1) // 2, 3).
    """
    h, w = codes.shape[:2]
    quarter = np.float32(0.25)
    for y in range(out.shape[0]):
        top, bottom = 2 * y, min(2 * y + 1, h - 1)
        for x in range(out.shape[1]):
            left, right = 2 * x, min(2 * x + 1, w - 1)
            for c in range(3):
                light = table[codes[top, left, c]] + table[codes[top, right, c]]
                light += table[codes[bottom, left, c]] + table[codes[bottom, right, c]]
                out[y, x, c] = light * quarter


@njit(nogil=True, cache=True, fastmath=True)
def compose(codes, blurred, plain, kept, scale, out):  # type: ignore[no-untyped-def]
    """Enlarge `blurred` to twice its size and add the detail that `plain` lacks, where it is kept.

    out = up(blurred) + up(kept) * (codes - up(plain)), bilinear, pixel centres at +0.5.

    codes: (h, w, 3 or 4). blurred, plain: (a, b, 3), uint16. kept: float32 (a, b), 0..1.
    scale: codes of `out` per code of uint16. out: (h, w, 3), the dtype of `codes`.
    """
    h, w = out.shape[:2]
    a, b = kept.shape
    far, near, half = np.float32(0.25 * scale), np.float32(0.75 * scale), np.float32(0.5)
    most = np.float32(65535 * scale)
    soft, flat = np.empty((b, 3), np.float32), np.empty((b, 3), np.float32)
    share = np.empty(b, np.float32)
    for y in range(h):
        row = y >> 1
        other = min(max(row + (1 if y & 1 else -1), 0), a - 1)
        for x in range(b):
            share[x] = np.float32(0.75) * kept[row, x] + np.float32(0.25) * kept[other, x]
            for c in range(3):
                soft[x, c] = near * blurred[row, x, c] + far * blurred[other, x, c]
                flat[x, c] = near * plain[row, x, c] + far * plain[other, x, c]
        for x in range(w):
            column = x >> 1
            beside = min(max(column + (1 if x & 1 else -1), 0), b - 1)
            k = np.float32(0.75) * share[column] + np.float32(0.25) * share[beside]
            for c in range(3):
                s = np.float32(0.75) * soft[column, c] + np.float32(0.25) * soft[beside, c]
                f = np.float32(0.75) * flat[column, c] + np.float32(0.25) * flat[beside, c]
                value = s + k * (np.float32(codes[y, x, c]) - f)
                out[y, x, c] = min(max(value, np.float32(0)), most) + half
