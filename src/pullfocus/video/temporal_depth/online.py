"""Depth that does not flicker: the second step of the line, over the frames of a video.

    frame -> follow (flow) -> carry what was known, as much nearer -> weigh both -> disparity
                 |            estimate, scale ------------------------^             |
                 +---- a cut: forget everything, begin another shot                 +-> next

Every pixel keeps its disparity and how surely it is known (a Kalman filter along the flow). A new
estimate counts by its own noise against that; where nothing could be followed it counts alone.
People are one surface each in every estimate, as in photos, and stay so along the flow.
Memory is two small maps and one small frame, however long the video.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth import Estimator, open_estimator
from pullfocus.depth.edges.upsample import enlarge
from pullfocus.depth.normalise import bent_to_unit, ends_of, unscaled_disparity
from pullfocus.depth.subjects.masks import SubjectMasks, find_masks
from pullfocus.depth.subjects.surface import as_surfaces, sure_people
from pullfocus.errors import UsageError
from pullfocus.types import DepthKind
from pullfocus.video.temporal_depth.kalman import (
    NOISE,
    Known,
    Predicted,
    Scale,
    fitted_scale,
    predicted,
    weighed,
)
from pullfocus.video.temporal_depth.optical_flow import (
    Flows,
    Motion,
    flows_between,
    followed,
    is_cut,
    small_picture,
)

LONG_SIDE_PX = 384
"""Longer side of the maps: above what the network resolves, so that carrying blurs nothing."""
ANCHOR_S = 0.3
"""Time in which a frame's scale returns to the shot's: fits alone drift away in a pan, while the
network's own scale holds over a shot but trembles from frame to frame."""
HEADROOM = 0.25
"""Room that is left above a shot's first frame for what comes nearer later (its share)."""
MASKS_PX = 384
"""Size at which people are looked for, at most: at 320 a head keeps .75 of its detail, not .80."""
LONGEST_GAP_S = 1.0
"""After such a gap in time nothing is followed any more."""


MaskFinder = Callable[[UInt8[np.ndarray, "h w 3"]], SubjectMasks]


def find_masks_once(rgb: UInt8[np.ndarray, "h w 3"]) -> SubjectMasks:
    """Find people in a frame with one run of the network, never on more pixels than there are."""
    return find_masks(rgb, flip_averaging=False, long_side_px=min(MASKS_PX, max(rgb.shape[:2])))


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What one frame brought.

    flows: between it and the frame before, None where a shot began. measured: its estimate in the
        shot's unit, None where there was none. person: probability of people, None where nobody
        looks for them. sure: 1 where they are, 0 elsewhere. cut: whether a shot began.
    """

    known: Known
    flows: Flows | None
    measured: Float32[np.ndarray, "h w"] | None
    person: Float32[np.ndarray, "h w"] | None
    sure: Float32[np.ndarray, "h w"] | None
    cut: bool

    def with_surfaces(self, disparity: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Make people one surface each, whatever several estimates together made of them."""
        if self.person is None or self.sure is None:
            return disparity
        return as_surfaces(disparity, sure_people(disparity, self.person, self.sure > 0.5))


