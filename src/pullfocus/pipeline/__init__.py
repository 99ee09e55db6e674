"""The straight line in one room: Settings, the sidecar that replays them, and `refocus`."""

from __future__ import annotations

from pullfocus.pipeline.line import (
    Refocused,
    apply,
    choose_focus,
    find_depth,
    make_lens,
    refocus,
)
from pullfocus.pipeline.naming import default_output, fitted, sidecar_path
from pullfocus.pipeline.settings import Settings
from pullfocus.pipeline.sidecar import Sidecar, read_sidecar, write_sidecar

__all__ = [
    "Refocused",
    "Settings",
    "Sidecar",
    "apply",
    "choose_focus",
    "default_output",
    "find_depth",
    "fitted",
    "make_lens",
    "read_sidecar",
    "refocus",
    "sidecar_path",
    "write_sidecar",
]
