"""Which subject a decision means at a moment: strong ones stay, weak ones make way for better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pullfocus.focus.script import Decision

LEFT_AFTER_S = 1.0
"""A subject that was not seen for so long has left; before, it is only hidden."""
CLEARLY_BETTER = 1.5
"""So much more prominent must another subject be, for a weak decision to go there."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a subject at a moment.

    hidden_s: since when it has not been seen; 0 while it is. prominence: how much of the picture
        it takes, near and central counting more.
    """

    hidden_s: float
    prominence: float

    @property
    def has_left(self) -> bool:
        """Whether it has been gone for so long that the focus may go elsewhere."""
        return self.hidden_s > LEFT_AFTER_S


def subject_in_focus(
    decision: Decision, now: str | None, sightings: Mapping[str, Sighting]
) -> str | None:
    """Return the subject to be on, by name; None when the decision is for a plane.

    now: the subject in focus. Nobody else in sight: the focus stays where the subject was.
    """
    wanted = decision.focus.subject
    if wanted is None:
        return None
    if decision.strength == "strong":
        return wanted if not _gone(sightings, wanted) else _instead(wanted, now, sightings)
    holder = now if now is not None and now in sightings else wanted
    if _gone(sightings, holder):
        return _instead(holder, now, sightings)
    best = _most_prominent(sightings) or holder
    limit = CLEARLY_BETTER * sightings[holder].prominence if holder in sightings else 0.0
    return best if best != holder and sightings[best].prominence > limit else holder


def _gone(sightings: Mapping[str, Sighting], name: str) -> bool:
    return name in sightings and sightings[name].has_left


def _instead(wanted: str, now: str | None, sightings: Mapping[str, Sighting]) -> str:
    """Choose who takes over: who has it already and is still there, else the most prominent."""
    if now is not None and now in sightings and not sightings[now].has_left:
        return now
    return _most_prominent(sightings) or wanted


def _most_prominent(sightings: Mapping[str, Sighting]) -> str | None:
    there = {name: seen for name, seen in sightings.items() if seen.hidden_s == 0}
    return max(there, key=lambda name: there[name].prominence, default=None)
