"""Steps: how a piece of work says how far it is, and learns that nobody wants it any more."""

from __future__ import annotations

from typing import Protocol


class CancelledJobError(Exception):
    """Report, inside a job, that the person no longer wants it."""


class NotThereError(Exception):
    """Report that what is asked for must be made first."""


class Steps(Protocol):
    """What the work of a job is given: a job of the queue, or its other end in the worker."""

    def step(self, progress: float, message: str) -> None:
        """Say how far the work is (0..1), and stop here if it was cancelled.

        Raises:
            CancelledJobError: nobody wants the result any more.
        """

    def check(self) -> None:
        """Stop here if the job was cancelled."""
