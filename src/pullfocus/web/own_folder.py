"""OwnFolder: the private folder of one running server, and the end of those that killed ones left.

A lock that the system gives back when a process ends, however it ends, says whose folder is in use.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

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
