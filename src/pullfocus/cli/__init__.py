"""The command line: `pullfocus PHOTO` is the straight line, every other verb is one file here."""

from __future__ import annotations

from pullfocus.cli.dispatch import main

__all__ = ["main"]
