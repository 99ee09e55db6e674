"""Open files: the photos and videos that people have open, as the server knows them.

The server holds no pixel: what it needs to say about a photo was told by the worker, and the files
that belong to it lie in the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pullfocus.depthmap.meaning import Told
from pullfocus.pipeline import Settings
from pullfocus.web.open_photos import OWN_FILE, DepthFile, DepthKey, PhotoFiles
from pullfocus.web.schema import FilmView
from pullfocus.web.steps import CancelledJobError
from pullfocus.web.store import GoneError, Kept, Store


@dataclass(eq=False)
class OpenPhoto:
    """One open photo: its file, a depth file of its own, and what the brush added to depth maps.

    told: what people say of the depth file.
    """

    kept: Kept
    size_hw: tuple[int, int] = (0, 0)
    depth: Kept | None = None
    told: Told = field(default_factory=Told)
    edits: dict[DepthKey, Kept] = field(default_factory=dict)
    closed: bool = False

    @property
    def parts(self) -> list[Kept]:
        """All its files, the photo first."""
        return [self.kept, *([self.depth] if self.depth else []), *self.edits.values()]

    def files(self, *, once: bool = False) -> PhotoFiles:
        """Say to the worker where its files lie now.

        Raises:
            CancelledJobError: it was closed meanwhile.
        """
        if self.closed:
            raise CancelledJobError(self.kept.id)
        return PhotoFiles(
            self.kept.id,
            self.kept.path,
            self.kept.name,
            DepthFile(self.depth.path, self.depth.name, self.told) if self.depth else None,
            tuple((key, kept.path) for key, kept in self.edits.items()),
            once,
        )

    def with_depth(self, depth: Kept | None, told: Told) -> OpenPhoto:
        """Return it with another depth file; edits of the last one go."""
        edits = {key: kept for key, kept in self.edits.items() if key[0] != OWN_FILE}
        return replace(self, depth=depth, told=told, edits=edits)

    def with_edit(self, key: DepthKey, edit: Kept | None) -> OpenPhoto:
        """Return it with another edit of a depth map, or without."""
        edits = {k: kept for k, kept in self.edits.items() if k != key}
        if edit is not None:
            edits[key] = edit
        return replace(self, edits=edits)

    def become(self, other: OpenPhoto, store: Store) -> None:
        """Take over what another version of it has; files that it no longer needs go."""
        left = [kept for kept in self.parts if kept not in other.parts]
        self.depth, self.told, self.edits = other.depth, other.told, other.edits
        for kept in left:
            store.drop(kept.id)


@dataclass(eq=False)
class OpenFilm:
    """One open video."""

    kept: Kept
    view: FilmView
    closed: bool = False

    @property
    def parts(self) -> list[Kept]:
        """Its one file."""
        return [self.kept]


def told_by(settings: Settings) -> Told:
    """Return what settings say of a depth file."""
    return Told(settings.depth_near, settings.depth_unit, settings.depth_scale)


Opened = TypeVar("Opened", OpenPhoto, OpenFilm)


class OpenFiles(Generic[Opened]):
    """Open photos, or open videos, by id. word: what they are called."""

    def __init__(self, store: Store, word: str) -> None:
        self._store, self._word = store, word
        self._held: dict[str, Opened] = {}

    def add(self, opened: Opened) -> Opened:
        """Hold one that was read."""
        self._held[opened.kept.id] = opened
        return opened

    def find(self, id_: str) -> Opened:
        """Return an open one, and mark its files as used.

        Raises:
            GoneError: no such photo or video in this run.
        """
        opened = self._held.get(id_)
        if opened is None or self._store.find(id_) is None:
            self.close(id_)
            raise GoneError(f"This {self._word} is no longer open here; open it again.")
        for part in opened.parts[1:]:
            self._store.find(part.id)
        return opened

    def close(self, id_: str) -> None:
        """Forget one and remove its files."""
        opened = self._held.pop(id_, None)
        if opened is not None:
            opened.closed = True
            for part in opened.parts:
                self._store.drop(part.id)
