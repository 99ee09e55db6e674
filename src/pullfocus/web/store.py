"""Store: the server's temporary files, under unguessable ids, a size cap and an age cap."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from pullfocus.errors import CannotWriteError, PullfocusError
from pullfocus.web.config import MEGABYTE

PREFIX = "pullfocus-web-"
LOCK = "in-use.lock"
YOUNG_S = 60.0
"""A folder younger than this may belong to a server that is about to lock it."""


class OwnFolder:
    """A new folder, readable by this user only, held until `close`."""

    def __init__(self) -> None:
        remove_leftovers(Path(tempfile.gettempdir()))
        self._home = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self._home / LOCK)
        self._lock.acquire(timeout=0)
        self.path = self._home / "files"
        self.path.mkdir(mode=0o700)

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        self._lock.release()
        shutil.rmtree(self._home, ignore_errors=True)


def remove_leftovers(among: Path) -> None:
    """Remove the folders of this user's servers that ended without doing so: they hold photos."""
    for folder in among.glob(f"{PREFIX}*"):
        try:
            if _is_ours(folder) and time.time() - folder.stat().st_mtime > YOUNG_S:
                with FileLock(folder / LOCK, timeout=0):
                    pass
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, Timeout):
            continue


def _is_ours(folder: Path) -> bool:
    """Tell whether this user made the folder: nobody else's links are followed."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return os.name == "nt" or folder.stat().st_uid == os.getuid()


_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_PLAIN = frozenset(" _.()+@=-")
_JOINERS = ("\u200c", "\u200d")
_NAME_LETTERS = 120


class GoneError(PullfocusError):
    """Report an id that this run of the server does not hold."""


@dataclass(slots=True)
class Kept:
    """One file in the store: where it lies, what people call it, how to serve it."""

    id: str
    path: Path
    name: str
    media_type: str
    touched: float = field(default_factory=time.monotonic)

    @property
    def bytes(self) -> int:
        """Its size on disk; 0 once it is gone."""
        return self.path.stat().st_size if self.path.exists() else 0


class Named(Protocol):
    """A file that people call otherwise than the system does."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def name(self) -> str:
        """What people call it."""


def with_name(text: str, file: Named) -> str:
    """Return a text that names a file as the person does, not by where it lies."""
    return text.replace(str(file.path), file.name)


@contextmanager
def by_its_name(file: Named) -> Iterator[None]:
    """Let failures name a file as the person does, not by where it lies."""
    try:
        yield
    except PullfocusError as error:
        raise type(error)(with_name(str(error), file)) from None


@contextmanager
def with_room(kept: Kept) -> Iterator[None]:
    """Say in a sentence that a file cannot be written.

    Raises:
        CannotWriteError: the disk is full, say.
    """
    try:
        yield
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise CannotWriteError(
            f"{kept.name} cannot be kept in the temporary folder ({reason}); free some space."
        ) from None


class Store:
    """A private temporary folder; `close` removes it."""

    def __init__(self, cap_mb: float, max_age_s: float) -> None:
        self._cap, self._age = int(cap_mb * MEGABYTE), max_age_s
        self._folder = OwnFolder()
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The folder, readable by this user only."""
        return self._folder.path

    def place(
        self, name: str, media_type: str = "application/octet-stream", suffix: str = ""
    ) -> Kept:
        """Reserve an id and a path; the caller writes the file there.

        suffix: of the path. What a file from outside is called says nothing of what it is: it gets
        none, so that nothing that reads it can be misled.

        Raises:
            CannotWriteError: the store is full of younger files.
        """
        self.tidy()
        with self._lock:
            if self._total() >= self._cap:
                raise CannotWriteError(
                    "The temporary folder of pullfocus web is full; close photos you no longer "
                    "need, or restart it."
                )
            id_ = secrets.token_urlsafe(16)
            clean = plain_name(name)
            kept = Kept(id_, self.folder / f"{id_}{suffix}", clean, media_type)
            self._kept[id_] = kept
            return kept

    def find(self, id_: str) -> Kept | None:
        """Return the file of an id that this store gave out, and mark it as used."""
        if not _ID.fullmatch(id_):
            return None
        kept = self._kept.get(id_)  # no lock: the event loop asks, and waits for nobody
        if kept is not None:
            kept.touched = time.monotonic()
        return kept

    def drop(self, id_: str) -> None:
        """Forget a file and remove it, with what was begun beside it and never finished."""
        with self._lock:
            kept = self._kept.pop(id_, None)
        if kept is None:
            return
        for path in self.folder.glob(f"*{id_}*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()

    def tidy(self) -> None:
        """Remove what is too old, then the least recently used while over the cap."""
        now = time.monotonic()
        with self._lock:
            oldest = sorted(self._kept.values(), key=lambda kept: kept.touched)
            total = self._total()
        for kept in oldest:
            idle = now - kept.touched
            if idle > self._age or (total > self._cap and idle > 60):
                total -= kept.bytes
                self.drop(kept.id)

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        self._folder.close()

    def _total(self) -> int:
        return sum(kept.bytes for kept in self._kept.values())


def plain_name(name: str) -> str:
    """Reduce a file name from outside to a harmless one: no folders, no control characters.

    Marks that belong to a letter stay with it (Hindi, Thai, decomposed accents), as do the joiners
    of Persian and Indic scripts between letters.
    """
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(letter if _is_harmless(letter) else "_" for letter in last)
    clean = clean.strip(". ")[-_NAME_LETTERS:]
    return clean.lstrip("".join(_JOINERS)) or "photo"


def _is_harmless(letter: str) -> bool:
    kind = unicodedata.category(letter)
    return kind[0] in "LMN" or kind == "So" or letter in _PLAIN or letter in _JOINERS
