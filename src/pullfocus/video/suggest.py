"""Write a focus script for a clip: who is worth following in each shot."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pullfocus.focus.script import FOUND, Decision, FocusScript, Role, Target
from pullfocus.video.job import FrameOptions
from pullfocus.video.line import FrameLine
from pullfocus.video.source import VideoSource


def suggest_script(video: Path, options: FrameOptions) -> FocusScript:
    """Look at a clip, and suggest to follow in every shot the subject that is found in it.

    The boxes and times are there to be edited.

    Raises:
        PullfocusError: as `FrameLine` does.
    """
    subjects: dict[str, Role] = {}
    decisions: list[Decision] = []
    with closing(VideoSource(video)) as source:
        line = FrameLine(source, replace(options, script=FOUND), ".mp4")
        with closing(line.looked()) as frames:  # type: ignore[type-var]
            for frame in frames:
                box = line.puller.subjects.box("found")
                if frame.cut and box is not None:
                    name, at_s = f"shot {len(subjects) + 1}", round(max(frame.time_s, 0.0), 4)
                    left, top, right, bottom = (round(side, 4) for side in box)
                    subjects[name] = Role(at_s=at_s, box=(left, top, right, bottom))
                    decisions.append(Decision(at_s=at_s, focus=Target(subject=name), pull_s=0.0))
    return FocusScript(subjects=subjects, decisions=tuple(decisions))
