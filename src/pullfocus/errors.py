"""Every error that pullfocus raises on purpose, with the exit code the command line gives it.

    PullfocusError                  1   something in this program's domain went wrong
    ├── UsageError                  2   the request makes no sense (a point outside the picture)
    ├── MissingModelError           3   weights or an optional package are not on this machine
    ├── UnreadableInputError        4   a photo, depth file or sidecar cannot be read
    │   └── TooLargeError           4   more megapixels than `max_megapixels`
    └── CannotWriteError            5   the output cannot be written

Every message is one sentence that says what happened, with which file, and what to try.
"""

from __future__ import annotations


class PullfocusError(Exception):
    """Report a failure that the user can understand; the message is meant to be shown as it is."""

    exit_code = 1


class UsageError(PullfocusError, ValueError):
    """Report a request that makes no sense, such as a focus point outside the picture."""

    exit_code = 2


class MissingModelError(PullfocusError):
    """Report weights or an optional package that this machine lacks and could not fetch."""

    exit_code = 3


class UnreadableInputError(PullfocusError):
    """Report a file that cannot be read as what it should be."""

    exit_code = 4


class TooLargeError(UnreadableInputError):
    """Report a picture with more megapixels than the limit allows."""


class CannotWriteError(PullfocusError):
    """Report an output that cannot be written: existing file, no space, no permission."""

    exit_code = 5
