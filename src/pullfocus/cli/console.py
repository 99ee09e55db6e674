"""Where words go: messages and progress to stderr, results (paths, JSON, pictures) to stdout."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import typer
from rich.console import Console

from pullfocus.cli.printable import printable
from pullfocus.errors import CannotWriteError, PullfocusError, UsageError

err = Console(stderr=True, highlight=False, soft_wrap=True)


class Bar(Protocol):
    """What a progress bar can do."""

    def step(self, words: str) -> None:
        """Say what happens now."""

    def advance(self) -> None:
        """One photo is finished."""


def say(text: str) -> None:
    """Print one line for people, on stderr, without markup or control characters."""
    err.print(printable(text), markup=False)


def show_json(content: Any) -> None:
    """Print a result for programs, on stdout.

    Raises:
        CannotWriteError: stdout is closed, or what it goes to is full.
    """
    if sys.stdout is None:  # closed by whoever started this program
        raise CannotWriteError("The result cannot be printed: stdout is closed.")
    try:
        sys.stdout.write(json.dumps(content, indent=2, allow_nan=False, default=str) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise CannotWriteError(f"The result cannot be printed to stdout: {reason}.") from None


@contextmanager
def progress(total: int, quiet: bool = False) -> Iterator[Bar]:
    """Show a bar while photos are worked on; silent when stderr is no terminal."""
    if quiet or not err.is_terminal:
        yield _Silent()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    if total > 1:
        columns += [BarColumn(), MofNCompleteColumn()]  # type: ignore[list-item]
    with Progress(*columns, console=err, transient=True) as bar:
        yield _Shown(bar, total)


class _Silent:
    def step(self, words: str) -> None:
        return None

    def advance(self) -> None:
        return None


class _Shown:
    def __init__(self, bar: Any, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=total)

    def step(self, words: str) -> None:
        self._bar.update(self._task, description=printable(words))

    def advance(self) -> None:
        self._bar.advance(self._task)


INTERRUPTED = 130


def report(problem: BaseException, *, debug: bool = False) -> int:  # noqa: PLR0911 - a list of cases
    """Say on stderr what went wrong and return the exit code."""
    if isinstance(problem, SystemExit):
        return problem.code if isinstance(problem.code, int) else int(problem.code is not None)
    if debug:
        traceback.print_exception(problem)
    if isinstance(problem, KeyboardInterrupt | typer.Abort):
        _say("Interrupted; nothing half-written was left.")
        return INTERRUPTED
    if isinstance(problem, PullfocusError):
        _say(f"pullfocus: {problem}")
        return problem.exit_code
    if hasattr(problem, "format_message"):  # the flag parser's own complaints
        message = problem.format_message().rstrip(".")
        _say(f"pullfocus: {message}. See pullfocus --help, or --help after the verb.")
        return UsageError.exit_code
    if isinstance(problem, BrokenPipeError):
        # Whoever read our output went away; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CannotWriteError.exit_code
    if isinstance(problem, OSError) and problem.filename and problem.strerror:
        reason = problem.strerror.lower()
        _say(f"pullfocus: '{problem.filename}': {reason}; check the name and its permissions.")
        return 1
    if isinstance(problem, FileNotFoundError) and not problem.filename:  # of the current folder
        _say("pullfocus: the folder you are in is gone; change to another.")
        return 1
    if isinstance(problem, MemoryError):
        _say(
            "pullfocus: this machine has too little free memory for that; close programs or make "
            "the photo smaller (see pullfocus doctor)."
        )
        return 1
    _say(
        f"pullfocus: an unexpected failure ({type(problem).__name__}: {problem}). This is a bug: "
        "please report it with the photo and the output of the same command with --debug."
    )
    return 1


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)
