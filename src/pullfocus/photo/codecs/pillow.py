"""Decode by Pillow: JPEG, WebP, AVIF, BMP, GIF, JPEG 2000, 8-bit PNG and TIFF."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from pullfocus.errors import TooLargeError
from pullfocus.photo.codecs.decoded import DECODE_ERRORS, Decoded, decoding
from pullfocus.photo.metadata import icc
from pullfocus.photo.source import CUT_SHORT, Source

if TYPE_CHECKING:
    from PIL import Image

# Plugins are called by name: nothing else is tried on foreign bytes (no Ghostscript), and
# Pillow's own limit on pixels, a global that warns, gives way to ours.
_PLUGINS = {
    "JPEG": "JpegImagePlugin.JpegImageFile",
    "PNG": "PngImagePlugin.PngImageFile",
    "TIFF": "TiffImagePlugin.TiffImageFile",
    "WEBP": "WebPImagePlugin.WebPImageFile",
    "AVIF": "AvifImagePlugin.AvifImageFile",
    "BMP": "BmpImagePlugin.BmpImageFile",
    "GIF": "GifImagePlugin.GifImageFile",
    "PPM": "PpmImagePlugin.PpmImageFile",
    "JPEG2000": "Jpeg2KImagePlugin.Jpeg2KImageFile",
}


def open_pillow(source: Source, kind: str, data: bytes | None = None) -> Image.Image:
    """Open without decoding, size checked.

    Raises:
        UnreadableInputError: the header makes no sense, or too many pixels.
    """
    module, _, name = _PLUGINS[kind].partition(".")
    plugin = getattr(import_module(f"PIL.{module}"), name)
    damaged = f"it starts like a {kind} file but its header is damaged; copy it again"
    if kind == "WEBP":  # Pillow takes the canvas' memory when it opens one
        size = webp_size(source.data)
        if size is None:
            raise source.unreadable(damaged)
        source.check_size(*size)
    with decoding(source, damaged), _guarded(source, kind):
        image: Image.Image = plugin(io.BytesIO(data or source.data))
    source.check_size(*image.size)
    return image


@contextmanager
def _guarded(source: Source, kind: str) -> Iterator[None]:
    """Silence Pillow on odd TIFF tags and GIF frames; translate its own limit on pixels.

    It checks WebP canvases, TIFF tiles and GIF frames itself, at 179 megapixels.
    """
    from PIL import Image

    with warnings.catch_warnings() if kind in ("TIFF", "GIF") else nullcontext():
        if kind in ("TIFF", "GIF"):
            warnings.simplefilter("ignore")
        try:
            yield
        except Image.DecompressionBombError as error:
            raise TooLargeError(
                f"Cannot read {source.name}: it is too large for this program's {kind} reader "
                "(179 megapixels); make it smaller."
            ) from error


def decode_pillow(source: Source, kind: str, data: bytes | None = None) -> Decoded:
    """Decode the first frame with the metadata that Pillow found.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    return fill_decoded(source, open_pillow(source, kind, data), kind)


def fill_decoded(source: Source, image: Image.Image, kind: str = "") -> Decoded:
    """Decode an image that Pillow has opened.

    Raises:
        UnreadableInputError: damaged, cut short, or of a mode that is not read.
    """
    out = Decoded(np.empty(0))
    fill_metadata(image, out)
    with decoding(source, CUT_SHORT), _guarded(source, kind):
        if kind != "TIFF" and getattr(image, "is_animated", False):
            out.notes.append("It is animated: the first frame was used.")
        image.load()
    with decoding(source, CUT_SHORT):  # pixels that come in late: Pillow converts lazily
        fill_pixels(image, out)
    if image.size != out.pixels.shape[1::-1]:
        raise source.cut_short()
    return out


def fill_metadata(image: Image.Image, out: Decoded) -> None:
    """Take the blocks that Pillow found."""
    exif, xmp = image.info.get("exif"), image.info.get("xmp")
    profile = image.info.get("icc_profile")
    out.icc_profile = profile if isinstance(profile, bytes) and profile else None
    if isinstance(exif, bytes) and exif:
        out.exif = exif.removeprefix(b"Exif\0\0")
    out.xmp = xmp if isinstance(xmp, bytes) and xmp else None
    out.dpi = _dpi(image.info.get("dpi"))


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Read (width, height) from the header of a WebP file; None if it has none that is known.

    Source: WebP Container Specification (VP8X, VP8L) and RFC 6386, section 9.1 (VP8).
    """
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    return None


def _dpi(value: Any) -> tuple[float, float] | None:
    try:
        x, y = float(value[0]), float(value[1])
    except (TypeError, ValueError, LookupError, ZeroDivisionError):
        return None
    return (x, y) if 0 < x < 1e6 and 0 < y < 1e6 else None


def fill_pixels(image: Image.Image, out: Decoded) -> None:
    """Bring any mode of Pillow to grey or RGB, with alpha beside it."""
    mode = image.mode
    if mode in ("CMYK", "LAB"):
        fill_by_colour_management(image, out)
        return
    if mode.startswith("I;16"):
        out.pixels = np.asarray(image).astype(np.uint16)
        return
    if "transparency" in image.info or mode in ("RGBA", "RGBa", "PA", "LA", "La"):
        grey = mode in ("1", "L", "LA", "La")
        straight = image.convert("RGBA")
        array = np.asarray(straight)
        out.pixels = np.ascontiguousarray(array[..., 0] if grey else array[..., :3])
        out.alpha = np.ascontiguousarray(array[..., 3])
    elif mode in ("1", "L"):
        out.pixels = np.asarray(image if mode == "L" else image.convert("L"))
    elif mode in ("RGB", "RGBX", "P", "YCbCr", "HSV"):
        out.pixels = np.asarray(image if mode == "RGB" else image.convert("RGB"))
    elif mode == "F":
        out.pixels, out.linear_samples = np.asarray(image), True
    elif mode == "I":
        out.pixels = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
    else:
        raise ValueError(f"Pillow mode {mode}")


def fill_by_colour_management(image: Image.Image, out: Decoded) -> None:
    """Turn CMYK or Lab into sRGB, by its profile where it has one that works."""
    from PIL import ImageCms

    space = "Lab" if image.mode == "LAB" else "CMYK"
    source: Any = None
    if space == "Lab":
        source = ImageCms.createProfile("LAB")
    elif out.icc_profile and icc.colour_space(out.icc_profile) == "CMYK":
        source = io.BytesIO(out.icc_profile)
    rgb: Image.Image | None = None
    if source is not None:
        try:
            rgb = ImageCms.profileToProfile(
                image,
                source,
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, *DECODE_ERRORS, TypeError):  # TypeError: from lcms
            rgb = None
    how = (
        "by colour management"
        if rgb is not None
        else "without a profile, so colours are approximate"
    )
    out.notes.append(f"It was {space}: turned into sRGB {how}; the result is RGB.")
    out.icc_profile = None
    out.pixels = np.asarray(rgb if rgb is not None else image.convert("RGB"))
