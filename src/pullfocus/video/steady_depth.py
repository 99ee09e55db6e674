"""Depth that does not flicker: the second step of the line, over the frames of a video.

    frame -> follow (flow) -> carry what was known, as much nearer -> weigh both -> disparity
                 |            estimate, scale ------------------------^             |
                 +---- a cut: forget everything, begin another shot                 +-> next

Every pixel keeps its disparity and how surely it is known (a Kalman filter along the flow). A new
estimate counts by its own noise against that; where nothing could be followed it counts alone.
People are one surface each in every estimate, as in photos, and stay so along the flow.
Memory is two small maps and one small frame, however long the video.

Source: Kalman 1960, one state a pixel, carried by optical flow.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from pullfocus.depth import Estimator, open_estimator
from pullfocus.depth.normalise import bent_to_unit, ends_of, unscaled_disparity
from pullfocus.depth.person_surface import as_surfaces, sure_people
from pullfocus.depth.refine import enlarge
from pullfocus.errors import UsageError
from pullfocus.types import DepthKind
from pullfocus.video.steady_depth_approach import come_nearer
from pullfocus.video.steady_depth_motion import Motion, follow, is_cut, small_picture
from pullfocus.video.steady_depth_scale import Scale, fitted_scale

Mode = Literal["causal", "two-pass"]
LONG_SIDE_PX = 384
"""Longer side of the maps: above what the network resolves, so that carrying blurs nothing."""
NOISE = 0.02
"""One standard deviation of a single estimate, in the shot's unit."""
DRIFT_PER_S = 1.0
"""How fast what is known ages: variance per second, in units of NOISE squared."""
DRIFT_PER_PX = 0.02
"""The same per pixel that a point moved: flow is wrong by a share of the way, and what moves by
itself may come nearer by itself."""
SURPRISE = 3.0
"""Standard deviations beyond which an estimate is news rather than noise."""
ANCHOR_S = 0.3
"""Time in which a frame's scale returns to the shot's: fits alone drift away in a pan, while the
network's own scale holds over a shot but trembles from frame to frame."""
HEADROOM = 0.25
"""Room that one pass leaves above a shot's first frame for what comes nearer later (its share)."""
LONGEST_GAP_S = 1.0
"""After such a gap in time nothing is followed any more."""


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is carried from frame to frame: the small frame, disparity, its variance, its time."""

    rgb: UInt8[np.ndarray, "h w 3"]
    disparity: Float32[np.ndarray, "h w"]
    variance: Float32[np.ndarray, "h w"]
    time_s: float


class SteadyDepth:
    """Depth for one frame after the other, on a scale that is fixed for each shot.

    mode: "causal" fixes a shot's scale by its first frame and can run live. "two-pass" needs
        `survey` over the same frames before the first `push`: a first pass over every shot that
        fixes its scale by all of its frames, so that nothing that comes nearer later is cut off.
    every: estimate depth on every n-th frame of a shot; between them it only moves with the flow.
    long_side_px: of the maps.

    Raises:
        UsageError: `every` below 1, an unknown mode, or a push before the survey.
    """

    def __init__(
        self,
        estimator: Estimator | None = None,
        mode: Mode = "causal",
        every: int = 1,
        long_side_px: int = LONG_SIDE_PX,
    ) -> None:
        if mode not in ("causal", "two-pass"):
            raise UsageError(f"Depth of a video is 'causal' or 'two-pass', not {mode!r}.")
        if every < 1:
            raise UsageError(f"Depth is estimated on every n-th frame from 1 up, not {every}.")
        self.mode = mode
        self.every = every
        self.long_side_px = long_side_px
        self.kind: DepthKind = "relative"
        self.cut = False
        self.person: Float32[np.ndarray, "a b"] | None = None
        self._estimator = estimator or open_estimator()
        self._shots: list[tuple[float, Scale]] = []
        self._forget()

    def push(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Float32[np.ndarray, "a b"]:
        """Take the next frame and return its disparity, small: see `long_side_px`.

        rgb: an upright sRGB-coded frame; all frames of a video have one size. time_s: its time.

        Afterwards `cut` says whether a shot began with it, `kind` whether it has metres, and
        `person` how probably a person is seen where (None from models that do not look for people).

        Convention: larger = nearer; 0..1 in the shot's own unit, or 1/m from metric models.
        """
        disparity = self._advance(small_picture(rgb, self.long_side_px), rgb, time_s)
        return disparity if self.kind == "metric" else bent_to_unit(disparity)

    def survey(self, frames: Iterable[tuple[UInt8[np.ndarray, "h w 3"], float]]) -> None:
        """Look at all frames (rgb, time_s): the first of two passes; keeps two numbers a shot."""
        first = SteadyDepth(self._estimator, every=self.every, long_side_px=self.long_side_px)
        shots: list[tuple[float, list[float]]] = []
        for rgb, time_s in frames:
            first.push(rgb, time_s)
            low, high = first._ends
            if first.cut:
                shots.append((time_s, [low, high]))
            ends = shots[-1][1]
            ends[:] = min(ends[0], low), max(ends[1], high)
        self._shots = [(time_s, Scale.of_ends(*ends)) for time_s, ends in shots]
        self._forget()

    def _forget(self) -> None:
        self._known: _Known | None = None
        self._sure: Float32[np.ndarray, "a b"] | None = None
        self._scale = Scale(1.0, 0.0)
        self._ends = (0.0, 1.0)
        self._count = 0

    def _advance(self, small: np.ndarray, rgb: np.ndarray, time_s: float) -> np.ndarray:
        known = self._known
        motion = _motion_from(known, small, time_s)
        self.cut = motion is None
        if known is None or motion is None:
            self._forget()
            disparity, variance = self._first(rgb, small.shape[:2], time_s)
        else:
            disparity, variance = self._next(known, rgb, motion, time_s - known.time_s)
        self._count += 1
        self._known = _Known(small, disparity, variance, time_s)
        return disparity

    def _first(
        self, rgb: np.ndarray, size_hw: tuple[int, int], time_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        raw = self._estimated(rgb, size_hw)
        if self.kind == "relative":
            self._scale = self._shot_scale(raw, time_s)
        return self._scale(raw), np.full(size_hw, NOISE**2, np.float32)

    def _shot_scale(self, raw: np.ndarray, time_s: float) -> Scale:
        if self.mode == "causal":
            low, high = ends_of(raw)
            return Scale.of_ends(low, high + HEADROOM * (high - low))
        if not self._shots:
            raise UsageError("Two-pass depth needs `survey` over the frames before the first push.")
        index = bisect_right(self._shots, time_s, key=lambda shot: shot[0]) - 1
        return self._shots[max(index, 0)][1]

    def _next(
        self, known: _Known, rgb: np.ndarray, motion: Motion, gap_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        disparity = come_nearer(motion.carry(known.disparity), motion, self.kind == "metric")
        age = NOISE**2 * (DRIFT_PER_S * gap_s + DRIFT_PER_PX * motion.way_px)
        variance = motion.carry(known.variance) + age
        if self._count % self.every:
            self.person, self._sure = _carried(self.person, motion), _carried(self._sure, motion)
            return disparity, np.where(motion.seen, variance, np.float32(1))
        self._sure = _carried(self._sure, motion)
        raw = self._estimated(rgb, disparity.shape)
        if self.kind == "metric":
            return _weighed(raw, disparity, variance, motion.seen)
        fit = fitted_scale(raw, disparity, motion.seen) or self._scale
        held = 1 - exp(-gap_s * self.every / ANCHOR_S)
        scale = fit.towards(self._scale, held, float(raw.mean()))
        return _weighed(scale(raw), disparity, variance, motion.seen)

    def _estimated(self, rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
        answer = self._estimator.estimate(rgb)
        raw, self.kind = unscaled_disparity(answer)
        self._ends = ends_of(raw)
        if answer.person is not None:
            raw = self._with_people(raw, answer.person, size_hw)
        return enlarge(raw, size_hw)

    def _with_people(
        self, raw: np.ndarray, person: np.ndarray, size_hw: tuple[int, int]
    ) -> np.ndarray:
        """Make people one surface each, those too who were sure to be there a moment ago."""
        self.person = enlarge(person, size_hw)
        before = None if self._sure is None else enlarge(self._sure, raw.shape) > 0.5
        people = sure_people(raw, person, before)
        everyone = np.logical_or.reduce(people, axis=0) if people else np.zeros(raw.shape, bool)
        self._sure = enlarge(everyone.astype(np.float32), size_hw)
        return as_surfaces(raw, people)


def _motion_from(known: _Known | None, small: np.ndarray, time_s: float) -> Motion | None:
    """Follow the frame back to what is known; None where a shot begins."""
    if known is None or known.rgb.shape != small.shape:
        return None
    if not 0 <= time_s - known.time_s < LONGEST_GAP_S:
        return None
    motion = follow(known.rgb, small)
    return None if is_cut(known.rgb, small, motion) else motion


def _carried(values: np.ndarray | None, motion: Motion) -> np.ndarray | None:
    return None if values is None else motion.carry(values)


def _weighed(
    measured: Float32[np.ndarray, "h w"],
    carried: Float32[np.ndarray, "h w"],
    variance: Float32[np.ndarray, "h w"],
    seen: Bool[np.ndarray, "h w"],
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Weigh an estimate against what was carried; return disparity and its new variance.

    A whole neighbourhood that differs by more than SURPRISE has changed: there the estimate wins.
    """
    import cv2

    difference = measured - carried
    agreed = cv2.blur(difference, (9, 9)) ** 2
    news = np.maximum(variance, agreed / SURPRISE**2 - NOISE**2)
    news = np.where(seen, news, np.float32(1))
    gain = news / (news + NOISE**2)
    return carried + gain * difference, ((1 - gain) * news).astype(np.float32)
