"""Decode TIFF: 8 bits by Pillow; 16 bits and float by tifffile, or OpenCV where it lacks a codec.

Orientation is reset in a copy of the bytes first: Pillow and OpenCV would apply it, tifffile not.
"""

from __future__ import annotations

import io
import itertools
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullfocus.errors import TooLargeError, UnreadableInputError
from pullfocus.photo.codecs.decoded import BOUNDLESS, Decoded, decoding
from pullfocus.photo.codecs.opencv import imdecode_unchanged, to_rgb
from pullfocus.photo.codecs.pillow import decode_pillow
from pullfocus.photo.limits import BYTES_PER_PIXEL
from pullfocus.photo.metadata import exif
from pullfocus.photo.metadata.tiff_directories import describe_tiff
from pullfocus.photo.source import CUT_SHORT, Source

_MIN_IS_WHITE, _MIN_IS_BLACK, _PALETTE, _SEPARATED, _LAB = 0, 1, 3, 5, 8
_SENSOR = (32803, 34892)  # colour filter array, linear raw
_FLOAT, _SIGNED, _UNSIGNED = 3, 2, 1
_PREMULTIPLIED, _STRAIGHT = 1, 2  # extra samples; other kinds are masks and the like, not alpha
_DNG_VERSION = 50706
_MAX_PAGES = 1000
MAX_TILE_PX = 1 << 24

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # its warnings are not for users


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the first page says of itself; `extra` are the kinds of its extra samples."""

    width: int
    height: int
    bits: int
    sample_format: int
    photometric: int
    extra: tuple[int, ...]
    separate: bool
    icc_profile: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    orientation: int
    raw: bool
    bytes_per_pixel: float
    tile_px: int


def decode_tiff(source: Source) -> Decoded:
    """Decode the first page.

    Raises:
        UnreadableInputError: damaged, cut short, a camera raw file, or too many pixels.
    """
    import tifffile

    data = exif.with_orientation_reset(source.data)
    damaged = "it starts like a TIFF file but its structure is damaged; copy it again"
    with (
        decoding(source, damaged, tifffile.TiffFileError),
        tifffile.TiffFile(io.BytesIO(data)) as tiff,
    ):
        page: Any = tiff.pages[0]
        facts = _facts(page)
        pages = _page_count(tiff)
    if facts.raw:
        raise source.unreadable("it is a camera raw file; develop it to a 16-bit TIFF first")
    if facts.sample_format == _SIGNED and facts.photometric != _LAB:
        raise source.unreadable(
            "its samples are signed integers; save it as 16-bit unsigned or float"
        )
    source.check_size(facts.width, facts.height, BYTES_PER_PIXEL + facts.bytes_per_pixel)
    if facts.tile_px > 4 * MAX_TILE_PX:
        source.check_size(1, facts.tile_px)
    out = _decode_pixels(source, data, facts)
    out.icc_profile = out.icc_profile and facts.icc_profile
    out.xmp, out.dpi = facts.xmp, facts.dpi or out.dpi
    out.exif = describe_tiff(source.data)
    out.orientation = facts.orientation or exif.orientation_of(source.data)
    if pages > 1:
        out.notes.append(f"It has {pages} pages: the first one was used.")
    if out.broken:
        out.notes.append(f"{out.broken} of its samples were NaN or infinite and became black.")
    if facts.extra and out.alpha is None:
        out.notes.append("It has extra channels that are no transparency: not kept.")
    return out


def _decode_pixels(source: Source, data: bytes, facts: _Facts) -> Decoded:
    """Decode by Pillow what it reads, and all else by tifffile."""
    if facts.bits > 8 or facts.sample_format == _FLOAT or exif.parse(data) is None:
        return _decode_deep(source, data, facts)
    try:
        return decode_pillow(source, "TIFF", data)
    except TooLargeError:
        raise
    except UnreadableInputError as problem:  # damaged, or a compression that Pillow lacks
        try:
            out = _decode_deep(source, data, facts)
        except UnreadableInputError:
            raise problem from None
    if out.pixels.dtype == np.uint16:
        out.pixels = (out.pixels // 257).astype(np.uint8)
        out.alpha = None if out.alpha is None else (out.alpha // 257).astype(np.uint8)
    return out


def _facts(page: Any) -> _Facts:
    def tag(code: int) -> Any:
        found = page.tags.get(code)
        return found.value if found is not None else None

    icc, xmp = tag(34675), tag(700)
    orientation = tag(exif.ORIENTATION)
    bits = page.bitspersample
    widest = max(bits) if isinstance(bits, tuple) else _int(bits)
    return _Facts(
        width=_int(page.imagewidth),
        height=_int(page.imagelength),
        bits=widest,
        sample_format=_int(page.sampleformat or _UNSIGNED),
        photometric=_int(page.photometric),
        extra=tuple(_int(value) for value in page.extrasamples or ()),
        separate=_int(page.planarconfig or 1) == 2,
        icc_profile=icc if isinstance(icc, bytes) and icc else None,
        xmp=xmp if isinstance(xmp, bytes) and xmp else None,
        dpi=_dpi(tag(282), tag(283), tag(296)),
        orientation=int(orientation) if orientation in range(2, 9) else 0,
        raw=tag(_DNG_VERSION) is not None or _is_sensor(page),
        bytes_per_pixel=_int(page.samplesperpixel) * _int(page.imagedepth) * widest / 8,
        tile_px=_int(page.tilewidth) * _int(page.tilelength) * _int(page.tiledepth),
    )


def _int(value: Any) -> int:
    """Return a tag's number; damaged tags hold texts and lists."""
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return int(value)


