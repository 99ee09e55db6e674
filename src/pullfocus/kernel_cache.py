"""Where compiled kernels are kept between runs: the first folder of several that can be written.

    NUMBA_CACHE_DIR, if set
    beside the source             an installation that its user may write
    the user's cache folder       one that is read-only
    a private temporary folder    no usable home either: containers, services

Kernels are looked for in all of them, so that an image may bring them along. Nothing here loads
numba; `kernels` reads and writes the files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
SUFFIX = ".kernel"
KEPT_STAMPS = 4
"""Folders of other sources or versions that stay when a new one is made."""


def folders() -> Iterator[Path]:
    """Name the folders in which compiled kernels may lie, best first, whether they exist or not."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(given) / stamp()
    else:
        yield PACKAGE / "__pycache__" / stamp()
        import platformdirs

        yield Path(platformdirs.user_cache_dir("pullfocus", appauthor=False)) / stamp()
    if (temporary := _temporary()) is not None:
        yield temporary / stamp()


def writable_folder() -> Path | None:
    """Make and return the folder to which kernels are written; None where there is none.

    What counts is a file that could be written, not what the permissions say.
    """
    for folder in folders():
        try:
            if folder.parent == _temporary():
                _make_private(folder.parent)
            is_new = not folder.is_dir()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except (OSError, ValueError):
            continue
        if is_new:
            _drop_older(folder)
        return folder
    return None


def readable_folders() -> Iterator[Path]:
    """Name the folders whose files may be loaded: the temporary one only if it is ours alone."""
    for folder in folders():
        if folder.parent != _temporary() or _is_private(folder.parent):
            yield folder


def is_filled() -> bool:
    """Tell whether kernels of these sources were compiled on this machine before."""
    return any(any(folder.glob(f"*{SUFFIX}")) for folder in readable_folders())


@cache
def stamp() -> str:
    """Name the folder of these sources, compiled by this numba under this Python."""
    parts = [version("numba").encode(), version("llvmlite").encode(), sys.version.encode()]
    parts += [source.read_bytes() for source in sorted(_sources())]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return f"kernels-{digest.hexdigest()[:16]}"


def _sources() -> Iterator[Path]:
    """Name the files of kernels: those with "kernel" in their name or their folder's."""
    for folder, _, names in os.walk(PACKAGE):
        inside = folder[len(str(PACKAGE)) :]
        for name in names:
            if name.endswith(".py") and "kernel" in f"{inside}/{name}":
                yield Path(folder, name)


def _temporary() -> Path | None:
    owner = os.geteuid() if hasattr(os, "geteuid") else 0
    try:
        return Path(tempfile.gettempdir()) / f"pullfocus-kernels-{owner}"
    except OSError:  # no folder can be written at all
        return None


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else may write into.

    Raises:
        OSError: it is somebody else's, or open to others.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if not _is_private(folder):
        raise PermissionError(f"{folder} is open to others")


def _is_private(folder: Path) -> bool:
    """Compiled kernels are code: from a folder open to all, only what nobody else put there."""
    if not hasattr(os, "geteuid"):  # Windows: the temporary folder is the user's own
        return folder.is_dir()
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    mine = found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode)
    return mine and not found.st_mode & 0o077


def _drop_older(folder: Path) -> None:
    """Delete the oldest folders of other sources, so that they do not pile up."""
    others = [other for other in folder.parent.glob("kernels-*") if other != folder]
    others.sort(key=lambda other: other.stat().st_mtime if other.exists() else 0)
    for other in others[:-KEPT_STAMPS]:
        shutil.rmtree(other, ignore_errors=True)
