"""Write a focus script for a clip: a lane for everybody, and on whom the focus is from when on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from pullfocus.focus.script import Decision, FocusScript, Strength, Target
from pullfocus.focus.script_policy import Sighting, subject_in_focus
from pullfocus.video.frame_pipeline import FrameLine, Told
from pullfocus.video.job import FrameOptions
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.tracking.discovery import THING, Cast

PATIENCE_S = 0.4
"""So long must somebody else be the better choice, for a decision to be made of it."""
FARTHEST = FocusScript(decisions=(Decision(at_s=0, focus=Target(disparity=0.0)),))
"""What the line is focused on meanwhile: nothing that would have to be followed."""


def suggest_script(
    video: Path, options: FrameOptions, *, told: Told = lambda *_: None
) -> FocusScript:
    """Look at a clip, follow everybody in it, and suggest on whom to focus from when on.

    In every shot a strong decision for the most prominent, people before things; a weak one when
    somebody has become clearly more prominent, nearer or larger. Boxes and times are there to be
    edited; who got no decision has a lane.

    Raises:
        PullfocusError: as `FrameLine` does.
    """
    cast, chooser = Cast(), Chooser()
    with closing(VideoSource(video)) as source:
        line = FrameLine(source, replace(options, script=FARTHEST), ".mp4")
        with closing(line.looked()) as frames:  # type: ignore[type-var]
            for frame in frames:
                if frame.depth is not None:
                    seen = cast.look(frame.rgb, frame.depth, frame.time_s, frame.cut)
                    chooser.watch(seen, frame.time_s, frame.cut)
                told(frame.number + 1, line.info.frames)
    script = FocusScript(subjects=cast.roles, decisions=tuple(chooser.decisions))
    return script.with_sharp(options.settings.range, options.settings.all_people_sharp)


@dataclass(slots=True)
class Chooser:
    """Makes decisions from what is seen over time, by the rules that the focus itself follows."""

    decisions: list[Decision] = field(default_factory=list)
    _main: str | None = None
    _better: str | None = None
    _since_s: float = 0.0

    def watch(self, seen: Mapping[str, Sighting], time_s: float, cut: bool) -> None:
        """Take what is known of everybody at the next moment; a cut begins with the best there."""
        there = {name: one for name, one in seen.items() if one.hidden_s == 0}
        if not there:
            return
        if cut or not self.decisions:
            self._main = self._better = _best(there)
            self._decide(Decision(at_s=_at(time_s), focus=Target(subject=self._main), pull_s=0.0))
            return
        now = self.decisions[-1].focus.subject
        choice = self._choice(now, there, seen)
        if choice != self._better:
            self._better, self._since_s = choice, time_s
        if choice not in (None, now) and time_s - self._since_s >= PATIENCE_S:
            strength: Strength = "strong" if choice == self._main else "weak"
            focus = Target(subject=choice)
            self._decide(Decision(at_s=_at(self._since_s), focus=focus, strength=strength))

    def _choice(
        self, now: str | None, there: Mapping[str, Sighting], seen: Mapping[str, Sighting]
    ) -> str | None:
        """Return who should be in focus: a person rather than a thing, else the clearly better."""
        people = {name: one for name, one in there.items() if not name.startswith(THING)}
        if people and now is not None and now.startswith(THING):
            self._main = _best(people)
            return self._main
        ready = self.decisions[-1].model_copy(update={"strength": "weak"})
        return subject_in_focus(ready, now, seen)

    def _decide(self, decision: Decision) -> None:
        if self.decisions and decision.at_s <= self.decisions[-1].at_s:
            self.decisions.pop()
        self.decisions.append(decision)


def _at(time_s: float) -> float:
    return round(max(time_s, 0.0), 4)


def _best(there: Mapping[str, Sighting]) -> str:
    people = {name: one for name, one in there.items() if not name.startswith(THING)} or there
    return max(people, key=lambda name: there[name].prominence)
