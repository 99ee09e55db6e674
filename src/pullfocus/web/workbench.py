"""Workbench: the photos that are open, decoded once, with their depth; all steps of the line.

Everything here blocks and runs in the queue's one thread, except reads of what is there already.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.photo.depth_record import check_aspect
from pullfocus.pipeline import Settings
from pullfocus.types import DepthMap, Photo
from pullfocus.web.config import ServerConfig
from pullfocus.web.item import OWN_FILE, DepthKey, Item
from pullfocus.web.queue import Job
from pullfocus.web.store import GoneError, Kept, Store, by_its_name

DECODED_MEGAPIXELS = 80.0
"""Decoded pictures kept beyond the one in use; 16 bytes a pixel with its depth."""


class Workbench:
    """Open photos by id; the least recently used decoded pictures are let go."""

    def __init__(self, config: ServerConfig, store: Store) -> None:
        self.config, self.store = config, store
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, kept: Kept, job: Job | None = None) -> Item:
        """Read an uploaded file; broken ones are removed at once.

        Raises:
            UnreadableInputError, TooLargeError: what it holds is no photo, or too large a one.
        """
        item = Item(kept, kept.name)
        try:
            if job is not None:
                job.step(0.1, "reading the photo")
            self.photo(item)
        except BaseException:
            self.store.drop(kept.id)
            raise
        with self._lock:
            self._items[item.id] = item
        return item

    def find(self, id_: str) -> Item:
        """Return an open photo.

        Raises:
            GoneError: no such photo in this run.
        """
        with self._lock:
            item = self._items.get(id_)
            if item is not None:
                self._items.move_to_end(id_)
        if item is None or self.store.find(id_) is None:
            raise GoneError("This photo is no longer open here; open it again.")
        return item

    def close(self, id_: str) -> None:
        """Forget a photo and remove its file."""
        with self._lock:
            self._items.pop(id_, None)
        self.store.drop(id_)

    def photo(self, item: Item) -> Photo:
        """Return the decoded picture, reading it again if it was let go."""
        from pullfocus.photo import load

        with item.lock:
            if item.photo is None:
                with by_its_name(item.kept):
                    photo = load(item.kept.path, max_megapixels=self.config.max_megapixels)
                named = replace(photo.metadata, path=Path(item.name))
                item.photo, item.size_hw = replace(photo, metadata=named), photo.size_hw
                self._make_room(item)
            return item.photo

    def depth(
        self, item: Item, settings: Settings, job: Job | None = None, *, edited: bool = True
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
                if job is not None:
                    job.step(0.3, "working out depth")
                item.depths[key] = (
                    _aligned(item.depth_file, photo, settings)
                    if key[0] == OWN_FILE and item.depth_file is not None
                    else find_depth(photo, settings)
                )
            if edited and key in item.edits:
                item.edited[key] = with_edit(item.depths[key], item.edits[key])
                return item.edited[key]
            return item.depths[key]

    def has_depth(self, item: Item, settings: Settings) -> bool:
        """Say whether depth is there already."""
        return depth_key(item, settings) in item.depths

    def use_depth_file(self, item: Item, depth: DepthMap) -> None:
        """Use a depth map of one's own with a photo.

        Raises:
            UsageError: it is of another shape than the photo; nothing has changed then.
        """
        with item.lock:
            check_aspect(depth.size_hw, self.photo(item).size_hw, depth.source)
            item.use_file(depth)

    def try_depth(self) -> DepthMap:
        """Work out the depth of a tiny grey picture, so that the estimator is loaded."""
        from pullfocus.pipeline import find_depth

        return find_depth(Photo(_tiny(3)), Settings())

    def try_render(self) -> Photo:
        """Refocus a tiny grey picture, so that the renderer is loaded."""
        from pullfocus.pipeline import apply

        return apply(Photo(_tiny(3)), Settings(), depth=DepthMap(_tiny(1)[..., 0])).image

    def edit_depth(self, item: Item, settings: Settings, edit: np.ndarray | None) -> None:
        """Set what the brush adds to the disparity (at preview size); None takes it back."""
        key = depth_key(item, settings)
        with item.lock:
            item.edited.pop(key, None)
            if edit is None:
                item.edits.pop(key, None)
                return
            self.depth(item, settings, edited=False)  # raises where there is none to edit
            shape = preview_size_hw(item, self.config.preview_px)
            if edit.shape != shape or not np.isfinite(edit).all():
                raise UsageError(f"The edit must be {shape[1]}x{shape[0]} finite numbers.")
            item.edits[key] = edit

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
    if item.depth_file is not None and settings.model is None:
        return OWN_FILE, settings.refine
    return settings.model, settings.refine


def preview_size_hw(item: Item, long_side_px: int) -> tuple[int, int]:
    """Return the size of a picture that is shown with a longer side of at most so much."""
    h, w = item.size_hw
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


def _tiny(channels: int) -> np.ndarray:
    ramp = np.linspace(0.1, 0.9, 64, dtype=np.float32)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (48, 64, channels)))


def _aligned(depth: DepthMap, photo: Photo, settings: Settings) -> DepthMap:
    from pullfocus.depth import align_to_photo

    return align_to_photo(depth, photo, refine=settings.refine)
