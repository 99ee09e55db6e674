"""What the focus flags of `pullfocus video` mean, as a focus script."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pullfocus.cli.console import err
from pullfocus.errors import UsageError
from pullfocus.focus.script import FOUND, Decision, FocusScript, Target, read_script
from pullfocus.pipeline import Settings


def script_from(
    focus_at: str | None, follow: str | None, script: Path | None, settings: Settings
) -> FocusScript:
    """Make the script that the flags ask for; without any, the subject that is found is followed.

    The range, and everyone, that the settings keep sharp are those of all its decisions.

    Raises:
        UsageError: several ways to focus at once, or one that is no place.
    """
    asked = _asked_for(focus_at, follow, script, settings)
    return asked.with_sharp(settings.range, settings.all_people_sharp)


def _asked_for(
    focus_at: str | None, follow: str | None, script: Path | None, settings: Settings
) -> FocusScript:
    planes = {"focus_m": settings.focus_m, "focus_disparity": settings.focus_disparity}
    given = [focus_at, follow, script, *planes.values()]
    if sum(value is not None for value in given) > 1:
        raise UsageError(
            "Choose one of --focus-at, --follow, --script, --focus-m and --focus-disparity."
        )
    if script is not None:
        return read_script(script)
    if follow is not None:
        return _following(follow)
    if focus_at is not None:
        return _held(Target(point=Settings.parse(at=focus_at).at))
    if settings.focus_m is not None:
        return _held(Target(distance_m=settings.focus_m))
    if settings.focus_disparity is not None:
        return _held(Target(disparity=settings.focus_disparity))
    return FOUND


def _held(target: Target) -> FocusScript:
    return FocusScript(decisions=(Decision(at_s=0, focus=target),))


def _following(who: str) -> FocusScript:
    """Read person, X,Y@T or LEFT,TOP,RIGHT,BOTTOM@T."""
    place, _, moment = who.partition("@")
    try:
        at_s = float(moment or 0)
        numbers = [] if place == "person" else [float(part) for part in place.split(",")]
    except ValueError:
        raise _no_place(who) from None
    subject = {"at_s": at_s} | _place(place, numbers, who)
    content = {
        "subjects": {"followed": subject},
        "decisions": [{"at_s": 0, "focus": {"subject": "followed"}}],
    }
    return FocusScript.parse(content)


def _place(place: str, numbers: list[float], who: str) -> dict[str, object]:
    if place == "person":
        return {"person": 1}
    if not all(0 <= number <= 1 for number in numbers):
        raise _no_place(who)
    if len(numbers) == 2:
        return {"point": numbers}
    if len(numbers) == 4:
        return {"box": numbers}
    raise _no_place(who)


def _no_place(who: str) -> UsageError:
    return UsageError(
        f"--follow takes person, X,Y@T or LEFT,TOP,RIGHT,BOTTOM@T, in fractions of the picture and "
        f"seconds, such as 0.42,0.61@1.5; not {who!r}."
    )


Told = Callable[[int, int], None]


@contextmanager
def frame_progress(words: str, quiet: bool) -> Iterator[Told]:
    """Show a bar that is told how many frames are done, of how many; silent without a terminal."""
    if quiet or not err.is_terminal:
        yield lambda *_: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[pace]}"), console=err, transient=True) as bar:
        task = bar.add_task(words, total=None, pace="")
        pace = Pace()

        def told(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total or None, pace=pace.words(done, total))

        yield told


class Pace:
    """Frames a second since the first frame that was told of, and the time left at that pace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[float, int] | None = None

    def words(self, done: int, total: int) -> str:
        """Say the pace after `done` frames; nothing yet after the first."""
        now = self._clock()
        if self._first is None:
            self._first = now, done
            return ""
        elapsed, frames = now - self._first[0], done - self._first[1]
        if elapsed <= 0 or frames <= 0:
            return ""
        rate = frames / elapsed
        left = f", {_clock_words((total - done) / rate)} left" if total > done else ""
        return f"{rate:.1f} frames/s{left}"


def _clock_words(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
