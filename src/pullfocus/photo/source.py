"""Where a photo comes from: its bytes, its name for messages, and the limit on its size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pullfocus.errors import TooLargeError, UnreadableInputError

MAX_MEGAPIXELS = 200.0
READABLE = "JPEG, PNG, TIFF, WebP, AVIF, HEIC, BMP, PPM and GIF"

PhotoSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file and how to speak of it."""

    data: bytes
    name: str
    path: Path | None = None
    max_megapixels: float = MAX_MEGAPIXELS

    def unreadable(self, why: str) -> UnreadableInputError:
        """Make the error "Cannot read <name>: <why>."."""
        return UnreadableInputError(f"Cannot read {self.name}: {why}.")

    def cut_short(self) -> UnreadableInputError:
        """Make the error for a file whose end is missing or whose middle is damaged."""
        return self.unreadable("the file is cut short or damaged; copy it again from its source")

    def check_size(self, width: int, height: int) -> None:
        """Refuse pictures without pixels or with too many, before anything is decoded.

        Raises:
            UnreadableInputError: no pixels.
            TooLargeError: more than `max_megapixels`.
        """
        if width <= 0 or height <= 0:
            raise self.unreadable(f"it has no pixels ({width} x {height}); export it again")
        megapixels = width * height / 1e6
        if megapixels > self.max_megapixels:
            raise TooLargeError(
                f"Cannot read {self.name}: it claims {width} x {height} = {megapixels:.0f} "
                f"megapixels, over the limit of {self.max_megapixels:g}; make it smaller or raise "
                "max_megapixels (--max-megapixels)."
            )


def read_source(source: PhotoSource, max_megapixels: float = MAX_MEGAPIXELS) -> Source:
    """Read a path, bytes or an open binary file whole.

    Raises:
        UnreadableInputError: missing, a folder, not permitted, empty.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        found = Source(bytes(source), "the given bytes", None, max_megapixels)
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        found = Source(_read_path(path), f"'{path}'", path, max_megapixels)
    else:
        label = getattr(source, "name", None)
        name = f"'{label}'" if isinstance(label, str) else "the given stream"
        try:
            found = Source(source.read(), name, None, max_megapixels)
        except OSError as error:
            raise UnreadableInputError(f"Cannot read {name}: {_reason(error)}.") from error
    if not isinstance(found.data, bytes):
        raise found.unreadable("the stream gives text, not bytes; open it in binary mode")
    if not found.data:
        raise found.unreadable("the file is empty; copy it again from its source")
    return found


def _read_path(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UnreadableInputError(
                f"Cannot read '{path}': it is a folder; name the photos inside it."
            )
        if path.exists() and not path.is_file():
            raise UnreadableInputError(f"Cannot read '{path}': it is a device, not a file.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableInputError(
            f"Cannot read '{path}': there is no such file; check the name and the folder."
        ) from error
    except PermissionError as error:
        raise UnreadableInputError(
            f"Cannot read '{path}': permission denied; check who owns the file."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise UnreadableInputError(f"Cannot read '{path}': {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
