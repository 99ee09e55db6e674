"""Write whole files or none: a temporary name in the same folder, then one rename."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pullfocus.errors import CannotWriteError

_PART = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)
_KEPT_LETTERS = 50  # names hold 255 bytes, of which one letter may take four


def write_whole(
    path: Path,
    data: bytes,
    *,
    overwrite: bool = True,
    like: Path | None = None,
    called: str | None = None,
) -> None:
    """Write a file so that it is never seen half written, and leave nothing behind on failure.

    Devices and pipes (/dev/stdout) are written to directly. A link stays a link.

    Args:
        like: a file whose privacy the new one keeps: who may not read that may not read this. So
            does a file that is replaced.
        called: what errors call the target; default: the path in quotes.

    Raises:
        CannotWriteError: the file exists and `overwrite` is false, or the system refuses.
    """
    called = called or f"'{path}'"
    try:
        _refuse_odd_places(path)
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        if path.is_symlink():  # after pipes: /dev/stdout links to what has no name
            path = path.resolve()
        _refuse_existing(path, overwrite)
        _write_and_rename(path, data, overwrite, _permissions(like, path))
    except FileNotFoundError as error:
        reason = "does not exist; make it first"
        if path.parent.is_dir():  # /proc
            reason = "takes no new files; choose another"
        raise CannotWriteError(
            f"Cannot write {called}: the folder '{path.parent}' {reason}."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise CannotWriteError(
            f"Cannot write {called}: {reason}; choose another folder or free some space."
        ) from error


def check_folder(folder: Path) -> None:
    """Make sure that new files can be written to a folder, before work is done for them.

    Raises:
        CannotWriteError: it is missing, closed to us, full of names, or none that takes files.
    """
    probe = folder / f".pullfocus.{secrets.token_hex(4)}.part"
    write_whole(probe, b"", called=f"into '{folder}'")
    with contextlib.suppress(OSError):
        probe.unlink()


def remove_leftovers(targets: Iterable[Path]) -> None:
    """Remove the temporary files of these targets that a killed process left; others stay.

    A file that is being written is locked by its writer, or, on Windows, cannot be removed.
    """
    wanted: dict[Path, set[str]] = {}
    for target in targets:
        wanted.setdefault(target.parent, set()).add(target.name[:_KEPT_LETTERS])
    for folder, names in wanted.items():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                part = _PART.fullmatch(entry.name)
                if part and part[1] in names and entry.is_file(follow_symlinks=False):
                    _remove_unless_locked(entry.path)


def _refuse_odd_places(path: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CannotWriteError(
                f"Cannot write '{path}': its links lead round in a loop; choose another name."
            ) from None
        return
    if is_folder:
        raise CannotWriteError(f"Cannot write '{path}': it is a folder; name a file in it.")


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not overwrite and path.exists():
        raise CannotWriteError(
            f"Cannot write '{path}': it exists already; choose another name or allow "
            "overwriting (--overwrite)."
        )


def make_private(path: Path, *like: Path) -> None:
    """Take from everybody the right to read a file who may not read these, as far as they exist."""
    with contextlib.suppress(OSError):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & _permissions(*like))


def _permissions(*files: Path | None) -> int:
    """Return what all of these files allow, as far as they exist; the owner may always write."""
    mode = 0o666
    for file in files:
        with contextlib.suppress(OSError):
            state = file.stat() if file is not None else None
            if state is not None and stat.S_ISREG(state.st_mode):
                mode &= state.st_mode
    return mode | 0o600


def _write_and_rename(path: Path, data: bytes, overwrite: bool, mode: int) -> None:
    with _temporary(path, mode) as (temporary, handle):
        with os.fdopen(os.dup(handle), "wb") as stream:
            stream.write(data)
        if os.name == "nt":  # which renames no open file
            os.close(handle)
        _refuse_existing(path, overwrite)
        os.replace(temporary, path)


@contextlib.contextmanager
def _temporary(path: Path, mode: int) -> Iterator[tuple[Path, int]]:
    """Make a temporary file for a path, locked until the end, so that nobody takes it as left.

    It is gone afterwards, whatever happens and whenever, unless it was renamed.
    """
    # os.open rather than tempfile: the umask applies as it does to any file
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    temporary, handle = path, -1
    try:
        while handle < 0:
            temporary = path.with_name(f".{path.name[:_KEPT_LETTERS]}.{secrets.token_hex(4)}.part")
            handle = os.open(temporary, flags, mode)
            _lock(handle, wait=True)
            if os.name != "nt" and not os.fstat(handle).st_nlink:
                os.close(handle)  # it was taken as left before it was locked
                handle = -1
        yield temporary, handle
    except BaseException:  # also Ctrl-C, at any moment
        with contextlib.suppress(OSError):
            os.close(handle)  # Windows removes no open file
        if temporary != path:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise
    with contextlib.suppress(OSError):
        os.close(handle)


def _lock(handle: int, wait: bool = False) -> bool:
    """Lock an open file until it is closed; say whether it is ours. Without locks: no."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _remove_unless_locked(path: str) -> None:
    with contextlib.suppress(OSError):
        if os.name == "nt":
            os.unlink(path)
            return
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)


def make_folder(path: Path) -> Path:
    """Make a folder and those above it, unless it is there; return it.

    Raises:
        CannotWriteError: a file has that name, or the system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        if path.is_symlink() and not path.exists():
            raise CannotWriteError(
                f"'{path}' is a link that leads nowhere; choose another with -o."
            ) from None
        raise CannotWriteError(
            f"'{path}' cannot be a folder, for a file has that name; choose another with -o."
        ) from None
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise CannotWriteError(
            f"The folder '{path}' cannot be made: {reason}; choose another place."
        ) from None
    return path
