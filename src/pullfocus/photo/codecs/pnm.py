"""Decode PPM, PGM and PBM: text and 16 bits here, the rest by Pillow."""

from __future__ import annotations

import re

import numpy as np

from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.codecs.pillow import decode_pillow
from pullfocus.photo.source import Source

_GAP = rb"(?:\s+(?:#[^\n\r]*[\n\r]\s*)*|\s*(?:#[^\n\r]*[\n\r]\s*)+)"
_SIZE = rb"P([1-6])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})"
_HEADER = re.compile(_SIZE + _GAP + rb"(\d{1,9})\s")
_HEADER_OF_BITS = re.compile(_SIZE + rb"\s")
_MOST_HEADER = 1 << 16
_MOST_COMMENTS = 10_000
_NUMBERS = re.compile(rb"[0-9\s]*")
_COMMENT = re.compile(rb"#[^\n\r]*")
_NUMBER_BYTES = 12
"""Memory of one sample of text: 8 as a number, and its digits."""


def decode_pnm(source: Source) -> Decoded:
    """Decode a binary or text PPM, PGM or PBM.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    head = source.data[:_MOST_HEADER]
    is_bits = head[1:2] in b"14"
    header = (_HEADER_OF_BITS if is_bits else _HEADER).match(head)
    if header is None:
        raise source.unreadable(
            "it starts like a PPM file but its header is damaged; copy it again"
        )
    kind, width, height = header[1], int(header[2]), int(header[3])
    top = 1 if is_bits else int(header[4])
    if not 0 < top < 65536:
        raise source.unreadable(f"it calls {top} white, and 1 to 65535 can be; save it again")
    if kind == b"4" or (kind in b"56" and top <= 255):
        return decode_pillow(source, "PPM")
    channels = 3 if kind in b"36" else 1
    is_text = kind in b"123"
    source.check_size(width, height, 24 + is_text * channels * _NUMBER_BYTES)
    count = width * height * channels
    if is_text:
        values = _bits(source, header.end() - 1, count) if is_bits else None
        values = _numbers(source, header.end(), count) if values is None else values
    elif len(source.data) < header.end() + 2 * count:
        raise source.cut_short()
    else:
        values = np.frombuffer(source.data, ">u2", count, header.end()).astype(np.uint16)
    values = _full_range(values, top)
    return Decoded(values.reshape((height, width, 3) if channels == 3 else (height, width)))


def white_of_pnm(data: bytes) -> int:
    """Return the code that a PPM or PGM calls white; `decode_pnm` scales it to 255 or 65535."""
    header = _HEADER.match(data[:_MOST_HEADER])
    return int(header[4]) if header is not None else 255


def _full_range(values: np.ndarray, top: int) -> np.ndarray:
    """Scale codes 0..top to 8 bits, or to 16 where 8 cannot hold them."""
    white, dtype = (255, np.uint8) if top <= 255 else (65535, np.uint16)
    if top == white:
        return np.minimum(values, white).astype(dtype)
    return np.rint(np.minimum(values, top) * np.float64(white / top)).astype(dtype)


def _text(source: Source, start: int) -> bytes:
    """Return the digits and gaps of a text file, without its comments."""
    text = source.data[start:]
    if text.count(b"#") > _MOST_COMMENTS:
        raise source.unreadable("it has more comments than any program writes; save it again")
    text = _COMMENT.sub(b" ", text)
    if _NUMBERS.fullmatch(text) is None:
        raise source.cut_short()
    return text


def _bits(source: Source, start: int, count: int) -> np.ndarray:
    """Read bits written as 0 and 1, with or without gaps; 1 is black."""
    text = _text(source, start)
    codes = np.frombuffer(text, np.uint8)
    codes = codes[codes >= ord("0")][:count] - ord("0")
    if len(codes) < count or int(codes.max()) > 1:
        raise source.cut_short()
    return 1 - codes


def _numbers(source: Source, start: int, count: int) -> np.ndarray:
    """Read samples written as text."""
    if len(source.data) - start < 2 * count - 1:
        raise source.cut_short()
    text = _text(source, start)
    values = np.fromstring(text, np.int64, sep=" ")[:count]
    if len(values) < count:
        raise source.cut_short()
    return np.minimum(values, 65535).astype(np.uint16)