def _is_sensor(page: Any) -> bool:
    """Tell camera raw files; the first page of many is a preview, with the sensor's data below."""
    below = itertools.islice(iter(page.pages or ()), _MAX_PAGES)
    return any(_int(part.photometric) in _SENSOR for part in (page, *below))


def _dpi(x: Any, y: Any, unit: Any) -> tuple[float, float] | None:
    try:
        scale = 2.54 if unit == 3 else 1.0
        dpi = (x[0] / x[1] * scale, y[0] / y[1] * scale)
    except (TypeError, LookupError, ZeroDivisionError):
        return None
    return dpi if unit != 1 and 0 < dpi[0] < 1e6 and 0 < dpi[1] < 1e6 else None


def _page_count(tiff: Any) -> int:
    """Count full pictures, not the reduced copies that some programs add."""
    pages = itertools.islice(iter(tiff.pages), 1, _MAX_PAGES)  # a list would read them all
    return 1 + sum(1 for page in pages if not getattr(page, "is_reduced", False))


def _decode_deep(source: Source, data: bytes, facts: _Facts) -> Decoded:
    import tifffile

    if facts.photometric == _PALETTE:
        raise source.unreadable("its colours are a palette in a rare kind of TIFF; save it as RGB")
    try:
        with (
            decoding(source, CUT_SHORT, tifffile.TiffFileError),
            tifffile.TiffFile(io.BytesIO(data)) as tiff,
        ):
            array = _array(tiff.pages[0])
    except _MissingCodecError:
        array = _array_by_opencv(source, data, facts)
    try:
        return _split(_channels_last(array, facts), facts)
    except _OddSamplesError as error:
        raise source.unreadable(f"{error}; save it as 8 or 16 bits per channel") from error


class _MissingCodecError(Exception):
    """Report that tifffile lacks a codec."""


class _OddSamplesError(ValueError):
    """Report samples or channels of a kind that is not read."""


def _array(page: Any) -> np.ndarray:
    try:
        return np.asarray(page.asarray())
    except (ValueError, ImportError) as error:
        # tifffile tells of missing codecs by either; zstd asks Python 3.14 for one of its own
        if isinstance(error, ValueError) and "imagecodecs" not in str(error):
            raise
        raise _MissingCodecError from error


def _array_by_opencv(source: Source, data: bytes, facts: _Facts) -> np.ndarray:
    pixels = None if facts.separate else imdecode_unchanged(data)  # it mixes up planes
    if pixels is None or pixels.shape[:2] != (facts.height, facts.width):
        raise source.unreadable(
            "its TIFF compression cannot be read here; save it uncompressed or with Deflate, or "
            "try: pip install imagecodecs"
        )
    rgb, alpha = to_rgb(pixels)
    return rgb if alpha is None else np.dstack([rgb, alpha])


