"""What quality a JPEG was saved with, on the scale of the Independent JPEG Group."""

from __future__ import annotations

import numpy as np

from pullfocus.photo.jpeg import split

# Annex K.1 of ITU-T T.81, luminance, in zigzag order.
_LUMINANCE = np.array(
    [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
     29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81,
     87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99],
    dtype=np.float64,
)  # fmt: skip


def estimate_quality(data: bytes) -> int | None:
    """Return 1..100, or None without a table; other programs' tables give the nearest quality.

    Source: jpeg_quality_scaling of libjpeg: scale = 200 - 2 q for q >= 50, else 5000 / q.
    """
    for marker, payload in split(data):
        if marker != 0xDB or not payload:
            continue
        is_wide, size = payload[0] >> 4, 128 if payload[0] >> 4 else 64
        if payload[0] & 15 or len(payload) < 1 + size:
            continue
        table = np.frombuffer(payload, ">u2" if is_wide else "u1", 64, 1).astype(np.float64)
        scale = float(np.median(table / _LUMINANCE * 100.0))
        quality = (200.0 - scale) / 2 if scale <= 100 else 5000.0 / scale
        return int(min(max(round(quality), 1), 100))
    return None
