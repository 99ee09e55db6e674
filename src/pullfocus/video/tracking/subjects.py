"""The subjects of a script, followed from frame to frame: where each is and how near."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import exp, inf
from typing import Any

import numpy as np

from pullfocus.focus.box import Box
from pullfocus.focus.script import Role
from pullfocus.focus.script_policy import LEFT_AFTER_S, Sighting
from pullfocus.types import DepthMap
from pullfocus.video.tracking.boxes import box_of, disparity_of, is_person
from pullfocus.video.tracking.tracker import Seen, Tracker

SETTLING_S = 0.1
"""Time in which a subject's measured distance is taken over; takes the tremble out of it."""
JUMP = 0.03
"""Step of a person's disparity that is taken over at once: the depth map has it already, and a
focus that trails it would leave the person soft meanwhile. Of others a box says less."""
LOOK_AGAIN_S = 0.5
"""After this, people who were not there yet are looked for again."""
ROUNDING_S = 1e-3
"""A tick by which times are off in containers that count milliseconds."""
MOST_SEARCHES = 2
"""Subjects out of sight that are searched for in one frame, in turns: a long film has many."""


@dataclass(slots=True)
class _Followed:
    """One subject on its way; disparity is the last that was measured."""

    tracker: Any
    box: Box
    disparity: float
    prominence: float
    seen_at_s: float
    is_person: bool
    in_sight: bool = True
    told_lost: bool = False

    def measure(self, depth: DepthMap, box: Box, share: float) -> None:
        """Take a share of how near it is now over, more of a person's step."""
        step = disparity_of(depth, box, self.is_person) - self.disparity
        self.disparity += step * max(share, min(abs(step) / JUMP, 1.0) * self.is_person)


@dataclass(slots=True)
class Subjects:
    """Follows the subjects of a script; each is looked for from its `at_s` on.

    pause_s: the least time between two looks for them, but in the first frame of a shot.
    events: when a subject was lost, what happened then, and when it came back.
    """

    wanted: Mapping[str, Role]
    new_tracker: Callable[[], Any] = Tracker
    pause_s: float = 0.0
    events: list[str] = field(default_factory=list)
    _followed: dict[str, _Followed] = field(default_factory=dict)
    _look_again_s: dict[str, float] = field(default_factory=dict)
    _count: int = 0
    _looked_s: float = -inf

    def update(
        self,
        rgb: np.ndarray,
        depth: DepthMap,
        time_s: float,
        cut: bool,
        first: Collection[str | None] = (),
    ) -> None:
        """Look for the subjects in the next frame; `first`, if lost, are always searched for."""
        looks = cut or time_s >= self._looked_s + self.pause_s - ROUNDING_S
        searched = self._searched(first)
        if looks:
            self._looked_s = time_s
            self._count += 1
        for name, subject in self.wanted.items():
            known = self._followed.get(name)
            if known is not None and not (cut and subject.found):
                if looks and (known.in_sight or name in searched):
                    self._look_for(name, known, rgb, depth, time_s, cut)
                elif known.in_sight and known.is_person:
                    known.measure(depth, known.box, share=0.0)
            elif time_s >= self._look_again_s.get(name, subject.at_s):
                self.begin(name, rgb, depth, time_s)

    def begin(self, name: str, rgb: np.ndarray, depth: DepthMap, time_s: float) -> None:
        """Follow a subject from this frame on, or look for it again later."""
        box = box_of(self.wanted[name], rgb, depth)
        if box is not None:
            self._followed[name] = _new(self.new_tracker(), box, rgb, depth, time_s)
            return
        if name not in self._look_again_s:
            self.events.append(f"{time_s:.2f} s: {name} is not seen yet.")
        self._look_again_s[name] = time_s + LOOK_AGAIN_S

    def sightings(self, time_s: float) -> dict[str, Sighting]:
        """Return what is known of the subjects that were seen already."""
        return {
            name: Sighting(0.0 if known.in_sight else time_s - known.seen_at_s, known.prominence)
            for name, known in self._followed.items()
        }

    def disparity(self, name: str) -> float | None:
        """Return how near a subject is, or was when last seen; None before it was."""
        known = self._followed.get(name)
        return known.disparity if known else None

    def box(self, name: str) -> Box | None:
        """Return where a subject is, or was when last seen; None before it was."""
        known = self._followed.get(name)
        return known.box if known else None

    def place(self, name: str | None) -> tuple[float, float] | None:
        """Return the middle of a subject's box in fractions, None when it is out of sight."""
        known = self._followed.get(name) if name else None
        if known is None or known.told_lost:
            return None
        return known.box.centre

    def _searched(self, first: Collection[str | None]) -> set[str]:
        """Choose whom of the lost to search for in this frame."""
        lost = [name for name, known in self._followed.items() if not known.in_sight]
        others = [name for name in lost if name not in first]
        turn = self._count * MOST_SEARCHES % max(len(others), 1)
        return {name for name in lost if name in first} | set(
            (others[turn:] + others[:turn])[:MOST_SEARCHES]
        )

    def _look_for(
        self,
        name: str,
        known: _Followed,
        rgb: np.ndarray,
        depth: DepthMap,
        time_s: float,
        cut: bool,
    ) -> None:
        answer = known.tracker.update(rgb, depth.person)
        known.in_sight = isinstance(answer, Seen)
        if not isinstance(answer, Seen):
            if time_s - known.seen_at_s > LEFT_AFTER_S and not known.told_lost:
                known.told_lost = True
                since = f"{known.seen_at_s:.2f} s: {name} was lost"
                self.events.append(f"{since}: the focus stays unless another is seen.")
            return
        if known.told_lost:
            self.events.append(f"{time_s:.2f} s: {name} is back.")
        share = 1.0 if cut or known.told_lost else _share(time_s - known.seen_at_s)
        known.measure(depth, answer.box, share)
        known.prominence += share * (_prominence(answer.box, known.disparity) - known.prominence)
        known.box, known.seen_at_s, known.told_lost = answer.box, time_s, False


def _new(tracker: Any, box: Box, rgb: np.ndarray, depth: DepthMap, time_s: float) -> _Followed:
    tracker.start(rgb, box, depth.person)
    person = is_person(box, depth)
    disparity = disparity_of(depth, box, person)
    return _Followed(tracker, box, disparity, _prominence(box, disparity), time_s, person)


def _share(elapsed_s: float) -> float:
    return 1.0 - exp(-max(elapsed_s, 0.0) / SETTLING_S)


def _prominence(box: Box, disparity: float) -> float:
    """Compute how much of the picture a subject takes; near and central count more."""
    x, y = box.centre
    off_centre = (2 * x - 1) ** 2 + (2 * y - 1) ** 2
    return float(box.area * (0.5 + disparity) * exp(-off_centre))
