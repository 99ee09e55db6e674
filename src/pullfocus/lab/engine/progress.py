"""Progress of a run on the screen: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Show(Protocol):
    """Where the loop reports to."""

    def step(self, step: int, loss: float, images_per_s: float) -> None:
        """Show a step that is done."""

    def say(self, words: str) -> None:
        """Show one line that stays."""


@contextmanager
def shown(steps: int, done: int, visible: bool) -> Iterator[Show]:
    """Show steps until ``steps`` with images/s and the time left; nothing unless visible."""
    console = Console(stderr=True, highlight=False)
    if not visible:
        yield _Silent()
    elif not console.is_terminal:
        yield _Lines()
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]:.1f} images/s, left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            yield _Bar(bar, bar.add_task("loss ...", total=steps, completed=done, speed=0.0))


class _Silent:
    def step(self, step: int, loss: float, images_per_s: float) -> None:
        return None

    def say(self, words: str) -> None:
        return None


class _Lines(_Silent):
    def say(self, words: str) -> None:
        print(words, file=sys.stderr, flush=True)


class _Bar:
    def __init__(self, bar: Progress, task: int) -> None:
        self.bar, self.task = bar, task

    def step(self, step: int, loss: float, images_per_s: float) -> None:
        words = f"loss {loss:.4g}"
        self.bar.update(self.task, completed=step, description=words, speed=images_per_s)  # type: ignore[arg-type]

    def say(self, words: str) -> None:
        self.bar.console.print(words, markup=False)
