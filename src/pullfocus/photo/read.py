"""load: from a file to a Photo, the first step of the line."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from pullfocus.frozen_arrays import read_only
from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.embedded.find import find_embedded_depth
from pullfocus.photo.formats import sniff
from pullfocus.photo.metadata import exif, xmp
from pullfocus.photo.metadata.camera import camera_optics
from pullfocus.photo.metadata.cicp import follow_codes
from pullfocus.photo.pixels import linearise, tone_curve_of, upright
from pullfocus.photo.source import MAX_MEGAPIXELS, READABLE, PhotoSource, Source, read_source
from pullfocus.tone import SRGB
from pullfocus.types import Metadata, Photo


def load(source: PhotoSource | np.ndarray, *, max_megapixels: float = MAX_MEGAPIXELS) -> Photo:
    """Read a photo: upright, in linear light, with everything its file knows about itself.

    The format is told by content, never by suffix. Animated files give their first frame. CMYK and
    Lab become sRGB; all other colours stay in the file's own primaries. What had to be left behind
    is said in `photo.metadata.notes`, one sentence each.

    Args:
        source: a path, the bytes of a file, or an open binary file; also an array (see
            `Photo.from_array`) or a Pillow image.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        UnreadableInputError: missing, empty, damaged, or of a kind that is not read.
        TooLargeError: more than `max_megapixels`.
        MissingModelError: HEIC without the extra pillow-heif.

    Convention: samples of float TIFF files without a profile are linear light already. HDR (PQ and
        HLG) becomes light in which 1.0 is reference white, 203 cd/m2; lights above it stay.
    """
    if isinstance(source, np.ndarray):
        return Photo.from_array(source)
    if is_pillow_image(source):
        return photo_from_pillow(source, max_megapixels)
    found = read_source(source, max_megapixels)
    kind = sniff(found.data[:64])
    return photo_of(found, kind or "", decode(found, kind))


def as_photo(given: Photo | PhotoSource | np.ndarray) -> Photo:
    """Return a Photo as it is, and load anything else that `load` takes.

    Raises:
        PullfocusError: as `load`.
    """
    return given if isinstance(given, Photo) else load(given)


def is_pillow_image(given: object) -> bool:
    """Tell a Pillow image, without importing Pillow for it."""
    library = sys.modules.get("PIL.Image")
    return library is not None and isinstance(given, library.Image)


def photo_from_pillow(image: Any, max_megapixels: float = MAX_MEGAPIXELS) -> Photo:
    """Turn an open Pillow image into a photo, with the metadata it carries.

    Raises:
        UnreadableInputError: its file is damaged, or its mode is not read.
        TooLargeError: more than `max_megapixels`.
    """
    from pullfocus.photo.codecs.pillow import fill_decoded

    source = Source(b"", "the given Pillow image", None, max_megapixels)
    source.check_size(*image.size)
    decoded = _with_exif_orientation(fill_decoded(source, image))
    return photo_of(source, image.format or "", decoded)


def decode(source: Source, kind: str | None) -> Decoded:
    """Decode by the module of a format.

    Raises:
        UnreadableInputError: as `load`.
    """
    # imported here: each brings a library of its own
    if kind == "JPEG":
        from pullfocus.photo.codecs.jpeg_reader import decode_jpeg as decoder
    elif kind == "PNG":
        from pullfocus.photo.codecs.png_reader import decode_png as decoder
    elif kind == "TIFF":
        from pullfocus.photo.codecs.tiff_reader import decode_tiff as decoder
    elif kind == "HEIF":
        from pullfocus.photo.codecs.heif import decode_heif as decoder
    elif kind == "PPM":
        from pullfocus.photo.codecs.pnm import decode_pnm as decoder
    elif kind == "AVIF":
        from pullfocus.photo.codecs.avif import decode_avif as decoder
    elif kind in ("WEBP", "BMP", "GIF", "JPEG2000"):
        from pullfocus.photo.codecs.pillow import decode_pillow

        return _with_exif_orientation(decode_pillow(source, kind))
    elif kind == "camera raw":
        raise source.unreadable("it is a camera raw file; develop it to a 16-bit TIFF first")
    else:
        what = f"it is {kind}" if kind else "it is not a picture"
        raise source.unreadable(f"{what}; pullfocus reads {READABLE}")
    decoded = decoder(source)
    return decoded if kind in ("TIFF", "HEIF") else _with_exif_orientation(decoded)


def _with_exif_orientation(decoded: Decoded) -> Decoded:
    decoded.orientation = exif.orientation_of(decoded.exif)
    return decoded


def photo_of(source: Source, kind: str, decoded: Decoded) -> Photo:
    """Bring what a decoder found to a Photo: upright and in linear light."""
    follow_codes(decoded)
    curve = SRGB if decoded.linear_samples else decoded.tone_curve or tone_curve_of(decoded)
    pixels = upright(decoded.pixels, decoded.orientation)
    alpha = None if decoded.alpha is None else upright(decoded.alpha, decoded.orientation)
    depth = find_embedded_depth(decoded, kind)
    is_grey = pixels.ndim == 2
    if decoded.linear_samples:
        linear = pixels if not is_grey else np.repeat(pixels[..., None], 3, axis=2)
    else:
        linear = linearise(pixels, curve)
    return Photo(
        linear=read_only(linear),
        alpha=None if alpha is None else _fraction(alpha),
        bit_depth={"uint8": 8, "uint16": 16}.get(pixels.dtype.name, 32),  # type: ignore[arg-type]
        tone_curve=curve,
        is_grey=is_grey,
        metadata=_metadata(source, kind, decoded),
        embedded_depth=depth,
    )


def _fraction(alpha: np.ndarray) -> np.ndarray:
    if alpha.dtype.kind == "f":
        return np.clip(alpha, 0.0, 1.0)
    return alpha.astype(np.float32) / np.float32(np.iinfo(alpha.dtype).max)


def _metadata(source: Source, kind: str, decoded: Decoded) -> Metadata:
    block = decoded.exif
    optics = camera_optics(block, decoded.notes)
    if block:
        turned = _was_turned(decoded, kind, block)
        block = exif.with_orientation_reset(block)
        if turned:
            block = exif.with_sides_swapped(block)
    if xmp.mentions(decoded.xmp, *xmp.GAIN_MAPS):
        decoded.extra["gain_map"] = True
    if decoded.extra.pop("gain_map", False):
        decoded.notes.append("Its gain map (HDR) is not kept: it would not fit the new picture.")
    return Metadata(
        path=source.path,
        format=kind,
        exif=block or None,
        icc_profile=decoded.icc_profile,
        xmp=xmp.without_stale(decoded.xmp) if decoded.xmp else None,
        dpi=decoded.dpi,
        optics=optics,
        notes=tuple(decoded.notes),
        extra=decoded.extra,
    )


def _was_turned(decoded: Decoded, kind: str, block: bytes) -> bool:
    """Tell whether the sides noted in EXIF are those from before a turn by 90 degrees.

    HEIC is turned while it is decoded; EXIF may say the same turn, with the sensor's sides.
    """
    if kind != "HEIF":
        return decoded.orientation >= 5
    return exif.orientation_of(block) >= 5 and exif.lies_across(block, decoded.pixels.shape)
