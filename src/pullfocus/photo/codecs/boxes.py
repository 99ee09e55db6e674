"""The boxes of HEIC and AVIF files: a missing end, and what the picture says of itself.

Source: ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (properties of items).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pullfocus.photo.codecs.av1_sequence import sequence_colour

_MAX_BOXES = 10_000
_KNOWN = {b"ftyp", b"meta", b"mdat", b"idat", b"moov", b"free", b"skip"}


def is_cut_short(data: bytes) -> bool:
    """Tell whether an outer box claims more bytes than there are.

    libheif fills what is missing with grey instead of refusing.
    Source: ISO/IEC 14496-12, section 4.2.
    """
    at = 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0 or kind not in _KNOWN:  # to the end of the file, or some maker's trailer
            return False
        if size < 8 or at + size > len(data):
            return True
        at += size
    return False


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the properties of a file's primary picture say.

    bits: per channel. cicp: (primaries, transfer, matrix) of ITU-T H.273, None where it is silent.
    crop: (top, bottom, left, right) of the coded picture, None for all of it.
    """

    bits: int = 8
    cicp: tuple[int, int, int] | None = None
    crop: tuple[int, int, int, int] | None = None


def item_facts(data: bytes) -> ItemFacts:
    """Read the properties of the primary picture; nothing where the boxes are damaged."""
    try:
        properties = _primary_properties(data)
    except (struct.error, IndexError, ValueError):
        return ItemFacts()
    bits, cicp, coded, size, clap = 8, None, None, (0, 0), None
    for kind, body in properties:
        if kind == b"pixi" and len(body) > 5:
            bits = body[5]
        elif kind == b"av1C" and len(body) > 2:
            bits = 8 + 2 * (body[2] >> 6 & 1) + 2 * (body[2] >> 5 & body[2] >> 6 & 1)
            coded = sequence_colour(body[4:])
        elif kind == b"colr" and body[:4] == b"nclx" and len(body) >= 11:
            cicp = struct.unpack_from(">3H", body, 4)
        elif kind == b"ispe" and len(body) >= 12:
            size = struct.unpack_from(">II", body, 4)
        elif kind == b"clap" and len(body) >= 32:
            clap = struct.unpack_from(">IIIIiIiI", body)
    return ItemFacts(bits if bits in (8, 10, 12) else 8, cicp or coded, clap and _crop(clap, *size))


def _crop(clap: tuple[int, ...], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Turn a clean aperture into rows and columns. Source: ISO/IEC 14496-12, section 12.1.4."""
    if 0 in clap[1::2]:
        return None
    wide, high, x, y = (clap[i] / clap[i + 1] for i in range(0, 8, 2))
    left, top = round(x + (width - wide) / 2), round(y + (height - high) / 2)
    right, bottom = left + round(wide), top + round(high)
    inside = 0 <= left < right <= width and 0 <= top < bottom <= height
    return (top, bottom, left, right) if inside else None


def children(
    data: bytes, start: int = 0, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the contents of every box between two places."""
    at, end = start, len(data) if end is None else end
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = size or end - at
        if size < head or at + size > end:
            return
        yield kind, at + head, at + size
        at += size


def _primary_properties(data: bytes) -> list[tuple[bytes, bytes]]:
    meta = next(((start, end) for kind, start, end in children(data) if kind == b"meta"), None)
    if meta is None:
        return []
    inside = {kind: (start, end) for kind, start, end in children(data, meta[0] + 4, meta[1])}
    if b"pitm" not in inside or b"iprp" not in inside:
        return []
    at, wide = inside[b"pitm"][0], data[inside[b"pitm"][0]] > 0
    (primary,) = struct.unpack_from(">I" if wide else ">H", data, at + 4)
    properties: list[tuple[bytes, bytes]] = []
    indices: list[int] = []
    for kind, start, end in children(data, *inside[b"iprp"]):
        if kind == b"ipco":
            properties = [(k, data[s:e]) for k, s, e in children(data, start, end)]
        elif kind == b"ipma":
            indices += _associated(data, start, end, primary)
    return [properties[index - 1] for index in indices if 0 < index <= len(properties)]


def _associated(data: bytes, start: int, end: int, item: int) -> list[int]:
    """List the properties of an item, counted from 1. Source: ISO/IEC 23008-12, section 9.3."""
    version, wide = data[start], data[start + 3] & 1
    (count,) = struct.unpack_from(">I", data, start + 4)
    at, found = start + 8, []
    for _ in range(count):
        if at >= end:
            break
        (identity,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        number = data[at]
        codes = struct.unpack_from(f">{number}{'H' if wide else 'B'}", data, at + 1)
        at += 1 + number * (2 if wide else 1)
        if identity == item:
            found += [code & (0x7FFF if wide else 0x7F) for code in codes]
    return found
