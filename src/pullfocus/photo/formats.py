"""The formats that can be written: their suffixes and what each can hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pullfocus.errors import UsageError


@dataclass(frozen=True, slots=True)
class FormatTraits:
    """What a format can hold.

    quality: the default, None where it is lossless. cicp: whether it says colour by code points of
    ITU-T H.273, HDR among them.
    """

    name: str
    suffixes: tuple[str, ...]
    bit_depths: tuple[int, ...] = (8,)
    alpha: bool = True
    grey: bool = True
    metadata: bool = True
    quality: int | None = None
    cicp: bool = False
    max_side_px: int = (1 << 31) - 1


FORMATS = {
    traits.name: traits
    for traits in (
        FormatTraits("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), alpha=False, quality=95,
                     max_side_px=65535),
        FormatTraits("PNG", (".png",), (8, 16), cicp=True),
        FormatTraits("TIFF", (".tif", ".tiff"), (8, 16, 32)),
        FormatTraits("WEBP", (".webp",), grey=False, quality=92, max_side_px=16383),
        FormatTraits("AVIF", (".avif",), (8, 10), grey=False, quality=85, cicp=True,
                     max_side_px=65535),
        FormatTraits("HEIF", (".heic", ".heif", ".hif"), (8, 10), grey=False, quality=90,
                     cicp=True, max_side_px=65535),
        FormatTraits("BMP", (".bmp", ".dib"), alpha=False, metadata=False),
        FormatTraits("PPM", (".ppm", ".pgm", ".pnm"), (8, 16), alpha=False, metadata=False),
    )
}  # fmt: skip
_BY_SUFFIX = {suffix: traits for traits in FORMATS.values() for suffix in traits.suffixes}
_ALIASES = {"JPG": "JPEG", "TIF": "TIFF", "HEIC": "HEIF", "PGM": "PPM", "PNM": "PPM"}
WRITABLE = ", ".join(suffix for traits in FORMATS.values() for suffix in traits.suffixes[:1])


def format_of(path: Path | None, name: str | None, fallback: str | None = None) -> FormatTraits:
    """Choose the format: by name, else by the path's suffix, else the fallback, else PNG.

    Raises:
        UsageError: a name or suffix that is not written, or a suffix of another format than the
            one that is named.
    """
    by_suffix = _BY_SUFFIX.get(path.suffix.lower()) if path else None
    if name is not None:
        wanted = name.upper().lstrip(".")
        wanted = _ALIASES.get(wanted, wanted)
        if wanted not in FORMATS:
            raise UsageError(f"No format is called {name!r}; try one of {', '.join(FORMATS)}.")
        if by_suffix not in (None, FORMATS[wanted]):
            raise UsageError(f"'{path}' is no name for {wanted}; change it, or leave --format out.")
        return FORMATS[wanted]
    if path is None:
        return FORMATS.get(fallback or "", FORMATS["PNG"])
    if by_suffix is not None:
        return by_suffix
    raise UsageError(f"Cannot tell a format from the name '{path}'; end it with one of {WRITABLE}.")


_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIRS", "camera raw"),
    (b"MMOR", "camera raw"),
)


def sniff(head: bytes) -> str | None:
    """Name the format of a file from its first 64 bytes, None if they are of no known kind."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return "camera raw" if name == "TIFF" and head[8:10] == b"CR" else name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "PPM"
    if head[4:8] == b"ftyp":
        return _sniff_brand(head)
    return None


def _sniff_brand(head: bytes) -> str | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, size - 3, 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    if head[8:12] == b"crx ":
        return "camera raw"
    return "HEIF" if brands & _HEIF_BRANDS else None
