"""Names of files and other people's words, made safe to print: no escape sequences, one line."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, line ends, what turns the direction of text, and bytes that are no UTF-8."""


def printable(text: str) -> str:
    r"""Write what a terminal would act on as \x1b or \u202e, as Python does."""
    return _UNPRINTABLE.sub(lambda found: ascii(found.group())[1:-1], text)
