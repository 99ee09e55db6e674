"""Turn the numbers of a foreign depth file into disparity, once it is decided what they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.depth_rules import NEAREST_M
from pullfocus.depthmap.fill import fill_unknown
from pullfocus.depthmap.labels import Meaning, RawDepth
from pullfocus.depthmap.meaning import FAR_AWAY, Order, has_gap_above_zero, seen_as_near, thinned
from pullfocus.photo.source import Source
from pullfocus.types import DepthKind

NEAREST_SHARE = 0.1
"""Relative depth known up to scale and shift has its nearest point here, its farthest at 1."""
_ENDS = (0.5, 99.5)
"""Percentiles between which relative depth is scaled: one wild value does not squeeze the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """Disparity without gaps. unknown: share of pixels that were filled."""

    disparity: Float32[np.ndarray, "h w"]
    kind: DepthKind
    unknown: float


def to_disparity(raw: RawDepth, meaning: Meaning, source: Source, order: Order | None) -> Converted:
    """Turn stored numbers into disparity, larger = nearer, and fill what is unknown.

    Unknown are NaN, -inf and "no data"; 0 in depth with a unit, and 0 that stands apart from all
    other values where it cannot be far. +inf and Blender's 1e10 are far away in depth, unknown in
    disparity.

    Raises:
        UnreadableInputError: nothing is known, or negative numbers that cannot be.
    """
    values = raw.values
    known = ~np.isnan(values)
    far = np.zeros_like(known)
    if meaning.quantity == "depth":
        far = known & (np.isposinf(values) | ((values >= FAR_AWAY) & (raw.bits == 0)))
        if raw.inf_unknown:
            known &= ~np.isposinf(values)
            far &= known
    else:
        known &= np.isfinite(values)
    known &= ~_unknown_zeros(raw, meaning, order)
    if raw.bits and not values.any():
        raise source.unreadable("it is black all over; a depth map is not")
    if not (known & ~far).any():
        raise source.unreadable(
            "nothing in it is known: all of it is 0 (black), not a number or infinite"
        )
    _refuse_negative(values[known], meaning, source)
    with np.errstate(over="ignore", divide="ignore"):  # nearer than a float can say
        clear = known & ~far
        numbers = values if clear.all() else np.where(clear, values, np.float32(np.nan))
        disparity = np.asarray(_disparity(numbers, meaning, raw), np.float32)
    if far.any():
        disparity = np.where(far, np.float32(0), disparity)
    known &= (disparity >= 0) & (disparity <= 1 / NEAREST_M)  # False for NaN
    if not known.any():
        raise source.unreadable("none of its numbers can be a distance")
    if not known.all():
        disparity = fill_unknown(np.where(known, disparity, np.float32(0)), known)
    kind: DepthKind = "relative" if meaning.metres is None else "metric"
    return Converted(disparity, kind, 1 - float(np.count_nonzero(known)) / known.size)


def _unknown_zeros(raw: RawDepth, meaning: Meaning, order: Order | None) -> Bool[np.ndarray, "h w"]:
    zeros = raw.values == 0
    has_true_zero = meaning.metres is not None or meaning.relative == "ratio"
    if not zeros.any() or (meaning.quantity == "depth" and has_true_zero):
        return zeros
    if not has_gap_above_zero(raw.values):
        return np.zeros_like(zeros)
    if meaning.quantity == "depth":  # 0 may be the nearest too
        return np.zeros_like(zeros) if seen_as_near(zeros, order, 0.6) else zeros
    # in disparity, 0 may be the sky as well as a hole: the photo tells
    return zeros if seen_as_near(zeros, order, 0.4) else np.zeros_like(zeros)


def _refuse_negative(known: np.ndarray, meaning: Meaning, source: Source) -> None:
    if meaning.metres is None or float(known.min()) >= 0:
        return
    if meaning.quantity == "depth":
        raise source.unreadable("it holds negative distances; distances are metres >= 0")
    raise source.unreadable("it holds negative disparity; metric disparity is 1/m and >= 0")


def _disparity(values: np.ndarray, meaning: Meaning, raw: RawDepth) -> np.ndarray:
    """values: NaN where unknown or without end."""
    if meaning.metres is not None:
        scaled = values * np.float32(meaning.metres)
        return scaled if meaning.quantity == "disparity" else 1 / scaled
    if meaning.quantity == "disparity":
        return _unit(values, raw)
    if meaning.relative == "turned":
        return 1 - _unit(values, raw)
    some = thinned(values)
    some = some if np.isfinite(some).any() else values
    low, high = np.nanpercentile(some, _ENDS)
    if meaning.relative == "ratio":
        return np.minimum(np.float32(low) / values, np.float32(1))
    if high <= low:
        return np.where(np.isnan(values), values, np.float32(0.5))
    unit = np.clip((values - low) / (high - low), 0, 1)
    nearness = 1 / (NEAREST_SHARE + (1 - NEAREST_SHARE) * unit)
    return np.asarray((nearness - 1) / (1 / NEAREST_SHARE - 1), np.float32)


def _unit(values: np.ndarray, raw: RawDepth) -> np.ndarray:
    """Scale relative numbers into 0..1: codes by their range, floats only where they leave it."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if raw.bits:
        top = 255.0 if raw.bits == 8 else 65535.0
        return values / np.float32(top if raw.bits == 8 or 65000 <= high <= top else max(high, 1))
    if low >= 0 and high <= 1:
        return values
    return (values - np.float32(low)) / np.float32(max(high - low, 1e-12))