class SteadyDepth:
    """Depth for one frame after the other, live, on a scale that a shot's first frame fixes.

    every: estimate depth on every n-th frame of a shot; between them it only moves with the flow.
    long_side_px: of the maps. anchor_s: see ANCHOR_S. careful: see `flows_between`.
    masks: finds people for depth models that do not; None: nobody is looked for.

    Raises:
        UsageError: `every` below 1.
    """

    _known: Known | None
    _sure: Float32[np.ndarray, "a b"] | None

    def __init__(
        self,
        estimator: Estimator | None = None,
        every: int = 1,
        long_side_px: int = LONG_SIDE_PX,
        anchor_s: float = ANCHOR_S,
        careful: bool = False,
        masks: MaskFinder | None = find_masks_once,
    ) -> None:
        if every < 1:
            raise UsageError(f"Depth is estimated on every n-th frame from 1 up, not {every}.")
        self.every = every
        self.long_side_px = long_side_px
        self.anchor_s = anchor_s
        self.careful = careful
        self.kind: DepthKind = "relative"
        self.cut = False
        self.person: Float32[np.ndarray, "a b"] | None = None
        self._estimator = estimator or open_estimator()
        self._masks = masks
        self._count = 0
        self._forget()

    def push(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Float32[np.ndarray, "a b"]:
        """Take the next frame and return its disparity, small: see `long_side_px`.

        rgb: an upright sRGB-coded frame; all frames of a video have one size. time_s: its time.

        Afterwards `cut` says whether a shot began with it, `kind` whether it has metres, and
        `person` how probably a person is seen where (None from models that do not look for people).

        Convention: larger = nearer; 0..1 in the shot's own unit, or 1/m from metric models.
        """
        disparity = self.step(rgb, time_s).known.disparity
        return disparity if self.kind == "metric" else bent_to_unit(disparity)

    def step(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Step:
        """Do the same, and return all that became known; disparity may leave 0..1."""
        small, known = small_picture(rgb, self.long_side_px), self._known
        flows = _flows_from(known, small, time_s, self.careful)
        motion = None if known is None or flows is None else _unless_cut(known.rgb, small, flows)
        self.cut = motion is None
        measured: np.ndarray | None
        if known is None or motion is None:
            flows = None
            self._forget()
            measured = disparity = self._first(rgb, small.shape[:2])
            variance = np.full(small.shape[:2], NOISE**2, np.float32)
        else:
            before = predicted(known, small, motion, time_s, self.kind == "metric")
            disparity, variance = before.disparity, before.variance
            measured = self._measured(rgb, before, time_s - known.time_s)
            if measured is not None:
                disparity, variance = weighed(measured, NOISE**2, before)
        self._count += 1
        self._known = Known(small, disparity, variance, time_s)
        return Step(self._known, flows, measured, self.person, self._sure, self.cut)

    def _forget(self) -> None:
        self._known = self._sure = self.person = None
        self._scale = Scale(1.0, 0.0)
        self._count = 0

    def _first(self, rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
        raw = self._estimated(rgb, size_hw)
        if self.kind == "relative":
            low, high = ends_of(raw)
            self._scale = Scale.of_ends(low, high + HEADROOM * (high - low))
        return self._scale(raw)

    def _measured(self, rgb: np.ndarray, before: Predicted, gap_s: float) -> np.ndarray | None:
        """Estimate depth, if it is this frame's turn, and fit it to what is predicted."""
        motion = before.motion
        self._sure = _carried(self._sure, motion)
        self.person = _carried(self.person, motion)
        if self._count % self.every:
            return None
        raw = self._estimated(rgb, before.disparity.shape)
        if self.kind == "metric":
            return raw
        fit = fitted_scale(raw, before.disparity, motion.seen) or self._scale
        held = 1 - exp(-gap_s * self.every / self.anchor_s)
        return fit.towards(self._scale, held, float(raw.mean()))(raw)

    def _estimated(self, rgb: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
        answer = self._estimator.estimate(rgb)
        h, w = size_hw
        raw, self.kind = unscaled_disparity(answer)
        person = answer.person
        if person is None and self._masks is not None:
            person = self._masks(rgb).person
        self.person = None if person is None else enlarge(person, (h, w))
        if person is not None:
            raw = self._with_people(raw, person, (h, w))
        return enlarge(raw, (h, w))

    def _with_people(
        self, raw: np.ndarray, person: np.ndarray, size_hw: tuple[int, int]
    ) -> np.ndarray:
        """Make people one surface each, those too who were sure to be there a moment ago."""
        h, w = raw.shape
        before = None if self._sure is None else enlarge(self._sure, (h, w)) > 0.5
        people = sure_people(raw, person, before)
        everyone = np.logical_or.reduce(people, axis=0) if people else np.zeros((h, w), bool)
        self._sure = enlarge(everyone.astype(np.float32), size_hw)
        return as_surfaces(raw, people)


def _flows_from(
    known: Known | None, small: np.ndarray, time_s: float, careful: bool
) -> Flows | None:
    """Work out flows to the frame that is known; None where there is none to hold on to."""
    if known is None or known.rgb.shape != small.shape:
        return None
    if not 0 <= time_s - known.time_s < LONGEST_GAP_S:
        return None
    return flows_between(known.rgb, small, careful)


def _unless_cut(before: np.ndarray, now: np.ndarray, flows: Flows) -> Motion | None:
    """Follow the frame back to the one before; None where a shot begins between them."""
    motion = followed(before, now, flows)
    return None if is_cut(before, now, motion) else motion


def _carried(values: np.ndarray | None, motion: Motion) -> np.ndarray | None:
    return None if values is None else motion.carry(values)
