"""One step of the filter along the flow, for `steady_depth`: predict, then weigh.

    Known, the next frame -> predicted: carried by flow and camera, as much nearer, less sure
                          -> weighed: with an estimate, or with what the other direction knows

Source: Kalman 1960, one state a pixel, carried by optical flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from pullfocus.depth.normalise import SHOULDER
from pullfocus.video.temporal_depth.camera_motion import camera_move, come_nearer, still_followed
from pullfocus.video.temporal_depth.optical_flow import Motion

NOISE = 0.02
"""One standard deviation of a single estimate, in the shot's unit."""
DRIFT_PER_S = 1.0
"""How fast what is known ages: variance per second, in units of NOISE squared."""
DRIFT_PER_PX = 0.02
"""The same per pixel that a point moved: flow is wrong by a share of the way, and what moves by
itself may come nearer by itself."""
SURPRISE = 3.0
"""Standard deviations beyond which an estimate is news rather than noise."""
_WINDOW_PX = 9
"""Side of a neighbourhood that must agree on news."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is carried from frame to frame: the small frame, disparity, its variance, its time."""

    rgb: UInt8[np.ndarray, "h w 3"]
    disparity: Float32[np.ndarray, "h w"]
    variance: Float32[np.ndarray, "h w"]
    time_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What is known of another frame before it is measured; variance 1 where nothing is."""

    disparity: Float32[np.ndarray, "h w"]
    variance: Float32[np.ndarray, "h w"]
    motion: Motion


def predicted(
    known: Known, rgb: UInt8[np.ndarray, "h w 3"], motion: Motion, time_s: float, metric: bool
) -> Predicted:
    """Carry what is known to another frame, the next one or the one before.

    motion: from the known frame to this one by flow. metric: whether disparity is in 1/m.
    """
    carried = motion.carry(known.disparity)
    move = camera_move(carried, motion)
    if move is not None:
        motion = still_followed(motion, move, known.disparity, known.rgb, rgb)
        carried = motion.carry(known.disparity)
    aged = DRIFT_PER_S * abs(time_s - known.time_s) + DRIFT_PER_PX * motion.way_px
    variance = motion.carry(known.variance) + np.float32(NOISE**2) * aged
    variance = np.where(motion.seen, variance, np.float32(1))
    return Predicted(come_nearer(carried, motion, move, metric), variance, motion)


def weighed(
    measured: Float32[np.ndarray, "h w"],
    noise: Float32[np.ndarray, "h w"] | float,
    before: Predicted,
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Weigh a measurement against what was predicted; return disparity and its new variance.

    noise: variance of what was measured. A whole neighbourhood that differs by more than SURPRISE
    has changed: there the measurement wins.
    """
    import cv2

    difference = measured - before.disparity
    agreed = cv2.blur(difference, (_WINDOW_PX, _WINDOW_PX)) ** 2
    news = np.maximum(before.variance, agreed / SURPRISE**2 - noise)
    gain = news / (news + noise)
    disparity = before.disparity + gain * difference
    return disparity.astype(np.float32, copy=False), ((1 - gain) * news).astype(np.float32)


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
