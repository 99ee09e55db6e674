"""stdin and stdout: `pullfocus - --at 0.5,0.5 < in.jpg > out.jpg`."""

from __future__ import annotations

import io
import sys
from typing import Any

from pullfocus.cli.console import say
from pullfocus.cli.inputs import STDIN, find_photos
from pullfocus.errors import CannotWriteError, UnreadableInputError, UsageError
from pullfocus.pipeline import Sidecar, apply

WRITABLE = {"JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIC"}


def refocus_stream(
    photos: list[str],
    output: str | None,
    sidecar: Sidecar,
    given: dict[str, Any],
    *,
    overwrite: bool = False,
    quiet: bool = False,
) -> None:
    """Refocus one photo from stdin, or to stdout, or both.

    Raises:
        UsageError: several photos, or a terminal where bytes should go.
    """
    from pullfocus.photo import load, save

    paths = [None] if photos == [STDIN] else find_photos(photos)
    if len(paths) != 1 or len(photos) != 1:
        raise UsageError("Only one photo fits through stdin or stdout.")
    path = paths[0]
    settings = sidecar.settings_for(path.name if path else None, given)
    photo = load(path or _read_stdin(), max_megapixels=settings.max_megapixels)
    done = apply(photo, settings)
    told = (
        f"Focus: {done.focus.chosen}; depth: {done.depth.source}.",
        *photo.metadata.notes,
        *done.depth.notes,
    )
    for words in () if quiet else told:
        say(words)
    quality: dict[str, Any] = {"quality": settings.quality}
    if output not in (None, STDIN):
        save(done.image, output, format=settings.format, overwrite=overwrite, **quality)
        return
    if sys.stdout.isatty():
        raise UsageError("The picture would go to the terminal; add -o FILE or > FILE.")
    target = io.BytesIO()
    kind = settings.format or _format_of(photo.metadata.format)
    save(done.image, target, format=kind, **quality)
    try:
        sys.stdout.buffer.write(target.getvalue())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise CannotWriteError(f"stdout cannot be written: {problem.strerror}.") from None


def _read_stdin() -> io.BytesIO:
    if sys.stdin.isatty():
        raise UsageError("Nothing comes from stdin; give a photo, or - with < PHOTO.")
    content = sys.stdin.buffer.read()
    if not content:
        raise UnreadableInputError("stdin is empty; was the command before it successful?")
    return io.BytesIO(content)


def _format_of(name: str | None) -> str:
    known = (name or "JPEG").upper()
    if known in ("BMP", "PPM", "GIF"):
        return "png"
    return known.lower() if known in WRITABLE - {"HEIC"} else "jpeg"
