"""Photos one after the other, for commands that list or measure: a broken one stops no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pullfocus.cli.console import say, show_json
from pullfocus.errors import PullfocusError


def answer_one_by_one(
    photos: list[Path], answer: Callable[[Path], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Ask for every photo; say what fails, note it as the photo's "error", and go on.

    Raises:
        PullfocusError: the only photo fails.
    """
    answers = []
    for photo in photos:
        try:
            answers.append(answer(photo))
        except PullfocusError as problem:
            if len(photos) == 1:
                raise
            say(f"{photo}: {problem}")
            answers.append({"photo": str(photo), "error": str(problem)})
    return answers


def finish(answers: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the answers for programs, if asked for.

    Raises:
        SystemExit: with 1, some photos failed.
    """
    if as_json:
        show_json(answers)
    if any("error" in answer for answer in answers):
        raise SystemExit(1)
