"""Directories of TIFF and EXIF written anew: EXIF out of a TIFF file, and into one."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pullfocus.photo.metadata import exif

# Tags of IFD0 that describe the stored pixels or hold whole other formats; not part of EXIF.
_STRUCTURE = {
    254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290,
    291, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336,
    337, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531,
    532, 700, 33723, 34377, 34675, 37724,
}  # fmt: skip
_POINTERS = {0x8769: "exif", 0x8825: "gps", 0xA005: "interop"}
_MAX_VALUE = 1 << 20


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag with the bytes of its value, in the byte order of its block."""

    code: int
    type: int
    count: int
    value: bytes


Directories = dict[str, list[Tag]]


def read_directories(data: bytes) -> tuple[str, Directories]:
    """Return (byte order, descriptive tags by directory) of an EXIF block or a TIFF file."""
    block = exif.parse(data)
    if block is None:
        return "<", {}
    out: Directories = {}
    room = len(data)  # honest values do not overlap, so together they are no larger than the file
    for entry in block.entries:
        is_structure = entry.ifd == "0" and entry.tag in _STRUCTURE
        if entry.ifd == "1" or is_structure or entry.tag in _POINTERS or entry.size > _MAX_VALUE:
            continue
        room -= entry.size
        if room < 0:
            break
        out.setdefault(entry.ifd, []).append(
            Tag(entry.tag, entry.type, entry.count, block.raw(entry))
        )
    return block.order, out


def describe_tiff(data: bytes) -> bytes | None:
    """Take the EXIF block out of a TIFF file; None if it says nothing."""
    return lay_out(*read_directories(data))


def lay_out(order: str, directories: Directories) -> bytes | None:
    """Write an EXIF block of these directories; None if they hold nothing."""
    if not any(directories.values()):
        return None
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "I", 8) + write_directories(order, directories, 8)


def write_directories(order: str, directories: Directories, start: int) -> bytes:
    """Lay out IFD0 and the directories it points to, as they stand at offset `start` (even)."""
    pointers = [(code, name) for code, name in _POINTERS.items() if directories.get(name)]
    below = {name: code for code, name in pointers}
    main = list(directories.get("0", []))
    inner = list(directories.get("exif", []))
    placeholder = struct.pack(order + "I", 0)
    if "interop" in below:
        inner.append(Tag(0xA005, 4, 1, placeholder))
    if inner:
        main.append(Tag(0x8769, 4, 1, placeholder))
    if "gps" in below:
        main.append(Tag(0x8825, 4, 1, placeholder))
    parts = {"0": main, "exif": inner, "gps": directories.get("gps", [])}
    parts["interop"] = directories.get("interop", [])
    places: dict[str, int] = {}
    at = start
    for name, tags in parts.items():
        if tags or name == "0":
            places[name] = at
            at += _size(tags)
    return b"".join(_directory(order, parts[name], places[name], places) for name in places)


def _size(tags: list[Tag]) -> int:
    return 2 + 12 * len(tags) + 4 + sum(_padded(len(t.value)) for t in tags if len(t.value) > 4)


def _padded(size: int) -> int:
    return size + size % 2


def _directory(order: str, tags: list[Tag], at: int, places: dict[str, int]) -> bytes:
    ordered = sorted(tags, key=lambda tag: tag.code)
    values_at = at + 2 + 12 * len(ordered) + 4
    rows, values = [struct.pack(order + "H", len(ordered))], []
    for tag in ordered:
        value = tag.value
        if tag.code in _POINTERS and _POINTERS[tag.code] in places:
            value = struct.pack(order + "I", places[_POINTERS[tag.code]])
        if len(value) > 4:
            field = struct.pack(order + "I", values_at)
            values.append(value.ljust(_padded(len(value)), b"\0"))
            values_at += _padded(len(value))
        else:
            field = value.ljust(4, b"\0")
        rows.append(struct.pack(order + "HHI", tag.code, tag.type, tag.count) + field)
    return b"".join([*rows, bytes(4), *values])
