"""Put EXIF, XMP and a colour profile into an AVIF file that libavif has just written.

Source: ISO/IEC 14496-12, section 8.11 (items), ISO/IEC 23008-12, annex A.2 (EXIF) and 6.5.5 (colr).
"""

from __future__ import annotations

import struct

from pullfocus.photo.codecs.boxes import children


def with_items(
    data: bytes,
    *,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    xmp: bytes | None = None,
) -> bytes:
    """Return the file with the given blocks as items and properties of its primary picture.

    The pictures move back by what the description grows; the blocks follow at the end.

    Raises:
        ValueError: boxes of other versions than libavif writes.
    """
    blocks = []
    if exif:
        blocks.append((b"Exif", b"", struct.pack(">I", 0) + exif))
    if xmp:
        blocks.append((b"mime", b"application/rdf+xml\0", xmp))
    if not blocks and not icc_profile:
        return data
    start, end = next((s, e) for kind, s, e in children(data) if kind == b"meta")
    parts = [(kind, data[s:e]) for kind, s, e in children(data, start + 4, end)]
    old = dict(parts)
    (primary,) = struct.unpack_from(">H", old[b"pitm"], 4)
    extents = _extents(old[b"iloc"])
    first = max(item for item, _, _ in extents) + 1

    def build(meta_size: int) -> bytes:
        shift = meta_size - (end - start)
        at = len(data) + shift + 8
        placed = [(item, offset + shift, size) for item, offset, size in extents]
        for index, (_, _, body) in enumerate(blocks):
            placed.append((first + index, at, len(body)))
            at += len(body)
        new = {
            b"iloc": _iloc(placed),
            b"iinf": _iinf(old[b"iinf"], first, blocks),
            b"iprp": _iprp(old[b"iprp"], primary, icc_profile),
        }
        boxes = [_box(kind, new.get(kind, body)) for kind, body in parts if kind != b"iref"]
        links = old.get(b"iref", bytes(4))
        links += b"".join(
            _box(b"cdsc", struct.pack(">HHH", first + i, 1, primary)) for i in range(len(blocks))
        )
        boxes.append(_box(b"iref", links))
        return data[start : start + 4] + b"".join(boxes)

    meta = build(len(build(0)))
    body = b"".join(block[2] for block in blocks)
    tail = _box(b"mdat", body) if body else b""
    return data[: start - 8] + _box(b"meta", meta) + data[end:] + tail


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _extents(iloc: bytes) -> list[tuple[int, int, int]]:
    """List (item, offset, size) of a version 0 box with one extent an item."""
    sizes, count = struct.unpack_from(">HH", iloc, 4)
    if iloc[0] != 0 or sizes != 0x4400 or len(iloc) != 8 + 14 * count:
        raise ValueError("an AVIF item location box of an unknown kind")
    rows = (struct.unpack_from(">HHHII", iloc, 8 + 14 * i) for i in range(count))
    return [(item, offset, size) for item, _, _, offset, size in rows]


def _iloc(extents: list[tuple[int, int, int]]) -> bytes:
    rows = b"".join(struct.pack(">HHHII", item, 0, 1, at, size) for item, at, size in extents)
    return bytes(4) + struct.pack(">HH", 0x4400, len(extents)) + rows


def _iinf(iinf: bytes, first: int, blocks: list[tuple[bytes, bytes, bytes]]) -> bytes:
    (count,) = struct.unpack_from(">H", iinf, 4)
    entries = b"".join(
        _box(b"infe", b"\2\0\0\0" + struct.pack(">HH", first + i, 0) + kind + b"\0" + more)
        for i, (kind, more, _) in enumerate(blocks)
    )
    return iinf[:4] + struct.pack(">H", count + len(blocks)) + iinf[6:] + entries


def _iprp(iprp: bytes, primary: int, icc_profile: bytes | None) -> bytes:
    """Add the profile to the properties, and to those of the primary picture."""
    if not icc_profile:
        return iprp
    parts = {kind: iprp[start:end] for kind, start, end in children(iprp)}
    index = sum(1 for _ in children(parts[b"ipco"])) + 1
    container = parts[b"ipco"] + _box(b"colr", b"prof" + icc_profile)
    ipma = parts[b"ipma"]
    if ipma[:4] != bytes(4):
        raise ValueError("an AVIF property association box of an unknown kind")
    at = 8
    for _ in range(struct.unpack_from(">I", ipma, 4)[0]):
        (item,) = struct.unpack_from(">H", ipma, at)
        count = ipma[at + 2]
        following = at + 3 + count
        if item == primary:
            entry = ipma[at : at + 2] + bytes([count + 1]) + ipma[at + 3 : following]
            ipma = ipma[:at] + entry + bytes([index]) + ipma[following:]
            break
        at = following
    return _box(b"ipco", container) + _box(b"ipma", ipma)
