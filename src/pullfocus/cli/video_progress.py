"""Progress of a video: frames done, frames a second, time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pullfocus.cli.console import err

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
