"""The one reader of JSON that comes from outside: sidecars, focus scripts, model cards.

    path -> regular file of at most MOST_BYTES -> text -> values of at most MOST_DEPTH levels

Nothing that it returns surprises what comes after: no NaN or infinity, no half characters, no
nesting that exhausts the stack.
"""

from __future__ import annotations

import json
import math
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from pullfocus.errors import UnreadableInputError

MOST_BYTES = 1_000_000
MOST_DEPTH = 64
"""Levels of nesting; what this program writes has six."""


def read_json(path: Path, what: str, advice: str = "correct it") -> Any:
    """Read a JSON file.

    Args:
        what: what the file is, as an error begins: "The focus script".
        advice: what to try when it cannot be understood.

    Raises:
        UnreadableInputError: missing, no regular file, too large, not text, not JSON, nested too
            deeply.
    """
    content = read_small_file(path, what)
    try:
        return parse_json(content)
    except ValueError as problem:
        raise UnreadableInputError(
            f"{what} {path} is not JSON: {brief(problem)}; {advice}."
        ) from None


def read_small_file(path: Path, what: str) -> bytes:
    """Return the bytes of a regular file; pipes and devices are refused before they are read.

    Raises:
        UnreadableInputError: missing, no regular file, more than MOST_BYTES.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableInputError(
                    f"{what} {path} cannot be read: it is no regular file; give a file."
                )
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        reason = problem.strerror or "it cannot be opened"
        raise UnreadableInputError(f"{what} {path} cannot be read: {reason}.") from None
    except ValueError:  # a name that no file can have
        raise UnreadableInputError(
            f"{what} {str(path)!r} cannot be read: its name holds characters that no file's has."
        ) from None
    if len(content) > MOST_BYTES:
        raise UnreadableInputError(
            f"{what} {path} is larger than {MOST_BYTES / 1e6:g} MB, so it is none; check the name."
        )
    return content


def parse_json(content: str | bytes) -> Any:
    """Return the values in a JSON text; bytes may be UTF-8, -16 or -32, with a mark or without.

    Raises:
        ValueError: not JSON, or more than JSON allows, in a few words.
    """
    try:
        text = content if isinstance(content, str) else _decoded(content)
        values = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    _check(values)
    return values


def brief(problem: object, most: int = 160) -> str:
    """Shorten what quotes a file's content to one line for an error."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= most else f"{text[:most]}..."


def _decoded(content: bytes) -> str:
    return content.decode(json.detect_encoding(content))


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _check(values: Any) -> None:
    """Walk through parsed values without recursion."""
    level, depth = [values], 0
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            raise ValueError("it is nested too deeply")
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                deeper += value.keys()
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
            else:
                _check_plain(value)
        level = deeper


def _check_plain(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it holds a number without a finite value")
    if isinstance(value, int) and abs(value) > 2**63:
        raise ValueError("it holds a number that is too large")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("it holds half a character (a lone surrogate)")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("it holds a NUL character")
