"""The line from a network's own disparity to a shot's unit, for `steady_depth`: one per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.depth.normalise import SHOULDER

_ROUNDS = 4
"""Repeats of the robust fit; it stands still after three."""
_ENOUGH = 64
"""Pixels without which nothing is fitted."""


@dataclass(frozen=True, slots=True)
class Scale:
    """unit = gain * raw + shift: raw is the network's disparity, unit the shot's, about 0..1."""

    gain: float
    shift: float

    @classmethod
    def of_ends(cls, low: float, high: float) -> Scale:
        """Put `low` at SHOULDER and `high` at 1 - SHOULDER; equal ends land on 0.5."""
        if high - low <= 1e-6 * max(abs(low), abs(high), 1e-6):
            return cls(1.0, 0.5 - low)
        gain = (1 - 2 * SHOULDER) / (high - low)
        return cls(gain, SHOULDER - gain * low)

    def __call__(self, raw: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Bring raw disparity into the shot's unit."""
        return np.asarray(self.gain * raw + self.shift, np.float32)

    def towards(self, other: Scale, share: float, raw: float) -> Scale:
        """Go a share of the way to another scale: gains geometrically, values at `raw` straight."""
        gain = self.gain ** (1 - share) * other.gain**share
        here, there = (scale.gain * raw + scale.shift for scale in (self, other))
        return Scale(gain, here + share * (there - here) - gain * raw)


def fitted_scale(
    raw: Float32[np.ndarray, "h w"],
    target: Float32[np.ndarray, "h w"],
    known: Bool[np.ndarray, "h w"],
) -> Scale | None:
    """Fit the scale that brings `raw` nearest to `target` where it is known; None if it is not.

    Robust least squares: what moved, or what the network sees otherwise today, weighs little. The
    gain must stay positive: near stays near.

    Source: Ranftl et al. 2020 (MiDaS), equation 4, with Cauchy weights (Holland, Welsch 1977).
    """
    every_other = (slice(None, None, 2), slice(None, None, 2))
    known = known[every_other]
    x, y = (a[every_other][known].astype(np.float64) for a in (raw, target))
    if x.size < _ENOUGH or x.std() < 1e-6:
        return None
    weight = np.ones_like(x)
    gain, shift = 1.0, 0.0
    for _ in range(_ROUNDS):
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        spread = (weight * (x - mean_x) ** 2).sum()
        gain = float((weight * (x - mean_x) * (y - mean_y)).sum() / max(spread, 1e-12))
        shift = float(mean_y - gain * mean_x)
        miss = np.abs(gain * x + shift - y)
        weight = 1 / (1 + (miss / (3 * np.median(miss) + 1e-6)) ** 2)
    return Scale(gain, shift) if gain > 0 else None
