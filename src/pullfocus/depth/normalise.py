"""Turn any network's raw answer into disparity, larger = nearer: all that the line carries."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

from pullfocus.depth.card import OutputKind
from pullfocus.depth.estimator import RawDepth
from pullfocus.errors import UnreadableInputError
from pullfocus.types import DepthKind

SHOULDER = 0.02
"""Share of 0..1 kept at either end for the values beyond the percentiles."""
NEAREST_M = 0.05
"""Metric depth below this is taken as this: no lens of this program focuses nearer."""
MOST_OPEN_SHARE = 0.1
"""Share of an answer that may be no number; such pixels are taken as farthest."""
LARGEST_VALUE = np.float32(1e30)
"""Beyond this a number is an overflow: products of two leave float32."""


def to_disparity(raw: RawDepth) -> tuple[Float32[np.ndarray, "h w"], DepthKind]:
    """Turn raw depth into disparity and say whether it has metres.

    Metric depth becomes 1/m. Relative disparity is only scaled to 0..1. Relative depth (order
    only) is inverted after its nearest point has been put at a tenth of its farthest.

    Convention: larger = nearer, >= 0; relative disparity lies in 0..1.
    """
    values, kind = unscaled_disparity(raw)
    return (values if kind == "metric" else normalised(values)), kind


def unscaled_disparity(raw: RawDepth) -> tuple[Float32[np.ndarray, "h w"], DepthKind]:
    """Turn raw depth into disparity; relative disparity keeps the network's own scale and shift."""
    raw = checked_answer(raw)
    values = _finite(np.asarray(raw.values, np.float32), raw.kind)
    if raw.kind == "metric_disparity":
        return np.clip(values, 0, np.float32(1 / NEAREST_M)), "metric"
    if raw.kind == "metric_depth":
        return 1 / np.maximum(values, np.float32(NEAREST_M)), "metric"
    if raw.kind == "relative_depth":
        values = 1 / (0.1 + 0.9 * normalised(values))
    return values, "relative"


def checked_answer(raw: RawDepth, who: str = "The depth network") -> RawDepth:
    """Return a network's answer if it says something; the one check of every estimator's numbers.

    Infinite depth is the sky, and metres <= 0 are unknown; anything else that is no number may fill
    a tenth of the answer.

    Args:
        who: the network, as an error begins.

    Raises:
        UnreadableInputError: too little of it, or of where people are, is numbers.
    """
    values = np.asarray(raw.values, np.float32)
    open_share = 1 - float(np.mean(_known(values, "relative_disparity")))
    if raw.kind.endswith("depth"):
        open_share -= float(np.mean(np.isposinf(values)))
    if not _known(values, raw.kind).any():
        raise UnreadableInputError(
            f"{who} answered without one usable number (all are NaN, infinite or not positive); "
            "choose another model."
        )
    if open_share > MOST_OPEN_SHARE:
        raise UnreadableInputError(
            f"{who} answered with something that is no number for {open_share:.0%} of the picture; "
            "choose another model."
        )
    if raw.person is not None and not np.isfinite(raw.person).all():
        raise UnreadableInputError(
            f"{who} answered with something that is no number where people are asked for; choose "
            "another model."
        )
    return raw


def _known(values: np.ndarray, kind: OutputKind) -> np.ndarray:
    known = np.abs(values) < LARGEST_VALUE  # False for NaN
    return known & (values > 0) if kind == "metric_depth" else known


def _finite(values: np.ndarray, kind: OutputKind) -> np.ndarray:
    """Put what a network left open (NaN, infinity, metres <= 0) at the farthest that it said."""
    known = _known(values, kind)
    if known.all():
        return values
    said = values[known]
    farthest = said.min() if kind.endswith("disparity") else said.max()
    return np.where(known, values, farthest)


def normalised(values: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Scale values to 0..1 by their own ends, keeping their order; a constant map becomes 0.5."""
    low, high = ends_of(values)
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
        return np.full(values.shape, 0.5, np.float32)
    unit = (values.astype(np.float64) - low) / (high - low)
    return bent_to_unit(SHOULDER + (1 - 2 * SHOULDER) * unit)


def ends_of(values: Float32[np.ndarray, "h w"]) -> tuple[float, float]:
    """Return the 0.5th and 99.5th percentile: one hot pixel does not squeeze the scene."""
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high)


def bent_to_unit(unit: Float[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Bend what lies outside SHOULDER .. 1 - SHOULDER smoothly towards 0 and 1.

    Nothing is cut, so that values beyond the ends neither leave 0..1 nor leave a plateau.
    """
    beyond_top = np.maximum(unit - (1 - SHOULDER), 0)
    beyond_bottom = np.maximum(SHOULDER - unit, 0)
    inside = np.clip(unit, SHOULDER, 1 - SHOULDER)
    bend_top = -SHOULDER * np.expm1(-beyond_top / SHOULDER)
    bend_bottom = -SHOULDER * np.expm1(-beyond_bottom / SHOULDER)
    out: np.ndarray = (inside + bend_top - bend_bottom).astype(np.float32)
    return out
