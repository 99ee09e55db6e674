"""Names of outputs: beside the photo, never the photo itself."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

LONGEST_NAME_BYTES, LONGEST_ENDING_BYTES = 255, 60
WRITABLE = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".png": "png",
    ".tif": "tiff", ".tiff": "tiff", ".webp": "webp", ".avif": "avif", ".heic": "heic",
    ".heif": "heic", ".hif": "heic",
}  # fmt: skip
SUFFIX = {
    "jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp", "avif": ".avif",
    "heic": ".heic",
}  # fmt: skip
LOSSLESS = {
    ".bmp": ".png", ".dib": ".png", ".ppm": ".png", ".pgm": ".png", ".pnm": ".png", ".gif": ".png",
}  # fmt: skip


def default_output(
    photo: Path, *, folder: Path | None = None, format_: str | None = None, word: str = "refocused"
) -> Path:
    """Name the output of a photo: `cat.png` -> `cat.refocused.png`.

    The suffix is kept where it can be written; HEIC becomes .jpg unless the [heic] extra is there,
    BMP, PPM and GIF become .png, anything else .jpg.
    """
    suffix = SUFFIX[format_] if format_ else _suffix_for(photo.suffix)
    return fitted((folder or photo.parent) / f"{photo.stem}.{word}{suffix}")


def sidecar_path(photo: Path) -> Path:
    """Name the sidecar of a photo: `cat.jpg` -> `cat.pullfocus.json`."""
    return fitted(photo.with_name(f"{photo.stem}.pullfocus.json"))


def fitted(path: Path, ending: str = "") -> Path:
    """Shorten a name that no file can have: its begin, a few letters of its own, its ending.

    Two names stay two; a name that fits stays as it is. ending: what has to stay; by default as
    many of the last three suffixes as are short.
    """
    name = os.fsencode(path.name)
    if len(name) <= LONGEST_NAME_BYTES:
        return path
    endings = (ending, *("".join(path.suffixes[-count:]) for count in (3, 2, 1)))
    short = (end for end in endings if 0 < len(os.fsencode(end)) <= LONGEST_ENDING_BYTES)
    tail = f"~{sha256(name).hexdigest()[:8]}{next(short, '')}"
    begin = name[: LONGEST_NAME_BYTES - len(os.fsencode(tail))]
    return path.with_name(begin.decode(errors="ignore") + tail)


def _suffix_for(suffix: str) -> str:
    kind = WRITABLE.get(suffix.lower())
    if kind == "heic" and not can_write_heic():
        return ".jpg"
    return suffix if kind else LOSSLESS.get(suffix.lower(), ".jpg")


def can_write_heic() -> bool:
    """Say whether the [heic] extra is installed."""
    from importlib.util import find_spec

    return find_spec("pillow_heif") is not None
