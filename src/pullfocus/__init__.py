"""pullfocus moves the focus of a photo after it was taken.

The straight line, one statement a step:

    photo = load("cat.heic")
    depth = estimate_depth(photo)
    focus = focus_at(depth, x=0.42, y=0.61)
    lens  = Lens(f_number=1.8, blades=7)
    image = render(photo, depth, focus, lens)
    save(image, "cat.refocused.jpg")

Names are imported when first used, so that `import pullfocus` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pullfocus.telemetry import switch_off

if TYPE_CHECKING:
    from pullfocus.depth import estimate_depth, load_depth_of
    from pullfocus.depthmap.files import load_depth, save_depth
    from pullfocus.errors import (
        CannotWriteError,
        MissingModelError,
        PullfocusError,
        TooLargeError,
        UnreadableInputError,
        UsageError,
    )
    from pullfocus.focus import focus_at, focus_on_subject
    from pullfocus.photo import load, save
    from pullfocus.pipeline import Settings, refocus
    from pullfocus.render import render, render_many
    from pullfocus.types import DepthMap, Focus, Lens, Photo

_HOME = {
    "load": "pullfocus.photo",
    "save": "pullfocus.photo",
    "load_depth": "pullfocus.depthmap.files",
    "load_depth_of": "pullfocus.depth",
    "save_depth": "pullfocus.depthmap.files",
    "estimate_depth": "pullfocus.depth",
    "focus_at": "pullfocus.focus",
    "focus_on_subject": "pullfocus.focus",
    "render": "pullfocus.render",
    "render_many": "pullfocus.render",
    "refocus": "pullfocus.pipeline",
    "Settings": "pullfocus.pipeline",
    "Photo": "pullfocus.types",
    "DepthMap": "pullfocus.types",
    "Focus": "pullfocus.types",
    "Lens": "pullfocus.types",
    "PullfocusError": "pullfocus.errors",
    "UsageError": "pullfocus.errors",
    "MissingModelError": "pullfocus.errors",
    "UnreadableInputError": "pullfocus.errors",
    "TooLargeError": "pullfocus.errors",
    "CannotWriteError": "pullfocus.errors",
}

__version__ = "0.1.0"
__all__ = [
    "CannotWriteError",
    "DepthMap",
    "Focus",
    "Lens",
    "MissingModelError",
    "Photo",
    "PullfocusError",
    "Settings",
    "TooLargeError",
    "UnreadableInputError",
    "UsageError",
    "estimate_depth",
    "focus_at",
    "focus_on_subject",
    "load",
    "load_depth",
    "load_depth_of",
    "refocus",
    "render",
    "render_many",
    "save",
    "save_depth",
]

switch_off()


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pullfocus' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
