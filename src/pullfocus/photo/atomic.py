"""Write whole files or none: a temporary name in the same folder, then one rename."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pullfocus.errors import CannotWriteError


def write_whole(path: Path, data: bytes, *, overwrite: bool = True) -> None:
    """Write a file so that it is never seen half written, and leave nothing behind on failure.

    Devices and pipes (/dev/stdout) are written to directly. A link stays a link.

    Raises:
        CannotWriteError: the file exists and `overwrite` is false, or the system refuses.
    """
    try:
        if path.is_dir():
            raise CannotWriteError(f"Cannot write '{path}': it is a folder; name a file in it.")
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        if path.is_symlink():  # after pipes: /dev/stdout links to what has no name
            path = path.resolve()
        _refuse_existing(path, overwrite)
        _write_and_rename(path, data, overwrite)
    except FileNotFoundError as error:
        raise CannotWriteError(
            f"Cannot write '{path}': the folder '{path.parent}' does not exist; make it first."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CannotWriteError(
            f"Cannot write '{path}': {reason}; choose another folder or free some space."
        ) from error


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise CannotWriteError(
            f"Cannot write '{path}': it exists already; choose another name or allow "
            "overwriting (--overwrite)."
        )


def _write_and_rename(path: Path, data: bytes, overwrite: bool) -> None:
    # names hold 255 bytes, of which one letter may take four
    temporary = path.with_name(f".{path.name[:50]}.{secrets.token_hex(4)}.part")
    # os.open rather than tempfile: the file gets the permissions that the umask gives any file
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        _refuse_existing(path, overwrite)
        os.replace(temporary, path)
    except BaseException:  # also Ctrl-C
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
