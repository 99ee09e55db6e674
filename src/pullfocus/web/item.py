"""Item: one photo on the worker's bench, with the depth maps and edits that belong to it.

PhotoFiles is what the server knows of it and sends along with each piece of work: where its files
lie. It holds everything that a new worker needs after the old one has ended.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pullfocus.photo.depth_meaning import Told
from pullfocus.types import DepthMap, Photo

DepthKey = tuple[str | None, bool]
"""(model, refine): what a depth map was made with."""
OWN_FILE = "<file>"


@dataclass(frozen=True, slots=True)
class DepthFile:
    """A depth file that came with a photo: where it lies, what people call it, what they say of it.

    told: which end is near, the unit and the scale, where they said so.
    """

    path: Path
    name: str
    told: Told = field(default_factory=Told)


@dataclass(frozen=True, slots=True)
class PhotoFiles:
    """The files of one photo.

    name: what people call it. depth: a depth file of their own. edits: per depth map, what the
    brush added to the disparity, float32 at preview size. once: nothing is kept of it afterwards.
    """

    id: str
    path: Path
    name: str
    depth: DepthFile | None = None
    edits: tuple[tuple[DepthKey, Path], ...] = ()
    once: bool = False


@dataclass(eq=False)
class Item:
    """A photo that was brought in; the decoded picture may be let go and read again.

    edits: per depth key, what the brush added to the disparity, at preview size.
    """

    files: PhotoFiles
    size_hw: tuple[int, int] = (0, 0)
    photo: Photo | None = None
    depths: dict[DepthKey, DepthMap] = field(default_factory=dict)
    edits: dict[DepthKey, np.ndarray] = field(default_factory=dict)
    edited: dict[DepthKey, DepthMap] = field(default_factory=dict)
    depth_file: DepthMap | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def megapixels(self) -> float:
        """What it weighs on the workbench."""
        return self.size_hw[0] * self.size_hw[1] / 1e6 if self.photo is not None else 0.0

    def let_go(self) -> None:
        """Free the decoded picture and the depth maps that can be made again, unless in use.

        It never waits: who asks for it holds the lock of another photo.
        """
        if self.lock.acquire(blocking=False):
            self.photo = None
            self.depths.clear()
            self.edited.clear()
            self.lock.release()

    def use_file(self, depth: DepthMap | None) -> None:
        """Take a depth file of one's own, or none; what was made of the last one goes."""
        with self.lock:
            self.depth_file = depth
            for made in (self.depths, self.edits, self.edited):
                for key in [key for key in made if key[0] == OWN_FILE]:
                    del made[key]

    def use_edits(self, edits: dict[DepthKey, np.ndarray]) -> None:
        """Take what the brush added; maps that were edited otherwise are made again."""
        with self.lock:
            for key in [key for key in self.edited if self.edits.get(key) is not edits.get(key)]:
                del self.edited[key]
            self.edits = edits
