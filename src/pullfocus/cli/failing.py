"""One sentence and an exit code for every way to fail; a traceback only with --debug."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from pullfocus.cli.printable import printable
from pullfocus.errors import CannotWriteError, PullfocusError, UsageError

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
