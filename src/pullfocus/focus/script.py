"""The focus script of a video: what to focus on from when on, and the plane that means at a moment.

    subjects: who there is and where they are first seen
    decisions: from at_s on, focus on a subject, a point, a distance; strong or weak; with a pull
    apertures: from at_s on, the f-number, changed over a while

Made by `pullfocus video --suggest`, edited by hand or in the app. All times are the video's own
timestamps, in seconds; all places are fractions of the upright picture.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pullfocus.errors import UsageError
from pullfocus.json_files import brief, read_json

Easing = Literal["linear", "smooth", "ease-in", "ease-out"]
Strength = Literal["strong", "weak"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def _one_of(self, *names: str) -> str:
        """Return which of the fields is given.

        Raises:
            ValueError: none, or several.
        """
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(names)}")
        return given[0]


class Role(_Part):
    """Who or what is followed, and where it is at one moment.

    person: the n-th person in the picture at that moment, the most prominent first.
    found: the most plausible subject of that moment, and anew after each cut.
    """

    at_s: Seconds = 0.0
    point: tuple[Fraction, Fraction] | None = None
    box: tuple[Fraction, Fraction, Fraction, Fraction] | None = None
    person: Annotated[int, Field(ge=1)] | None = None
    found: Literal[True] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Role:
        self._one_of("point", "box", "person", "found")
        if self.box is not None:
            left, top, right, bottom = self.box
            if not (left < right and top < bottom):
                raise ValueError("a box needs left < right and top < bottom")
        return self


class Target(_Part):
    """What to focus on: a subject by its name, or a plane that stays.

    point: the plane of what is there when the decision begins, or a later shot does.
    disparity: 0 (farthest) to 1 (nearest) with relative depth, 1/m with metric depth.
    distance_m: needs metric depth.
    """

    subject: str | None = None
    point: tuple[Fraction, Fraction] | None = None
    disparity: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    distance_m: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Target:
        self._one_of("subject", "point", "disparity", "distance_m")
        return self


class Decision(_Part):
    """From `at_s` on, focus on `focus`.

    strong: stays until the subject leaves, and comes back with it. weak: until something better,
    which is another subject of the script that has become clearly more prominent.
    pull_s, easing: how long the focus travels there, in disparity, and how it starts and stops.
    also: subjects that are kept sharp as well, wherever they go. range: what is kept sharp anyway,
    from near to far: metres with metric depth, else disparity from 1 (nearest) to 0.
    everyone: all people in sight are kept sharp as well.
    """

    at_s: Seconds
    focus: Target
    strength: Strength = "strong"
    pull_s: Seconds = 0.6
    easing: Easing = "smooth"
    also: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    everyone: bool = False


class Aperture(_Part):
    """From `at_s` on, this f-number; the change takes `change_s`, evenly in stops."""

    at_s: Seconds
    f_number: Annotated[float, Field(ge=0.5, le=256)]
    change_s: Seconds = 0.0
    easing: Easing = "smooth"


class FocusScript(_Part):
    """All decisions of a video. Decisions and apertures are in order of time."""

    version: Literal[1] = 1
    subjects: dict[str, Role] = {}
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1)]
    apertures: tuple[Aperture, ...] = ()

    @model_validator(mode="after")
    def _checked(self) -> FocusScript:
        for name, rows in (("decisions", self.decisions), ("apertures", self.apertures)):
            times = [row.at_s for row in rows]
            if any(a >= b for a, b in pairwise(times)):
                raise ValueError(f"the {name} are not in order of time")
        for decision in self.decisions:
            for who in (decision.focus.subject, *decision.also):
                if who not in (None, *self.subjects):
                    known = ", ".join(self.subjects) or "none"
                    raise ValueError(f"there is no subject {who!r} in it (there are: {known})")
        return self

    def with_sharp(
        self, near_far: tuple[float, float] | None, everyone: bool = False
    ) -> FocusScript:
        """Return the script with a sharp range, or everyone sharp, where it says no other."""
        rows = [
            row.model_copy(
                update={"range": row.range or near_far, "everyone": row.everyone or everyone}
            )
            for row in self.decisions
        ]
        return self.model_copy(update={"decisions": tuple(rows)})

    @classmethod
    def parse(cls, content: Any) -> FocusScript:
        """Make a script from what JSON holds.

        Raises:
            UsageError: it is none, in one sentence.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as problem:
            raise UsageError(_sentence(problem)) from None

    def decision_at(self, time_s: float) -> int:
        """Return the index of the decision in force; before the first one, the first."""
        return max(0, bisect_right(self.decisions, time_s, key=lambda row: row.at_s) - 1)

    def f_number_at(self, time_s: float, f_number: float) -> float:
        """Compute the aperture at a moment; `f_number` is the one before the first change."""
        stops = 2 * log2(f_number)
        times = [*(row.at_s for row in self.apertures), float("inf")]
        for row, end_s in zip(self.apertures, times[1:], strict=True):
            if time_s >= row.at_s:  # a later change begins where this one has come
                share = eased(row.easing, min(time_s, end_s) - row.at_s, row.change_s)
                stops += share * (2 * log2(row.f_number) - stops)
        return float(2 ** (stops / 2))


