"""Workbench: the photos of the worker, decoded once, with their depth; all steps of the line.

It lives in the worker process. Everything here blocks; the server asks for it through `worker`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pullfocus.depthmap.meaning import Told
from pullfocus.pipeline import Settings
from pullfocus.types import DepthMap, Photo
from pullfocus.web.steps import NotThereError, Steps
from pullfocus.web.store import by_its_name, with_name

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


DECODED_MEGAPIXELS = 80.0
"""Decoded pictures kept beyond the one in use; 16 bytes a pixel with its depth."""


@dataclass(frozen=True, slots=True)
class BenchLimits:
    """What the worker accepts, and how large the page shows a photo."""

    max_megapixels: float = 200.0
    preview_px: int = 1600


class Workbench:
    """Open photos by id; the least recently used decoded pictures are let go."""

    def __init__(self, limits: BenchLimits) -> None:
        self.limits = limits
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._lock = threading.Lock()

    def item(self, files: PhotoFiles) -> Item:
        """Return a photo whose depth file and edits are those of `files`, read where they are new.

        Raises:
            UnreadableInputError: the depth file cannot be read.
            UsageError: it is of another shape than the photo, or is not what is told of it;
                nothing has changed then.
            MissingModelError: it is an HDF5 file and h5py is not installed.
        """
        item = self._known(files) or Item(replace(files, depth=None, edits=()))
        if item.files != files:
            with item.lock:
                self._follow(item, files)
        if not files.once:
            with self._lock:
                self._items[files.id] = item
        return item

    def there(self, files: PhotoFiles, settings: Settings | None = None) -> Item:
        """Return a photo that is decoded, and whose depth is there if settings ask for it.

        Raises:
            NotThereError: it is not.
        """
        item = self._known(files)
        if item is None or item.files != files or item.photo is None:
            raise NotThereError(files.id)
        if settings is not None and depth_key(item, settings) not in item.depths:
            raise NotThereError(files.id)
        return item

    def forget(self, id_: str) -> None:
        """Let go of a photo that was closed."""
        with self._lock:
            self._items.pop(id_, None)

    def photo(self, item: Item) -> Photo:
        """Return the decoded picture, reading it again if it was let go."""
        from pullfocus.photo import load

        with item.lock:
            if item.photo is None:
                photo = load(item.files.path, max_megapixels=self.limits.max_megapixels)
                named = replace(photo.metadata, path=Path(item.files.name))
                item.photo, item.size_hw = replace(photo, metadata=named), photo.size_hw
                self._make_room(item)
            return item.photo

    def depth(
        self, item: Item, settings: Settings, steps: Steps | None = None, *, edited: bool = True
    ) -> DepthMap:
        """Return depth at the photo's own size; made once and kept. edited: with the brush's edits.

        Raises:
            MissingModelError: the model's weights are not on this machine.
        """
        from pullfocus.pipeline import find_depth

        key = depth_key(item, settings)
        with item.lock:
            if edited and key in item.edited:
                return item.edited[key]
            if key not in item.depths:
                photo = self.photo(item)
                if steps is not None:
                    steps.step(0.3, "working out depth")
                item.depths[key] = (
                    _aligned(item.depth_file, photo, settings)
                    if key[0] == OWN_FILE and item.depth_file is not None
                    else find_depth(photo, settings)
                )
            if edited and key in item.edits:
                item.edited[key] = with_edit(item.depths[key], item.edits[key])
                return item.edited[key]
            return item.depths[key]

    def _known(self, files: PhotoFiles) -> Item | None:
        with self._lock:
            item = self._items.get(files.id)
            if item is not None:
                self._items.move_to_end(files.id)
        return item

    def _follow(self, item: Item, files: PhotoFiles) -> None:
        """Bring an item's depth file and edits up to what its files say now."""
        if item.files.depth != files.depth:
            depth = None if files.depth is None else _own_depth(files.depth, self.photo(item))
            item.use_file(depth)
        before, edits = dict(item.files.edits), {}
        for key, path in files.edits:
            if before.get(key) == path and key in item.edits:
                edits[key] = item.edits[key]
            else:
                shown_hw = preview_size_hw(self.photo(item).size_hw, self.limits.preview_px)
                edits[key] = np.fromfile(path, "<f4").reshape(shown_hw)
        item.use_edits(edits)
        item.files = files

    def _make_room(self, keep: Item) -> None:
        with self._lock:
            others = [item for item in self._items.values() if item is not keep]
        weight = keep.megapixels + sum(item.megapixels for item in others)
        for item in others:
            if weight <= DECODED_MEGAPIXELS:
                return
            weight -= item.megapixels
            item.let_go()


def depth_key(item: Item, settings: Settings) -> DepthKey:
    """Name the depth map that settings ask for."""
    return key_of(item.depth_file is not None, settings)


def key_of(own_file: bool, settings: Settings) -> DepthKey:
    """Name the depth map that settings ask for, of a photo with or without a depth file."""
    if own_file and settings.model is None:
        return OWN_FILE, settings.refine
    return settings.model, settings.refine


def preview_size_hw(size_hw: tuple[int, int], long_side_px: int) -> tuple[int, int]:
    """Return the size of a picture that is shown with a longer side of at most so much."""
    h, w = size_hw
    scale = min(1.0, long_side_px / max(h, w))
    return max(1, round(h * scale)), max(1, round(w * scale))


def with_edit(depth: DepthMap, edit: np.ndarray) -> DepthMap:
    """Add an edit of any size to a depth map; the map's own detail stays."""
    import cv2

    h, w = depth.size_hw
    enlarged = cv2.resize(edit.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    top = 1.0 if depth.kind == "relative" else 1e4
    return replace(
        depth,
        disparity=np.clip(depth.disparity + enlarged, 0.0, top),
        source=f"{depth.source}, edited by hand",
    )


def _own_depth(file: DepthFile, photo: Photo) -> DepthMap:
    """Read a depth file that came with a photo; what is said of it speaks of it by its name."""
    from pullfocus.depth import load_depth_of

    told = file.told
    with by_its_name(file):
        depth = load_depth_of(
            photo, file.path, near=told.near, unit=told.unit, scale=told.scale, name=file.name
        )
    notes = tuple(with_name(note, file) for note in depth.notes)
    return replace(depth, source=with_name(depth.source, file), notes=notes)


def _aligned(depth: DepthMap, photo: Photo, settings: Settings) -> DepthMap:
    from pullfocus.depth import align_to_photo

    return align_to_photo(depth, photo, refine=settings.refine)
