"""The folder that outputs go into, made before the first of them."""

from __future__ import annotations

from pathlib import Path

from pullfocus.errors import CannotWriteError


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
