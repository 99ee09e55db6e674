"""One step of the filter along the flow, for `steady_depth`: predict, then weigh.

    Known, the next frame -> predicted: carried by flow and camera, as much nearer, less sure
                          -> weighed: with an estimate, or with what the other direction knows

Source: Kalman 1960, one state a pixel, carried by optical flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.video.steady_depth_approach import come_nearer
from pullfocus.video.steady_depth_camera import camera_move, still_followed
from pullfocus.video.steady_depth_motion import Motion

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
