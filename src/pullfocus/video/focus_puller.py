"""Where each frame is focused: the script's plane over time, from what the frames show.

frame, disparity -> subjects followed -> decision, choice -> target -> pull -> Focus
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pullfocus.focus import check_focus, find_subjects, focus_at
from pullfocus.focus.script import Decision, FocusScript, Pull
from pullfocus.focus.script_policy import subject_in_focus
from pullfocus.pipeline.line import range_disparity
from pullfocus.types import DepthMap, Focus, Photo
from pullfocus.video.tracking.people_range import Everyone
from pullfocus.video.tracking.subjects import Subjects

JUMP = Pull()


@dataclass(frozen=True, slots=True)
class _Aim:
    """What the focus is on: a decision, and the subject that it means now, if any."""

    decision: int
    subject: str | None


class Puller:
    """Follows a script, frame by frame; after a cut the focus jumps instead of travelling.

    subjects: those of the script, as they are followed.
    """

    def __init__(self, script: FocusScript, subjects: Subjects) -> None:
        self._script = script
        self.subjects = subjects
        self._aim = _Aim(-1, None)
        self._pulls: tuple[Pull, ...] = (JUMP, JUMP, JUMP)
        self._planes: tuple[float | None, ...] = (None, None, None)  # in focus, near end, far end
        self._held: float | None = None
        self._everyone = Everyone()

    @property
    def events(self) -> list[str]:
        """What was lost and found again, with its time, in words."""
        return self.subjects.events

    def focus(self, rgb: np.ndarray, depth: DepthMap, time_s: float, cut: bool) -> Focus:
        """Return the focus of the next frame.

        Raises:
            UsageError: the script asks for metres and this depth has none.
        """
        wanted = self._script.decisions[self._script.decision_at(time_s)]
        first = (wanted.focus.subject, *wanted.also)
        self.subjects.update(rgb, depth, time_s, cut, first)
        aim = self._aim_at(time_s)
        decision = self._script.decisions[aim.decision]
        self._begin_pulls(aim, decision, time_s, cut)
        target = self._target(aim, decision, rgb, depth)
        sharp = self._sharp(decision, target, depth)
        if decision.everyone:
            sharp += self._everyone.ends(rgb, depth, target, time_s, cut)
        goals = target, max(sharp), min(sharp)
        plane, near, far = (
            pull.plane(time_s, goal) for pull, goal in zip(self._pulls, goals, strict=True)
        )
        self._planes = plane, near, far
        place = self.subjects.place(aim.subject)
        x, y = place or decision.focus.point or (None, None)
        focus = Focus(plane, x=x, y=y, chosen=aim.subject or "script")
        return focus if near == far else focus.with_range(near, far)

    def f_number(self, time_s: float, f_number: float) -> float:
        """Return the aperture at a moment; `f_number` is the settings' own."""
        return self._script.f_number_at(time_s, f_number)

    def _aim_at(self, time_s: float) -> _Aim:
        index = self._script.decision_at(time_s)
        now = self._aim.subject if index == self._aim.decision else None
        decision = self._script.decisions[index]
        return _Aim(index, subject_in_focus(decision, now, self.subjects.sightings(time_s)))

    def _begin_pulls(self, aim: _Aim, decision: Decision, time_s: float, cut: bool) -> None:
        """Let the focus travel from where it is, when it is on something else from now on."""
        if cut:
            self._pulls, self._held = (JUMP, JUMP, JUMP), None
        elif aim != self._aim:
            starts_s = decision.at_s
            if aim.decision == self._aim.decision:
                starts_s = time_s
                self.events.append(f"{time_s:.2f} s: the focus goes to {aim.subject}.")
            self._pulls = tuple(
                Pull(start, starts_s, decision.pull_s, decision.easing) for start in self._planes
            )
        if aim.decision != self._aim.decision:
            self._held = None
        self._aim = aim

    def _sharp(self, decision: Decision, target: float, depth: DepthMap) -> list[float]:
        """List the planes between which everything must be sharp: the target, and others."""
        others = [self.subjects.disparity(name) for name in decision.also]
        sharp = [target, *(plane for plane in others if plane is not None)]
        return [*sharp, *(range_disparity(depth, decision.range) or ())]

    def _target(self, aim: _Aim, decision: Decision, rgb: np.ndarray, depth: DepthMap) -> float:
        """Return the disparity that is aimed at; who is not seen yet leaves the plane alone."""
        if aim.subject is not None:
            known = [self.subjects.disparity(aim.subject), self._planes[0]]
            there = next((plane for plane in known if plane is not None), None)
            return _most_plausible(rgb, depth) if there is None else there
        if self._held is None:
            self._held = _plane_of(decision, depth)
        return self._held


def _most_plausible(rgb: np.ndarray, depth: DepthMap) -> float:
    return find_subjects(Photo.from_array(rgb), depth)[0].disparity


def _plane_of(decision: Decision, depth: DepthMap) -> float:
    target = decision.focus
    if target.point is not None:
        return focus_at(depth, *target.point).disparity
    if target.distance_m is not None:
        return check_focus(depth, Focus.at_distance_m(target.distance_m)).disparity
    return float(target.disparity or 0.0)
