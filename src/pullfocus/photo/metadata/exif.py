"""Read and patch EXIF blocks (and classic TIFF files) in place, so that all else stays as it was.

Values are overwritten where they stand: maker notes, whose offsets count from the start of the
block, survive. Nothing is trusted: every offset and count is checked against the block.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ORIENTATION = 0x0112
_SUB_IFDS = {0x8769: "exif", 0x8825: "gps", 0xA005: "interop"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_SIGNED = (6, 8, 9)
_MAX_ENTRIES = 2000
_MAX_DIRECTORIES = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag of one directory; `value_at` is where its `size` bytes stand in the block."""

    ifd: str
    tag: int
    type: int
    count: int
    value_at: int
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """A parsed block: byte order ("<" or ">"), its entries, and where IFD0 links the thumbnail."""

    data: bytes
    order: str
    entries: tuple[Entry, ...]
    thumbnail_link_at: int | None = None

    def find(self, ifd: str, tag: int) -> Entry | None:
        """Return the first entry of a tag in a directory ("0", "1", "exif", "gps", "interop")."""
        return next((e for e in self.entries if e.ifd == ifd and e.tag == tag), None)

    def raw(self, entry: Entry) -> bytes:
        """Return the bytes of an entry's value."""
        return self.data[entry.value_at : entry.value_at + entry.size]

    def numbers(self, ifd: str, tag: int) -> tuple[float, ...]:
        """Return a tag's numbers, rationals divided; empty if absent, not numeric or undefined."""
        entry = self.find(ifd, tag)
        if entry is None or entry.count > 1 << 16:
            return ()
        data = self.raw(entry)
        if entry.type in (5, 10):
            pairs = struct.unpack(self.order + str(entry.count * 2) + "Ii"[entry.type == 10], data)
            return tuple(n / d for n, d in zip(pairs[::2], pairs[1::2], strict=True) if d)
        if entry.type not in _CODES:
            return ()
        return struct.unpack(f"{self.order}{entry.count}{_CODES[entry.type]}", data)

    def text(self, ifd: str, tag: int) -> str | None:
        """Return a tag's text without padding, None if absent or empty."""
        entry = self.find(ifd, tag)
        if entry is None or entry.type not in (1, 2, 7):
            return None
        text = self.raw(entry).split(b"\0")[0].decode("utf-8", "replace").strip()
        return text or None


def parse(data: bytes) -> Block | None:
    """Parse a block that starts with II*\\0 or MM\\0*; None if it is nothing of the kind."""
    if data[:4] not in (b"II*\0", b"MM\0*") or len(data) < 14:
        return None
    order = "<" if data[:1] == b"I" else ">"
    entries: list[Entry] = []
    (first,) = struct.unpack_from(order + "I", data, 4)
    link_at = _walk(data, order, first, "0", entries, set())
    if link_at is not None:
        (second,) = struct.unpack_from(order + "I", data, link_at)
        _walk(data, order, second, "1", entries, {first})
    return Block(data, order, tuple(entries), link_at)


def _walk(
    data: bytes, order: str, at: int, ifd: str, entries: list[Entry], seen: set[int]
) -> int | None:
    """Collect the entries of one directory and those below it; return where its link stands."""
    if at in seen or at < 8 or at + 2 > len(data) or len(entries) > _MAX_ENTRIES:
        return None
    if len(seen) > _MAX_DIRECTORIES:  # each points to the next one
        return None
    seen.add(at)
    (count,) = struct.unpack_from(order + "H", data, at)
    if count > _MAX_ENTRIES or at + 2 + count * 12 > len(data):
        return None
    for place in range(at + 2, at + 2 + count * 12, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, place)
        size = _SIZES.get(kind, 0) * number
        value_at = place + 8
        if size > 4:
            (value_at,) = struct.unpack_from(order + "I", data, place + 8)
        if not size or value_at + size > len(data):
            continue
        entries.append(Entry(ifd, tag, kind, number, value_at, size))
        if tag in _SUB_IFDS and size == 4 and ifd in ("0", "exif"):
            (below,) = struct.unpack_from(order + "I", data, value_at)
            _walk(data, order, below, _SUB_IFDS[tag], entries, seen)
    link_at = at + 2 + count * 12
    return link_at if link_at + 4 <= len(data) else None


