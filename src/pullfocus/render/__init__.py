"""The render room: from photo, depth, focus and lens to the picture that lens would have taken.

`render` is the fifth statement of the line. `fast` is what people get, `reference` the slow oracle
that tests compare it with, `graded` the classic blur-and-stitch, `shaders/` the browser's copy.
"""

from __future__ import annotations

from pullfocus.render.lens_blur import render, render_many

__all__ = ["render", "render_many"]
