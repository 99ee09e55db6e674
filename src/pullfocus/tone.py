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
    as R, G, B with a curve each. `peak` is the light of the highest code: 1 but for HDR, where 1.0
    is reference white.
    """

    name: str = "sRGB"
    to_linear: Curve = srgb_to_linear
    to_encoded: Curve = linear_to_srgb
    peak: float = 1.0

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
        return _encode(linear, encode_table(self, bit_depth), bit_depth)


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


@dataclass(frozen=True, slots=True, eq=False)
class EncodeTable:
    """code = offset + slope * v in the bin `bits of v >> shift`; without slope, offset is it.

    v is light as a share of `peak`.
    """

    shift: int
    offset: np.ndarray
    slope: np.ndarray | None = None
    peak: float = 1.0


@lru_cache(maxsize=8)
def encode_table(curve: ToneCurve, bit_depth: int) -> EncodeTable:
    """Tabulate the way from light to codes for `ToneCurve.encode` and loops like it."""
    if bit_depth == 8:
        return _table_of_codes(curve, 11)
    codes = np.repeat(np.arange(65536, dtype=np.uint16)[:, None], 3, axis=1)
    for shift in (14, 12, 10):  # sampled profile curves have kinks that want finer bins
        table = _table_of_chords(curve, shift)
        if (_encode(curve.decode(codes), table, 16) == codes).all():
            break
    return table


def _bin_edges(shift: int) -> np.ndarray:
    count = (0x3F800000 >> shift) + 2  # the bin that starts at 1.0 is the last one
    return (np.arange(count, dtype=np.int32) << shift).view(np.float32).astype(np.float64)


def _table_of_codes(curve: ToneCurve, shift: int) -> EncodeTable:
    edges = _bin_edges(shift)
    first = 99 << (23 - shift)  # below 2^-28 every curve in use is black
    middles = (edges[first:-1] + edges[first + 1 :]) / 2
    code = _per_channel(curve.to_encoded, middles * curve.peak)
    table = np.zeros((code.shape[0], edges.size - 1), np.uint8)
    table[:, first:] = np.clip(code * 255 + 0.5, 0, 255)
    return EncodeTable(shift, table, peak=curve.peak)


def _table_of_chords(curve: ToneCurve, shift: int) -> EncodeTable:
    edges = _bin_edges(shift)
    code = np.clip(_per_channel(curve.to_encoded, edges * curve.peak), 0.0, 2.0) * 65535
    slope = np.diff(code) / np.diff(edges)
    offset = code[:, :-1] - slope * edges[:-1] + 0.5
    return EncodeTable(shift, offset.astype(np.float32), slope.astype(np.float32), curve.peak)


def _encode(linear: np.ndarray, table: EncodeTable, bit_depth: int) -> np.ndarray:
    out = np.empty(linear.shape, np.uint8 if bit_depth == 8 else np.uint16)
    values, indices = np.empty(_BAND, np.float32), np.empty(_BAND, np.intp)
    for source, target, channel in _planes(linear, out, table.offset.shape[0]):
        for band in _bands(source.shape[0]):
            count = source[band].size
            value = np.fmax(source[band], np.float32(0), out=values[:count])
            if table.peak != 1:
                value *= np.float32(1 / table.peak)
            np.fmin(value, np.float32(1), out=value)
            index = np.right_shift(value.view(np.int32), table.shift, out=indices[:count])
            if table.slope is None:
                np.take(table.offset[channel], index, out=target[band], mode="clip")
            else:
                value *= np.take(table.slope[channel], index, mode="clip")
                value += np.take(table.offset[channel], index, mode="clip")
                # profiles whose white lies below 1 have codes beyond the top, which would wrap
                target[band] = np.fmin(value, np.float32(65535), out=value)
    return out


SRGB = ToneCurve()