def orientation_of(data: bytes | None) -> int:
    """Return the orientation 1..8 that a block asks for; 1 if it does not say."""
    block = parse(data) if data else None
    entry = block.find("0", ORIENTATION) if block else None
    if block is None or entry is None or entry.type not in _CODES:  # what can be reset
        return 1
    found = block.numbers("0", ORIENTATION)
    return int(found[0]) if found and found[0] in range(1, 9) else 1


def with_orientation_reset(data: bytes) -> bytes:
    """Return the block with every orientation set to 1 (upright), all other bytes the same."""
    block = parse(data)
    if block is None:
        return data
    return _patched(block, ((ifd, ORIENTATION, 1) for ifd in ("0", "1")))


def with_sides_swapped(data: bytes) -> bytes:
    """Return the block with noted width and height exchanged, for pictures turned by 90 degrees.

    The numbers themselves stay: together with the focal plane resolution they tell the sensor's
    size, also when the picture has been made smaller since.
    """
    block = parse(data)
    if block is None:
        return data
    changes = []
    for ifd, one, other in (("exif", 0xA002, 0xA003), ("0", 0x0100, 0x0101)):
        sides = block.numbers(ifd, one)[:1], block.numbers(ifd, other)[:1]
        if sides[0] and sides[1]:
            changes += [(ifd, one, int(sides[1][0])), (ifd, other, int(sides[0][0]))]
    return _patched(block, changes)


def lies_across(data: bytes, size_hw: tuple[int, ...]) -> bool:
    """Tell whether a block notes the sides of a landscape for a portrait, or the reverse."""
    block = parse(data)
    wide, high = (block.numbers("exif", tag)[:1] if block else () for tag in (0xA002, 0xA003))
    return bool(wide and high) and (high[0] - wide[0]) * (size_hw[0] - size_hw[1]) < 0


def _patched(block: Block, changes: Iterable[tuple[str, int, int]]) -> bytes:
    out = bytearray(block.data)
    for ifd, tag, value in changes:
        entry = block.find(ifd, tag)
        if entry is None or entry.type not in _CODES:
            continue
        if value < 1 << 8 * _SIZES[entry.type] - (entry.type in _SIGNED):
            struct.pack_into(block.order + _CODES[entry.type], out, entry.value_at, value)
    return bytes(out)


def with_thumbnail(data: bytes, make_jpeg: Callable[[int], bytes | None]) -> bytes:
    """Return the block with its thumbnail replaced, or taken out where that is not possible.

    make_jpeg: gives a JPEG of at most so many bytes, or None if it cannot be that small.
    """
    block = parse(data)
    if block is None or block.thumbnail_link_at is None:
        return data
    place, length = block.numbers("1", 0x0201), block.find("1", 0x0202)
    if not place or length is None or length.type not in (3, 4):
        return _unlinked(block, None)
    at, room = int(place[0]), int(block.numbers("1", 0x0202)[0])
    if room <= 0 or at < 8 or at + room > len(data):
        return _unlinked(block, None)
    fresh = make_jpeg(room)
    if fresh is None or len(fresh) > room:
        return _unlinked(block, (at, room))
    out = bytearray(data)
    out[at : at + room] = fresh.ljust(room, b"\0")
    struct.pack_into(block.order + _CODES[length.type], out, length.value_at, len(fresh))
    return bytes(out)


def _unlinked(block: Block, pixels: tuple[int, int] | None) -> bytes:
    """Cut the link to the thumbnail's directory and blank its pixels, or cut them off the end."""
    out = bytearray(block.data)
    at = block.thumbnail_link_at or 0
    out[at : at + 4] = bytes(4)
    if pixels is not None:
        start, size = pixels
        used = max((e.value_at + e.size for e in block.entries if e.ifd != "1"), default=0)
        if start + size >= len(out) - 2 and start >= max(used, at + 4):
            del out[start:]
        else:
            out[start : start + size] = bytes(size)
    return bytes(out)
