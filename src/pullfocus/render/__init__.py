"""The render room: from photo, depth, focus and lens to the picture that lens would have taken.

`render` is the fifth statement of the line. `fast` is what people get, `reference` the slow oracle
that tests compare it with, `graded` the classic blur-and-stitch, `shaders/` the browser's copy.
"""

from __future__ import annotations

import sys
from types import ModuleType

from pullfocus.render.api import render, render_many
from pullfocus.types import DepthMap, Focus, Lens, Photo

__all__ = ["render", "render_many"]


class _Room(ModuleType):
    """The statement has the room's name, so `pullfocus.render` may be either: both can be called.

    Python binds a package's name in its parent as soon as it is imported, whoever does it.
    """

    def __call__(
        self, photo: Photo, depth: DepthMap, focus: Focus, lens: Lens | None = None
    ) -> Photo:
        return render(photo, depth, focus, lens)


sys.modules[__name__].__class__ = _Room
