"""Decode PPM and PGM: 16 bits here, binary or text, the rest by Pillow."""

from __future__ import annotations

import re

import numpy as np

from pullfocus.photo.decode_pillow import decode_pillow
from pullfocus.photo.decoded import Decoded
from pullfocus.photo.source import Source

_GAP = rb"(?:\s+(?:#[^\n\r]*[\n\r]\s*)*|\s*(?:#[^\n\r]*[\n\r]\s*)+)"
_HEADER = re.compile(rb"P([2356])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)\s")

_NUMBERS = re.compile(rb"[0-9\s]*")
_COMMENT = re.compile(rb"#[^\n\r]*")


def decode_pnm(source: Source) -> Decoded:
    """Decode a binary or text PPM, PGM or PBM.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    header = _HEADER.match(source.data[:4096])
    if header is None or not 255 < int(header[4]) < 65536:
        return decode_pillow(source, "PPM")
    channels = 3 if header[1] in b"36" else 1
    width, height, top = int(header[2]), int(header[3]), int(header[4])
    source.check_size(width, height)
    count = width * height * channels
    if header[1] in b"23":
        values = _numbers(source, header.end(), count)
    elif len(source.data) < header.end() + 2 * count:
        raise source.cut_short()
    else:
        values = np.frombuffer(source.data, ">u2", count, header.end()).astype(np.uint16)
    if top != 65535:
        scaled = np.rint(np.minimum(values, top) * np.float64(65535 / top))
        values = scaled.astype(np.uint16)
    return Decoded(values.reshape((height, width, 3) if channels == 3 else (height, width)))


def white_of_pnm(data: bytes) -> int:
    """Return the code that a PPM or PGM calls white; `decode_pnm` scales it to 255 or 65535."""
    header = _HEADER.match(data[:4096])
    return int(header[4]) if header is not None else 255


def _numbers(source: Source, start: int, count: int) -> np.ndarray:
    """Read samples written as text."""
    text = _COMMENT.sub(b" ", source.data[start:])
    if _NUMBERS.fullmatch(text) is None:
        raise source.cut_short()
    values = np.fromstring(text, np.int64, sep=" ")[:count]
    if len(values) < count:
        raise source.cut_short()
    return np.minimum(values, 65535).astype(np.uint16)