def _channels_last(array: np.ndarray, facts: _Facts) -> np.ndarray:
    planes_first = (facts.height, facts.width) == array.shape[1:] and facts.separate
    if array.ndim == 3 and planes_first:  # OpenCV and some codecs bring them together
        array = np.moveaxis(array, 0, -1)
    if array.ndim not in (2, 3) or array.shape[:2] != (facts.height, facts.width):
        raise _OddSamplesError(f"its samples have the shape {array.shape}")
    return array


def _split(array: np.ndarray, facts: _Facts) -> Decoded:
    """Sort channels into colour and alpha, and samples into uint16 or float32."""
    samples, broken = _samples(array, facts)
    colours = 1 if facts.photometric in (_MIN_IS_WHITE, _MIN_IS_BLACK) else 3
    if facts.photometric in (_SEPARATED, _LAB) and samples.dtype == np.uint16:
        return _colour_managed(samples, facts)
    if samples.ndim == 2:
        samples = samples[..., None]
    if samples.shape[2] < colours:
        raise _OddSamplesError(f"it has {samples.shape[2]} channels")
    colour = samples[..., :colours]
    alpha = None
    kind = facts.extra[0] if facts.extra and samples.shape[2] > colours else None
    if kind in (_PREMULTIPLIED, _STRAIGHT):
        alpha = np.ascontiguousarray(samples[..., colours])
    if alpha is not None and kind == _PREMULTIPLIED:
        colour = _unassociated(colour, alpha)
    if facts.photometric == _MIN_IS_WHITE and samples.dtype == np.uint16:
        colour = np.uint16(65535) - colour
    colour = np.ascontiguousarray(colour[..., 0] if colours == 1 else colour)
    linear = facts.sample_format == _FLOAT and facts.icc_profile is None
    return Decoded(
        colour, alpha, icc_profile=facts.icc_profile, linear_samples=linear, broken=broken
    )


def _samples(array: np.ndarray, facts: _Facts) -> tuple[np.ndarray, int]:
    """Return samples as uint16 or float32, and how many had no number."""
    if array.dtype.kind == "f":
        values = array.astype(np.float32)
        sound = np.abs(values) < BOUNDLESS
        broken = sound.size - int(np.count_nonzero(sound))
        return np.where(sound, values, np.float32(0)) if broken else values, broken
    if array.dtype.kind != "u":
        raise _OddSamplesError(f"its samples are {array.dtype}")
    bits = array.dtype.itemsize * 8 if facts.bits > 16 else facts.bits
    if bits == 16:
        return array.astype(np.uint16), 0
    scaled = np.rint(array.astype(np.float64) * (65535.0 / (2.0**bits - 1)))
    return np.minimum(scaled, 65535).astype(np.uint16), 0


def _unassociated(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide premultiplied colour by alpha."""
    if colour.dtype.kind == "f":
        safe = np.where(alpha > 0, alpha, 1.0)
        return (colour / safe[..., None]).astype(np.float32)
    divided = colour.astype(np.float32) * 65535.0 / np.maximum(alpha, 1)[..., None]
    return np.clip(np.rint(divided), 0, 65535).astype(np.uint16)


def _colour_managed(samples: np.ndarray, facts: _Facts) -> Decoded:
    """Turn 16-bit CMYK or Lab into 8-bit sRGB; there is no 16-bit colour management at hand."""
    from PIL import Image

    from pullfocus.photo.codecs.pillow import fill_by_colour_management

    mode, count = ("CMYK", 4) if facts.photometric == _SEPARATED else ("LAB", 3)
    if samples.ndim != 3 or samples.shape[2] < count:
        raise _OddSamplesError(f"it is {mode} with fewer than {count} channels")
    codes = ((samples[..., :count].astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)
    if mode == "LAB":  # a and b are signed
        signed = samples[..., 1:3].view(np.int16).astype(np.int32)
        codes[..., 1:] = np.minimum((signed + 128) >> 8, 127).astype(np.int8).view(np.uint8)
    out = Decoded(np.empty(0), icc_profile=facts.icc_profile)
    fill_by_colour_management(Image.frombytes(mode, codes.shape[1::-1], codes.tobytes()), out)
    out.notes.append(f"Its 16-bit {mode} was cut to 8 bits.")
    return out