@dataclass(frozen=True, slots=True)
class Pull:
    """The focus on its way: from a plane, since a moment, over a while.

    start: disparity where it began; None when there was no focus before, so that it jumps.
    """

    start: float | None = None
    at_s: float = 0.0
    pull_s: float = 0.0
    easing: Easing = "smooth"

    def plane(self, time_s: float, target: float) -> float:
        """Return the disparity in focus, between the start and the target, which may move."""
        if self.start is None:
            return target
        share = eased(self.easing, time_s - self.at_s, self.pull_s)
        return target if share >= 1 else self.start + share * (target - self.start)


FOUND = FocusScript(
    subjects={"found": Role(found=True)},
    decisions=(Decision(at_s=0, focus=Target(subject="found")),),
)
"""What a video without a script is focused on: the subject that is found."""


def plane_at(
    script: FocusScript, time_s: float, disparity_of: Callable[[Target, float], float]
) -> float:
    """Compute the disparity in focus at a moment, for subjects whose whole way is known.

    disparity_of: where a target is at a time. A decision that begins while a pull is on its way
    starts from where that pull has come.
    """
    pull = Pull()
    rows = script.decisions[: script.decision_at(time_s) + 1]
    for before, row in pairwise(rows):
        start = pull.plane(row.at_s, disparity_of(before.focus, row.at_s))
        pull = Pull(start, row.at_s, row.pull_s, row.easing)
    return pull.plane(time_s, disparity_of(rows[-1].focus, time_s))


def eased(easing: Easing, elapsed_s: float, duration_s: float) -> float:
    """Return how much of a change is done, 0..1, never going back."""
    if elapsed_s >= duration_s:
        return 1.0
    u = max(0.0, elapsed_s / duration_s)
    if easing == "smooth":
        return u * u * (3 - 2 * u)
    if easing == "ease-in":
        return u * u
    if easing == "ease-out":
        return u * (2 - u)
    return u


def read_script(path: Path) -> FocusScript:
    """Read a focus script from a JSON file.

    Raises:
        UnreadableInputError: no such file, or not JSON.
        UsageError: JSON that is no script.
    """
    content = read_json(path, "The focus script", "write one with --suggest")
    try:
        return FocusScript.parse(content)
    except UsageError as problem:
        raise UsageError(f"In the focus script {path}: {problem}") from None


def script_json(script: FocusScript) -> str:
    """Write a script as people edit it: only what was said, one line a value."""
    return script.model_dump_json(indent=2, exclude_none=True) + "\n"


def _sentence(problem: ValidationError) -> str:
    error = problem.errors(include_url=False)[0]
    where = ".".join(str(part) for part in error["loc"]) or "it"
    message = error["msg"].removeprefix("Value error, ")
    return brief(f"{where}: {message[0].lower()}{message[1:].rstrip('.')}", 300) + "."
