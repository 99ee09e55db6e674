"""Decode PNG: 8 bits by Pillow, 16 by OpenCV, since Pillow cuts 16-bit RGB to 8 bits."""

from __future__ import annotations

import numpy as np

from pullfocus.photo.codecs import png
from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.codecs.opencv import imdecode_unchanged, to_rgb
from pullfocus.photo.codecs.pillow import decode_pillow
from pullfocus.photo.metadata.cicp import profile_of_chromaticities
from pullfocus.photo.source import Source

_GREY, _GREY_ALPHA = 0, 4
_STALE_TEXT = ("Raw profile type", "Thumb::")
"""Texts that are copies of EXIF and the like, by old programs, or speak of a thumbnail."""


def decode_png(source: Source) -> Decoded:
    """Decode a PNG of any kind, all chunks checked first.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    info = checked_info(source)
    if info.bit_depth == 16:
        out = _decode_16(source, info)
    else:  # Pillow gets the picture alone: it would unpack texts and profiles once more
        out = decode_pillow(source, "PNG", png.picture_only(source.data))
    out.exif, out.xmp, out.icc_profile = info.exif, info.xmp, info.icc_profile
    out.dpi = info.dpi
    kept = {key: text for key, text in info.text.items() if not key.startswith(_STALE_TEXT)}
    if kept:
        out.extra["png_text"] = kept
    animated = "It is animated: the first frame was used."
    if info.frames > 1 and animated not in out.notes:
        out.notes.append(animated)
    _colours(out, info)
    return out


def _colours(out: Decoded, info: png.PngInfo) -> None:
    """Follow cICP, else the profile, else sRGB, else cHRM and gAMA.

    Source: PNG third edition, section 4.3, "Colour spaces".
    """
    if info.cicp is not None and info.cicp[2] != 0:
        out.notes.append("Its cICP chunk asks for a matrix, which PNG does not allow: ignored.")
    elif info.cicp is not None:
        out.cicp, out.icc_profile = info.cicp[:2], None
        if not info.cicp[3]:
            out.pixels = _from_narrow_range(out.pixels)
    if out.cicp or info.is_srgb or info.icc_profile:
        return
    if info.chromaticities:
        out.icc_profile = profile_of_chromaticities(info.chromaticities, info.gamma)
    if info.gamma and out.icc_profile is None:
        out.extra["png_gamma"] = info.gamma


def _from_narrow_range(codes: np.ndarray) -> np.ndarray:
    """Stretch 16..235 (times 256 at 16 bits) to all codes. Source: ITU-T H.273, equation 20."""
    step, top = (1, 255) if codes.dtype == np.uint8 else (256, 65535)
    table = (np.arange(top + 1) - 16 * step) * (top / (219 * step))
    return np.rint(np.clip(table, 0, top)).astype(codes.dtype)[codes]


def checked_info(source: Source) -> png.PngInfo:
    """Read all chunks of a PNG, after its header's claim of pixels has been checked.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    try:
        header = png.read_header(source.data)
        source.check_size(header.width, header.height)
        return png.read_info(source.data, int(source.limits.metadata_mb * 1e6))
    except png.DamagedPngError as error:
        raise source.cut_short() from error
    except png.OversizedPngError as error:
        raise source.unreadable(
            f"{error}, over the limit of {source.limits.metadata_mb:g} MB; strip its texts and "
            "profile, or raise PULLFOCUS_MAX_METADATA_MB"
        ) from error


def _decode_16(source: Source, info: png.PngInfo) -> Decoded:
    pixels = imdecode_unchanged(source.data)
    if pixels is None or pixels.shape[:2] != (info.height, info.width):
        raise source.cut_short()
    rgb, alpha = to_rgb(pixels)
    grey = info.colour_type in (_GREY, _GREY_ALPHA) and rgb.ndim == 3
    return Decoded(rgb[..., 0].copy() if grey else rgb, alpha)
