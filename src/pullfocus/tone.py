"""Tone curves: how encoded values become linear light and back, exactly and quickly.

What `types` needs to hold a Photo: the sRGB functions, and ToneCurve with its tables for whole
pictures. Only numpy; curves of ICC profiles are made by `photo.icc`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, Shaped

Curve = Callable[[np.ndarray], np.ndarray]


def srgb_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Turn sRGB-encoded values into linear light; float in, float32 out, sign kept.

    Source: IEC 61966-2-1.
    """
    x = np.asarray(encoded, dtype=np.float32)
    magnitude = np.abs(x)
    curve = np.where(
        magnitude <= 0.04045, magnitude / 12.92, ((magnitude + 0.055) / 1.055) ** np.float32(2.4)
    )
    return np.copysign(curve, x).astype(np.float32, copy=False)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """Turn linear light into sRGB-encoded values; the inverse of `srgb_to_linear`."""
    x = np.asarray(linear, dtype=np.float32)
    magnitude = np.abs(x)
    curve = np.where(
        magnitude <= 0.0031308,
        magnitude * 12.92,
        1.055 * magnitude ** np.float32(1 / 2.4) - 0.055,
    )
    return np.copysign(curve, x).astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class ToneCurve:
    """The transfer function of a picture: how encoded values 0..1 become linear light and back.

    The primaries stay those of the file: blur is linear, so it gives the same picture in any of
    them, and the way back is exact.

    The two functions take and give arrays of any shape; where the last axis is 3 it may be treated
    as R, G, B with a curve each.
    """

    name: str = "sRGB"
    to_linear: Curve = srgb_to_linear
    to_encoded: Curve = linear_to_srgb

    def decode(self, codes: Shaped[np.ndarray, "h w *c"]) -> Float32[np.ndarray, "h w *c"]:
        """Turn uint8 or uint16 codes of a picture into linear light, by a table.

        Convention: `encode(decode(codes))` gives the same codes where the curve is invertible.
        """
        table = decode_table(self, 8 if codes.dtype == np.uint8 else 16)
        out = np.empty(codes.shape, np.float32)
        for source, target, channel in _planes(codes, out, table.shape[0]):
            for band in _bands(source.shape[0]):
                np.take(table[channel], source[band], out=target[band], mode="clip")
        return out

    def encode(
        self, linear: Float32[np.ndarray, "h w *c"], bit_depth: Literal[8, 16] = 8
    ) -> Shaped[np.ndarray, "h w *c"]:
        """Turn linear light into uint8 or uint16, clipped to 0..1, rounded to nearest; NaN is 0.

        The upper bits of a float are a logarithmic index, fine near black. 8 bits: the code of the
        bin's middle, off by at most 1/30 code. 16 bits: the chord of the bin, off by 1/50 code.
        """
        out = np.empty(linear.shape, np.uint8 if bit_depth == 8 else np.uint16)
        offset, slope = _encode_table(self, bit_depth)
        shift = _SHIFT[bit_depth]
        values, indices = np.empty(_BAND, np.float32), np.empty(_BAND, np.intp)
        for source, target, channel in _planes(linear, out, offset.shape[0]):
            for band in _bands(source.shape[0]):
                count = source[band].size
                value = np.fmax(source[band], np.float32(0), out=values[:count])
                np.fmin(value, np.float32(1), out=value)
                index = np.right_shift(value.view(np.int32), shift, out=indices[:count])
                if slope is None:
                    np.take(offset[channel], index, out=target[band], mode="clip")
                else:
                    value *= np.take(slope[channel], index, mode="clip")
                    value += np.take(offset[channel], index, mode="clip")
                    target[band] = value
        return out


_SHIFT = {8: 11, 16: 14}
_BAND = 1 << 15


def _bands(count: int) -> Iterator[slice]:
    return (slice(start, start + _BAND) for start in range(0, count, _BAND))


def _planes(source: np.ndarray, target: np.ndarray, curves: int) -> Iterator[tuple]:
    """Yield flat (source, target, curve index): all at once, or a channel at a time."""
    if curves == 1 or source.shape[-1] != curves:
        yield np.ascontiguousarray(source).reshape(-1), target.reshape(-1), 0
        return
    for channel in range(curves):
        part = np.empty(target[..., channel].size, target.dtype)
        yield np.ascontiguousarray(source[..., channel]).reshape(-1), part, channel
        target[..., channel] = part.reshape(target.shape[:-1])


def _per_channel(curve: Curve, values: np.ndarray) -> np.ndarray:
    """Evaluate a curve for R, G and B; shape (1, n) if they are the same, else (3, n)."""
    with np.errstate(all="ignore"):
        table = np.asarray(curve(np.repeat(values[:, None], 3, axis=1)), np.float64).T
    table = np.nan_to_num(table)
    return table[:1] if (table[1:] == table[:1]).all() else table


@lru_cache(maxsize=8)
def decode_table(curve: ToneCurve, bit_depth: int) -> Float32[np.ndarray, "curves codes"]:
    """Tabulate a curve for every code: one row, or three where R, G and B differ."""
    count = 1 << bit_depth
    codes = np.arange(count, dtype=np.float64) / (count - 1)
    return np.ascontiguousarray(_per_channel(curve.to_linear, codes), dtype=np.float32)


@lru_cache(maxsize=8)
def _encode_table(curve: ToneCurve, bit_depth: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Build (codes, None) for 8 bits, (offset, slope) of code = offset + slope * v for 16."""
    shift = _SHIFT[bit_depth]
    count = (0x3F800000 >> shift) + 1  # the bin that starts at 1.0 is the last one
    edges = (np.arange(count + 1, dtype=np.int32) << shift).view(np.float32).astype(np.float64)
    if bit_depth == 8:
        first = 99 << (23 - shift)  # below 2^-28 every curve in use is black
        code = _per_channel(curve.to_encoded, (edges[first:-1] + edges[first + 1 :]) / 2)
        table = np.zeros((code.shape[0], count), np.uint8)
        table[:, first:] = np.clip(code * 255 + 0.5, 0, 255)
        return table, None
    code = np.clip(_per_channel(curve.to_encoded, edges), 0.0, 2.0) * 65535
    slope = np.diff(code) / np.diff(edges)
    offset = code[:, :-1] - slope * edges[:-1] + 0.5
    return offset.astype(np.float32), slope.astype(np.float32)


SRGB = ToneCurve()
