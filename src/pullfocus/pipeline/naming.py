"""Names of outputs: beside the photo, never the photo itself."""

from __future__ import annotations

from pathlib import Path

WRITABLE = {
    ".jpg": "jpeg", ".jpeg": "jpeg", ".jpe": "jpeg", ".png": "png", ".tif": "tiff",
    ".tiff": "tiff", ".webp": "webp", ".avif": "avif", ".heic": "heic", ".heif": "heic",
}  # fmt: skip
SUFFIX = {
    "jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp", "avif": ".avif",
    "heic": ".heic",
}  # fmt: skip
LOSSLESS = {".bmp": ".png", ".ppm": ".png", ".pgm": ".png", ".pnm": ".png", ".gif": ".png"}


def default_output(
    photo: Path, *, folder: Path | None = None, format_: str | None = None, word: str = "refocused"
) -> Path:
    """Name the output of a photo: `cat.png` -> `cat.refocused.png`.

    The suffix is kept where it can be written; HEIC becomes .jpg unless the [heic] extra is there,
    BMP, PPM and GIF become .png, anything else .jpg.
    """
    suffix = SUFFIX[format_] if format_ else _suffix_for(photo.suffix)
    return (folder or photo.parent) / f"{photo.stem}.{word}{suffix}"


def sidecar_path(photo: Path) -> Path:
    """Name the sidecar of a photo: `cat.jpg` -> `cat.pullfocus.json`."""
    return photo.with_name(f"{photo.stem}.pullfocus.json")


def _suffix_for(suffix: str) -> str:
    kind = WRITABLE.get(suffix.lower())
    if kind == "heic" and not can_write_heic():
        return ".jpg"
    return suffix if kind else LOSSLESS.get(suffix.lower(), ".jpg")


def can_write_heic() -> bool:
    """Say whether the [heic] extra is installed."""
    from importlib.util import find_spec

    return find_spec("pillow_heif") is not None
