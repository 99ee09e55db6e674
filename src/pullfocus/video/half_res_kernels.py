"""The inner loops of rendering at half size, compiled by numba; importing this module loads numba.

They release the interpreter lock and use one core: the other stages of the line use the others.
"""

from __future__ import annotations

import numpy as np

from pullfocus.kernels import kernel


@kernel(fastmath=True)
def halve(codes, table, out):  # type: ignore[no-untyped-def]
    """Average 2x2 pixels in linear light; the last row or column of an odd side counts twice.

    codes: (h, w, 3), uint8 or uint16. table: float32, light of each code.
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


@kernel(fastmath=True)
def to_codes(light, shift, offset, slope, codes):  # type: ignore[no-untyped-def]
    """Encode light by chords: what `ToneCurve.encode` does to 16 bits, in a third of the time.

    light: float32 (a, b, 3). shift, offset, slope: see `tone.EncodeTable`. codes: uint16.
    """
    curves = len(offset)
    bits = np.empty(light.shape[1:], np.float32)
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            for c in range(3):
                bits[x, c] = min(max(light[y, x, c], np.float32(0)), np.float32(1))
        index = bits.view(np.int32)
        for x in range(light.shape[1]):
            for c in range(3):
                curve, k = c if curves > 1 else 0, index[x, c] >> shift
                codes[y, x, c] = offset[curve, k] + slope[curve, k] * bits[x, c]


@kernel(fastmath=True)
def compose(codes, blurred, plain, kept, scale, out):  # type: ignore[no-untyped-def]
    """Enlarge `blurred` to twice its size and add the detail that `plain` lacks, where it is kept.

    out = up(blurred) + up(kept) * (codes - up(plain)), bilinear, pixel centres at +0.5.

    codes: (h, w, 3). blurred, plain: (a, b, 3), uint16. kept: float32 (a, b), 0..1.
    scale: codes of `out` per code of uint16. out: (h, w, 3), the dtype of `codes`.
    """
    h, w = out.shape[:2]
    a, b = kept.shape
    soft, flat = np.empty(3 * (b + 2), np.float32), np.empty(3 * (b + 2), np.float32)
    share = np.empty(b + 2, np.float32)
    base, gain = np.empty((b, 2, 3), np.float32), np.empty((b, 2, 3), np.float32)
    zero, most, half = np.float32(0), np.float32(65535 * scale), np.float32(0.5)
    for y in range(h):
        row = y >> 1
        other = min(max(row + (1 if y & 1 else -1), 0), a - 1)
        _between_rows(blurred[row].reshape(-1), blurred[other].reshape(-1), 3, scale, soft)
        _between_rows(plain[row].reshape(-1), plain[other].reshape(-1), 3, scale, flat)
        _between_rows(kept[row], kept[other], 1, 1.0, share)
        _between_columns(soft, flat, share, base, gain)
        added, factor = base.reshape(-1), gain.reshape(-1)
        before, after = codes[y].reshape(-1), out[y].reshape(-1)
        for i in range(3 * w):
            value = added[i] + factor[i] * np.float32(before[i])
            after[i] = min(max(value, zero), most) + half


@kernel(fastmath=True)
def _between_rows(row, other, channels, scale, out):  # type: ignore[no-untyped-def]
    """Mix 3/4 of a row with 1/4 of another; a pixel more at either end repeats the last."""
    near, far = np.float32(0.75 * scale), np.float32(0.25 * scale)
    mixed = out[channels:-channels]
    for i in range(len(row)):
        mixed[i] = near * row[i] + far * other[i]
    for c in range(channels):
        out[c], out[-1 - c] = mixed[c], mixed[-1 - c]


@kernel(fastmath=True)
def _between_columns(soft, flat, share, base, gain):  # type: ignore[no-untyped-def]
    """Write what the left and the right half of every pixel add to gain * codes."""
    near, far = np.float32(0.75), np.float32(0.25)
    for x in range(len(base)):
        for side in range(2):
            k = near * share[x + 1] + far * share[x + 2 * side]
            for c in range(3):
                own, beside = 3 * x + 3 + c, 3 * x + 6 * side + c
                s = near * soft[own] + far * soft[beside]
                f = near * flat[own] + far * flat[beside]
                base[x, side, c] = s - k * f
                gain[x, side, c] = k
