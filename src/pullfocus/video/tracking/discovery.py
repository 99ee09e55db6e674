"""Who is seen in a clip: everybody is followed from where they are first found, for `suggest`.

frame, depth -> followed ones updated -> strangers among the subjects found -> followed as well
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from pullfocus.focus import Subject, find_subjects
from pullfocus.focus.box import Box
from pullfocus.focus.script import Role
from pullfocus.focus.script_policy import Sighting
from pullfocus.types import DepthMap, Photo
from pullfocus.video.tracking.boxes import followed_box
from pullfocus.video.tracking.subjects import Subjects

LOOK_S = 0.25
"""Time between two looks for strangers; who is no mistake is there in two of them."""
SAME = 0.4
"""Share of the smaller of two boxes that both cover, from which they hold the same subject."""
MOST_AT_ONCE = 5
"""Subjects in sight above which nobody else gets a lane."""
PERSON, THING = "person", "thing"


class Cast:
    """Follows everybody; `roles` grows by each who enters, one lane each in the script.

    People who leave and return keep their lane. Things get one only where a shot has no people.
    """

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self._subjects = Subjects(self.roles)
        self._maybe: list[Box] = []
        self._look_again_s = -np.inf

    def look(
        self, rgb: UInt8[np.ndarray, "h w 3"], depth: DepthMap, time_s: float, cut: bool
    ) -> Mapping[str, Sighting]:
        """Take the next frame; return what is known of everybody so far."""
        self._subjects.update(rgb, depth, time_s, cut)
        if cut or time_s >= self._look_again_s:
            self._look_again_s = time_s + LOOK_S
            self._enter(rgb, depth, time_s, cut)
        return self._subjects.sightings(time_s)

    def _enter(self, rgb: np.ndarray, depth: DepthMap, time_s: float, cut: bool) -> None:
        """Give lanes to strangers: in a shot's first frame at once, else at the second look."""
        found = find_subjects(Photo.from_array(rgb), depth)
        people = [subject for subject in found if subject.kind == "person"]
        there = self._boxes_in_sight(time_s)
        strangers = [one for one in people if not _is_among(followed_box(one), there)]
        if cut and not people and not there:
            strangers = [found[0]]
        for stranger in strangers[: max(0, MOST_AT_ONCE - len(there))]:
            if cut or _is_among(followed_box(stranger), self._maybe):
                self._begin(stranger, rgb, depth, time_s)
        self._maybe = [followed_box(stranger) for stranger in strangers]

    def _begin(self, stranger: Subject, rgb: np.ndarray, depth: DepthMap, time_s: float) -> None:
        kind = PERSON if stranger.kind == "person" else THING
        name = f"{kind} {1 + sum(known.startswith(kind) for known in self.roles)}"
        left, top, right, bottom = (round(side, 4) for side in followed_box(stranger))
        self.roles[name] = Role(at_s=round(max(time_s, 0.0), 4), box=(left, top, right, bottom))
        self._subjects.begin(name, rgb, depth, time_s)

    def _boxes_in_sight(self, time_s: float) -> list[Box]:
        sightings = self._subjects.sightings(time_s)
        boxes = (self._subjects.box(name) for name, seen in sightings.items() if not seen.hidden_s)
        return [box for box in boxes if box is not None]


def _is_among(box: Box, others: list[Box]) -> bool:
    return any(box.common(one).area > SAME * min(box.area, one.area) for one in others)
