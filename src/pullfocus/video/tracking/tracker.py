"""Follow one subject from frame to frame, say when it is lost, and find it again.

    start -> update: CSRT -> does it look like the subject? -> Seen
                                    no -> search the frame -> Seen (again) or Lost

CSRT always answers, also when the subject is behind a tree; appearance, and the person mask where
there is one, tell whether to believe it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.errors import UsageError
from pullfocus.focus.box import Box
from pullfocus.video.temporal_depth.optical_flow import small_picture
from pullfocus.video.tracking.appearance import Appearance

LONG_SIDE_PX = 320
"""Longer side of the frame in which subjects are followed: CSRT's cost is that of its template."""
TEMPLATE_PX = 128
"""Side of CSRT's template; OpenCV's 200 takes twice the time and follows no better here."""
KEEP, FIND, WHOLE = 0.65, 0.8, 0.95
"""Share of the usual likeness that keeps a subject, that a found one needs, and with which all of
it is there again."""
LEARN = 0.9
"""Share of the usual likeness above which its look is learned."""
LEARN_EVERY = 8
"""Frames between two learned views."""
SOON, LATE = 0.1, 0.02
"""Share of each frame in the usual likeness: of one that is well seen, of one that is not (it may
be leaving, which must not become usual, or turning round, which must)."""
SIZE_HOLDS = 0.15
"""How much a found place loses for each e-fold of its area against the last known one."""
LEAST_SIDE_PX = 8
"""A box below this, in the small frame, is widened: CSRT needs something to hold on to."""
PERSON = 0.5
"""Share of a box that must be person at the start, for a person to be expected later."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The subject is in the frame: its box, its middle, and how sure that is (0..1)."""

    box: Box
    point: tuple[float, float]
    confidence: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The subject is hidden or has left: where it was last seen, and how many frames ago."""

    box: Box
    frames: int


class Tracker:
    """Follows what a box held at the start; about 20 ms a frame of any size, on one core.

    A subject that is lost is searched for in the whole frame, for as long as it takes; one that
    comes back piece by piece is searched on until all of it is there.

    Convention: boxes and points are fractions of the upright frame, origin top left.
    """

    def __init__(self) -> None:
        self._csrt: Any = None

    def start(
        self,
        rgb: UInt8[np.ndarray, "h w 3"],
        box: tuple[float, float, float, float],
        person: Float32[np.ndarray, "a b"] | None = None,
    ) -> None:
        """Begin with the frame in which `box` holds the subject.

        box: left, top, right, bottom. person: probability 0..1 of a person, of any size, if known.

        Raises:
            UsageError: a box without inside, or outside the frame.
        """
        inside = Box(*box).common(Box(0.0, 0.0, 1.0, 1.0))
        if inside.area <= 0:
            raise UsageError("A followed box needs left < right, top < bottom, inside the picture.")
        small = small_picture(rgb, LONG_SIDE_PX)
        self._box = self._whole = _large_enough(inside, small.shape[:2])
        self._appearance = Appearance(small, self._box)
        self._is_person = _person_share(person, self._box) >= PERSON
        self._usual = 1.0
        self._settled = True
        self._frames = self._frames_lost = 0
        self._hold(small, self._box)

    def update(
        self, rgb: UInt8[np.ndarray, "h w 3"], person: Float32[np.ndarray, "a b"] | None = None
    ) -> Seen | Lost:
        """Look for the subject in the next frame.

        Raises:
            UsageError: nothing was started.
        """
        if self._csrt is None:
            raise UsageError("A tracker follows after `start`.")
        small = small_picture(rgb, LONG_SIDE_PX)
        self._frames += 1
        box, likeness = self._box, 0.0
        if not self._frames_lost:
            box = self._followed(small)
            likeness = self._likeness(small, box, person)
            if likeness >= (KEEP if self._settled else WHOLE) * self._usual:
                return self._seen(small, box, likeness)
        found, same = self._best(small, person)
        if same >= max(FIND * self._usual, likeness):
            self._hold(small, found)
            return self._seen(small, found, same)
        if likeness >= KEEP * self._usual:
            return self._seen(small, box, likeness)
        self._frames_lost += 1
        return Lost(self._box, self._frames_lost)

    def _hold(self, small: np.ndarray, box: Box) -> None:
        """Let CSRT begin at a box."""
        import cv2

        h, w = small.shape[:2]
        parameters = cv2.TrackerCSRT.Params()
        parameters.template_size = TEMPLATE_PX
        self._csrt = cv2.TrackerCSRT.create(parameters)
        left, top = round(box.left * w), round(box.top * h)
        width, height = (box.right - box.left) * w, (box.bottom - box.top) * h
        self._csrt.init(small, (left, top, round(width), round(height)))

    def _followed(self, small: np.ndarray) -> Box:
        h, w = small.shape[:2]
        left, top, width, height = self._csrt.update(small)[1]
        return Box(left / w, top / h, (left + width) / w, (top + height) / h)

    def _likeness(self, small: np.ndarray, box: Box, person: np.ndarray | None) -> float:
        """Compare a box with the subject; 0 outside the frame, or where nobody is any more."""
        inside = box.common(Box(0.0, 0.0, 1.0, 1.0))
        if inside.area < 0.3 * box.area or inside.area <= 0:
            return 0.0
        if self._is_person and person is not None and _person_share(person, inside) < PERSON / 2:
            return 0.0
        return self._appearance.likeness(small, inside)

    def _best(self, small: np.ndarray, person: np.ndarray | None) -> tuple[Box, float]:
        """Return the most alike place in the frame, moved to where it is most alike.

        Of a part of the subject and all of it, the one of about the last size counts more.
        """

        def merit(box: Box) -> float:
            change = abs(log(max(box.area, 1e-9) / self._whole.area))
            return exp(-SIZE_HOLDS * change) * self._likeness(small, box, person)

        tried = {box: merit(box) for box in self._appearance.candidates(small, self._whole)}
        for box in sorted(tried, key=tried.__getitem__, reverse=True)[:3]:
            tried.update({near: merit(near) for near in _around(box)})
        best = max(tried, key=tried.__getitem__)
        return best, tried[best]

    def _seen(self, small: np.ndarray, box: Box, likeness: float) -> Seen:
        self._box = box.common(Box(0.0, 0.0, 1.0, 1.0))
        self._frames_lost = 0
        self._settled = likeness >= (KEEP if self._settled else WHOLE) * self._usual
        well = self._settled and likeness >= LEARN * self._usual
        if well:
            self._whole = self._box if self._box == box else self._whole
            if self._frames % LEARN_EVERY == 0:
                self._appearance.learn(small, self._box)
        if self._settled:
            self._usual += (SOON if well else LATE) * (likeness - self._usual)
        return Seen(self._box, self._box.centre, min(likeness, 1.0))


def _large_enough(box: Box, size_hw: tuple[int, int]) -> Box:
    (x, y), (h, w) = box.centre, size_hw
    across = max(box.right - box.left, min(LEAST_SIDE_PX / w, 1.0))
    down = max(box.bottom - box.top, min(LEAST_SIDE_PX / h, 1.0))
    left, top = (min(max(c - n / 2, 0.0), 1 - n) for c, n in ((x, across), (y, down)))
    return Box(left, top, left + across, top + down)


def _person_share(person: np.ndarray | None, box: Box) -> float:
    return 0.0 if person is None else float((person[box.slices(person.shape)] > 0.5).mean())  # type: ignore[arg-type]


def _around(box: Box) -> Iterator[Box]:
    """Yield boxes a little beside, above, below, larger and smaller."""
    across, down = (box.right - box.left) / 8, (box.bottom - box.top) / 8
    for dx in (-across, 0.0, across):
        for dy in (-down, 0.0, down):
            for grow in (-0.5, 0.0, 0.5):
                yield Box(
                    box.left + dx - grow * across,
                    box.top + dy - grow * down,
                    box.right + dx + grow * across,
                    box.bottom + dy + grow * down,
                )
