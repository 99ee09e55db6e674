"""Encode TIFF: grey or RGB, with alpha, 8 bits, 16 bits or float, with all metadata inside.

Written here, since tifffile needs imagecodecs to predict and neither it nor Pillow can place an
EXIF directory into a 16-bit RGB file. Source: TIFF 6.0; Deflate: Adobe Photoshop TIFF notes.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from pullfocus.photo.metadata.tiff_directories import Tag, read_directories, write_directories

_ROWS = 64
_SHORT, _LONG, _BYTE, _RATIONAL, _UNDEFINED = 3, 4, 1, 5, 7


def encode_tiff(
    pixels: np.ndarray,
    *,
    has_alpha: bool = False,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    xmp: bytes | None = None,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Encode (h, w[, c]) uint8, uint16 or float32; the last channel is straight alpha if told so.

    Integers are Deflate-compressed with a horizontal predictor, floats are stored as they are.
    """
    order, directories = read_directories(exif or b"")
    samples = pixels[..., None] if pixels.ndim == 2 else pixels
    strips = [_strip(samples[at : at + _ROWS], order) for at in range(0, len(samples), _ROWS)]
    offsets, at = [], 8
    for strip in strips:
        offsets.append(at)
        at += len(strip)
    if at % 2:
        strips.append(b"\0")
        at += 1
    counts = [len(strip) for strip in strips[: len(offsets)]]
    own = _structure(samples, has_alpha, order, offsets, counts)
    own += _blocks(icc_profile, xmp)
    described = {tag.code for tag in directories.get("0", [])}
    if dpi and 282 not in described:
        own += _resolution(dpi, order)
    kept = [tag for tag in directories.get("0", []) if tag.code not in {t.code for t in own}]
    directories["0"] = own + kept
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return b"".join([head, *strips, write_directories(order, directories, at)])


def _strip(rows: np.ndarray, order: str) -> bytes:
    if rows.dtype.kind == "f":
        return rows.astype(order + "f4").tobytes()
    predicted = rows.copy()
    predicted[:, 1:] -= rows[:, :-1]  # modulo 2^bits, as the format wants
    return zlib.compress(predicted.astype(order + f"u{rows.dtype.itemsize}").tobytes(), 1)


def _structure(
    samples: np.ndarray, has_alpha: bool, order: str, offsets: list[int], counts: list[int]
) -> list[Tag]:
    height, width, channels = samples.shape
    is_float = samples.dtype.kind == "f"
    colours = channels - has_alpha

    def short(code: int, *values: int) -> Tag:
        return Tag(code, _SHORT, len(values), struct.pack(f"{order}{len(values)}H", *values))

    def long(code: int, *values: int) -> Tag:
        return Tag(code, _LONG, len(values), struct.pack(f"{order}{len(values)}I", *values))

    tags = [
        long(256, width),
        long(257, height),
        short(258, *[samples.dtype.itemsize * 8] * channels),
        short(259, 1 if is_float else 8),  # none, or Deflate
        short(262, 1 if colours == 1 else 2),  # black is zero, or RGB
        long(273, *offsets),
        short(277, channels),
        long(278, _ROWS),
        long(279, *counts),
        short(284, 1),
        short(339, *[3 if is_float else 1] * channels),
    ]
    if not is_float:
        tags.append(short(317, 2))
    if has_alpha:
        tags.append(short(338, 2))  # unassociated, that is straight
    return tags


def _blocks(icc_profile: bytes | None, xmp: bytes | None) -> list[Tag]:
    tags = []
    if xmp:
        tags.append(Tag(700, _BYTE, len(xmp), xmp))
    if icc_profile:
        tags.append(Tag(34675, _UNDEFINED, len(icc_profile), icc_profile))
    return tags


def _resolution(dpi: tuple[float, float], order: str) -> list[Tag]:
    x, y = (struct.pack(order + "II", min(max(round(v * 1000), 1), 2**32 - 1), 1000) for v in dpi)
    unit = struct.pack(order + "H", 2)
    return [Tag(282, _RATIONAL, 1, x), Tag(283, _RATIONAL, 1, y), Tag(296, _SHORT, 1, unit)]
