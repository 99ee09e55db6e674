"""Depth in two passes: the whole clip is looked at first, so that what comes later counts as well.

    frames -> SteadyDepth -> a stretch of steps -> backwards along the flow -> both weighed -> tape
                                                                               shot's ends -> scale
    tape, scale -> push: the same maps, one by one, for the second pass

The forward filter knows the past of every pixel; a backward one over the same steps its future, for
half a second and more. What comes into sight, or could not be followed, is known from there. All
maps of the first pass lie compressed in a temporary file; in memory are some dozen frames.

Source: Fraser and Potter 1969, "The optimum linear smoother as a combination of two optimum linear
    filters"; over a lag instead of the whole, which forgets by itself within a few frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth import Estimator
from pullfocus.depth.normalise import bent_to_unit, ends_of
from pullfocus.types import DepthKind
from pullfocus.video.temporal_depth.disk_buffer import DepthTape
from pullfocus.video.temporal_depth.kalman import NOISE, Known, Scale, predicted, weighed
from pullfocus.video.temporal_depth.online import SteadyDepth, Step
from pullfocus.video.temporal_depth.optical_flow import Flows, followed

STRETCH, AHEAD = 24, 12
"""Frames that are finished at a time, and how many more are looked at for that."""
ANCHOR_S = 0.8
"""As in `steady_depth`, but slower: what drifts in a pan drifts the other way on the way back."""

Look = tuple[UInt8[np.ndarray, "h w 3"], float]


class SurveyedDepth:
    """Depth of frames that were all looked at before; has the face of `SteadyDepth`.

    frames: (rgb, time_s) of the whole video, as `SteadyDepth.push` takes them.
    """

    def __init__(
        self, frames: Iterable[Look], estimator: Estimator | None, every: int, long_side_px: int
    ) -> None:
        first = SteadyDepth(estimator, every, long_side_px, ANCHOR_S, careful=True)
        self._tape, self._scales = DepthTape(), []
        ends = (0.0, 1.0)
        for step, smooth in _smoothed(first, frames):
            disparity = step.with_surfaces(smooth)
            low, high = ends_of(disparity)
            if step.cut:
                ends = (low, high)
                self._scales.append(Scale(1.0, 0.0))
            ends = min(ends[0], low), max(ends[1], high)
            self._scales[-1] = Scale.of_ends(*ends)
            self._tape.append(disparity, step.person, step.cut)
        self.kind: DepthKind = first.kind
        self.cut = False
        self.person: Float32[np.ndarray, "a b"] | None = None
        self._shot = -1
        self._tape.rewind()

    def push(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Float32[np.ndarray, "a b"]:
        """Return the disparity of the next frame, as `SteadyDepth.push` does."""
        disparity, self.person, self.cut = self._tape.read()
        self._shot += self.cut
        if self.kind == "metric":
            return disparity
        return bent_to_unit(self._scales[self._shot](disparity))

    def close(self) -> None:
        """Remove the temporary file."""
        self._tape.close()


def _smoothed(
    first: SteadyDepth, frames: Iterable[Look]
) -> Iterator[tuple[Step, Float32[np.ndarray, "h w"]]]:
    """Yield every step of the first pass with its disparity after the way back."""
    waiting: list[Step] = []
    for rgb, time_s in frames:
        step = first.step(rgb, time_s)
        if step.cut:
            yield from _there_and_back(waiting, first.kind)
            waiting = []
        waiting.append(step)
        if len(waiting) == STRETCH + AHEAD:
            yield from _there_and_back(waiting, first.kind)[:STRETCH]
            waiting = waiting[STRETCH:]
    yield from _there_and_back(waiting, first.kind)


def _there_and_back(
    steps: list[Step], kind: DepthKind
) -> list[tuple[Step, Float32[np.ndarray, "h w"]]]:
    """Go back over the steps of one shot, and weigh what is known from either side."""
    out = []
    later: Known | None = None
    flows: Flows | None = None
    for step in reversed(steps):
        now = step.known
        if later is None or flows is None:
            out.append((step, now.disparity))
            later, flows = _alone(step), step.flows
            continue
        motion = followed(later.rgb, now.rgb, flows.reversed())
        flows = step.flows
        after = predicted(later, now.rgb, motion, now.time_s, kind == "metric")
        out.append((step, weighed(now.disparity, now.variance, after)[0]))
        state = after.disparity, after.variance
        if step.measured is not None:
            state = weighed(step.measured, NOISE**2, after)
        later = Known(now.rgb, *state, now.time_s)
    return out[::-1]


def _alone(step: Step) -> Known:
    """Begin the way back with what the last frame says itself, which is not known from before."""
    now = step.known
    if step.measured is None:
        return now
    return Known(now.rgb, step.measured, np.full_like(now.variance, NOISE**2), now.time_s)
