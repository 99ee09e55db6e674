"""Where a photo comes from: its bytes, its name for messages, and the limit on its size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pullfocus.errors import TooLargeError, UnreadableInputError, UsageError
from pullfocus.memory import free_bytes
from pullfocus.photo.limits import (
    BYTES_PER_PIXEL,
    DEFAULT_LIMITS,
    MAX_MEGAPIXELS,
    SMALL_MEGAPIXELS,
    Limits,
    limits_from_environment,
)

__all__ = ["CUT_SHORT", "MAX_MEGAPIXELS", "READABLE", "PhotoSource", "Source", "read_source"]

READABLE = "JPEG, PNG, TIFF, WebP, AVIF, HEIC, BMP, PPM and GIF"

CUT_SHORT = "the file is cut short or damaged; copy it again from its source"

PhotoSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of a file and how to speak of it."""

    data: bytes
    name: str
    path: Path | None = None
    max_megapixels: float = MAX_MEGAPIXELS
    limits: Limits = DEFAULT_LIMITS

    def unreadable(self, why: str) -> UnreadableInputError:
        """Make the error "Cannot read <name>: <why>."."""
        return UnreadableInputError(f"Cannot read {self.name}: {why}.")

    def cut_short(self) -> UnreadableInputError:
        """Make the error for a file whose end is missing or whose middle is damaged."""
        return self.unreadable(CUT_SHORT)

    def check_size(self, width: int, height: int, bytes_per_pixel: float = BYTES_PER_PIXEL) -> None:
        """Refuse pictures without pixels or with too many, before anything is decoded.

        bytes_per_pixel: what decoding takes; more than usual for many channels.

        Raises:
            UnreadableInputError: no pixels.
            TooLargeError: more than `max_megapixels`, than a file of this size can hold, or than
                there is memory for.
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
        most = max(SMALL_MEGAPIXELS * 1e6, len(self.data) * self.limits.pixels_per_byte)
        if self.data and width * height > most:
            raise TooLargeError(
                f"Cannot read {self.name}: it claims {width} x {height} pixels in "
                f"{len(self.data)} bytes, more than a photo can be compressed to; export it again, "
                "or raise PULLFOCUS_MAX_PIXELS_PER_BYTE."
            )
        self._check_memory(width * height * bytes_per_pixel)

    def _check_memory(self, needed: float) -> None:
        free = free_bytes() if needed > 1e8 else None
        limit = self.limits.memory_gb
        if limit is not None and needed > limit * 1e9:
            raise TooLargeError(
                f"Cannot read {self.name}: decoding it needs about {needed / 1e9:.1f} GB, over the "
                f"limit of {limit:g}; make it smaller or raise PULLFOCUS_MAX_MEMORY_GB."
            )
        if free is not None and needed > free:
            raise TooLargeError(
                f"Cannot read {self.name}: decoding it needs about {needed / 1e9:.1f} GB of memory "
                f"and {free / 1e9:.1f} GB are free; close programs or make it smaller."
            )


def read_source(source: PhotoSource, max_megapixels: float = MAX_MEGAPIXELS) -> Source:
    """Read a path, bytes or an open binary file whole.

    Raises:
        UnreadableInputError: missing, a folder, not permitted, empty.
        UsageError: nothing that can be read from.
    """
    limits = limits_from_environment()
    if isinstance(source, bytes | bytearray | memoryview):
        found = Source(bytes(source), "the given bytes", None, max_megapixels, limits)
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        found = Source(_read_path(path), f"'{path}'", path, max_megapixels, limits)
    elif not hasattr(source, "read"):
        raise UsageError(
            f"A photo is given as a path, bytes or an open binary file, not as "
            f"{type(source).__name__}."
        )
    else:
        label = getattr(source, "name", None)
        name = f"'{label}'" if isinstance(label, str) else "the given stream"
        try:
            found = Source(source.read(), name, None, max_megapixels, limits)
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
