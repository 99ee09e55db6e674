"""Photos that a person named: files, folders, patterns (quoted ones too), or - for stdin."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pullfocus.cli.console import say, show_json
from pullfocus.errors import PullfocusError, UsageError
from pullfocus.photo.formats import FORMATS
from pullfocus.pipeline.settings import Settings

PICTURES = frozenset(
    {suffix for traits in FORMATS.values() for suffix in traits.suffixes} | {".gif"}
)
OWN = (".refocused", ".depth", "_disp", "_defocus", ".preview", ".mask")
"""Endings of this program's own outputs, which a folder run leaves out."""
STDIN = "-"


def find_photos(arguments: list[str]) -> list[Path]:
    """List the photos that arguments mean, in order, each once.

    Raises:
        UsageError: a folder or pattern without any picture, or no name at all.
    """
    found: dict[str, Path] = {}
    for argument in arguments:
        for path in _expand(argument):
            found.setdefault(os.path.abspath(path), path)
    return list(found.values())


def one_depth_for_one_photo(photos: list[Path], settings: Settings) -> None:
    """Refuse one depth map for several photos.

    Raises:
        UsageError: so it was asked for.
    """
    if len(photos) > 1 and settings.depth_file:
        raise UsageError(
            f"One depth map cannot fit {len(photos)} photos; take them one by one with --depth."
        )


def _expand(argument: str) -> list[Path]:
    if not argument:
        raise UsageError("The name of a photo is empty; is it a variable that is not set?")
    path = Path(os.path.expanduser(argument))  # pathlib's own fails where ~name is a file
    if path.is_dir():
        inside = sorted(entry for entry in path.iterdir() if is_picture(entry))
        if not inside:
            raise UsageError(f"The folder {argument} holds no photos (JPEG, PNG, TIFF, HEIC, ...).")
        return inside
    if path.exists() or not any(sign in argument for sign in "*?["):
        return [path]
    matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))
    pictures = [match for match in matches if match.is_file() and not _is_own(match)]
    if not pictures:
        raise UsageError(f"No photo matches the pattern {argument}.")
    return pictures


def is_picture(path: Path) -> bool:
    """Say whether a folder run takes this file: a picture by name, not hidden, not an output."""
    named = path.suffix.lower() in PICTURES and not path.name.startswith(".")
    return named and path.is_file() and not _is_own(path)


def _is_own(path: Path) -> bool:
    return path.stem.endswith(OWN)


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
