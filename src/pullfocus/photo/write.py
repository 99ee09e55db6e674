"""save: from a Photo to a file, the last step of the line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.files import write_whole
from pullfocus.photo.codecs.encoders import encode
from pullfocus.photo.formats import FormatTraits, format_of
from pullfocus.photo.prepare import prepare
from pullfocus.types import Photo

_JPEG_QUALITIES = (75, 98)


def save(
    photo: Photo,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    format: str | None = None,
    quality: int | None = None,
    overwrite: bool = True,
) -> Path | None:
    """Write a photo with the profile, EXIF and XMP of its source; whole or not at all.

    Nobody may read the file who may not read the source.

    16-bit and float photos keep their depth in formats that have it (PNG 16; TIFF 16 and float;
    PPM 16), and become 10 bits in AVIF and HEIC and 8 bits in others. HDR goes into PNG, AVIF and
    HEIC by its code points, into TIFF as linear floats, into others compressed to white. Alpha is
    laid over white where a format has none.

    Args:
        photo: what to write.
        target: a path, or an open binary file.
        format: "JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIC", "BMP" or "PPM"; by default by the
            path's suffix, for open files the source's format.
        quality: 1..100 for lossy formats, 100 makes WebP lossless; by default what the source
            JPEG had, between 75 and 98, else 95 (JPEG), 92 (WebP), 85 (AVIF), 90 (HEIC). JPEG
            from 90 up keeps full colour resolution (4:4:4).
        overwrite: False refuses existing files.

    Returns:
        The path written, None for open files.

    Raises:
        UsageError: unknown format or suffix, quality outside 1..100.
        CannotWriteError: existing file, missing folder, no permission, no space.
        MissingModelError: HEIC without the extra pillow-heif, 10-bit AVIF without imagecodecs.
    """
    path = Path(target) if isinstance(target, str | os.PathLike) else None
    traits = format_of(path, format, photo.metadata.format)
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"Quality lies between 1 and 100, not {quality}.")
    name = f"'{path}'" if path else "the stream"
    if path is not None and not overwrite and os.path.exists(path):
        raise CannotWriteError(
            f"Cannot write {name}: it exists already; choose another name or allow overwriting "
            "(--overwrite)."
        )
    data = _encoded(photo, traits, quality, name)
    if path is not None:
        write_whole(path, data, overwrite=overwrite, like=photo.metadata.path)
        return path
    try:
        target.write(data)  # type: ignore[union-attr]
        target.flush()  # type: ignore[union-attr]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CannotWriteError(f"Cannot write to the stream: {reason}; free some space.") from error
    return None


def _encoded(photo: Photo, traits: FormatTraits, quality: int | None, name: str) -> bytes:
    if max(photo.size_hw) > traits.max_side_px:
        raise CannotWriteError(
            f"Cannot write {name}: {traits.name} holds at most {traits.max_side_px} pixels a side "
            f"and the photo has {max(photo.size_hw)}; choose PNG or TIFF."
        )
    try:
        return encode(photo, prepare(photo, traits), traits.name, _quality(photo, traits, quality))
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        raise CannotWriteError(
            f"Cannot write {name}: {traits.name} encoding failed ({error}); choose another format."
        ) from error


def _quality(photo: Photo, traits: FormatTraits, quality: int | None) -> int:
    if quality is not None:
        return quality
    source = photo.metadata.extra.get("jpeg_quality") if traits.name == "JPEG" else None
    if source is not None:
        return min(max(source, _JPEG_QUALITIES[0]), _JPEG_QUALITIES[1])
    return traits.quality or 100
