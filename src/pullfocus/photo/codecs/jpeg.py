"""The segments of a JPEG file: take metadata out, put it back in; pixels are left to Pillow."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
ICC = b"ICC_PROFILE\0"
PHOTOSHOP = b"Photoshop 3.0\0"
_THUMBNAILS = (1033, 1036)
_MAX_PAYLOAD = 65533
_MAX_EXTENSION = 64 << 20
MAX_SEGMENTS = 20_000
_NO_FILL = re.compile(rb"[^\xff]")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass(slots=True)
class Segments:
    """The metadata of a JPEG, its parts joined.

    extended_xmp: the joined extension that belongs to `xmp`. photoshop: whole APP13 payloads
    (IPTC captions) without thumbnails. multi_picture: more pictures follow (MPF). gain_map: ISO
    21496-1.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    extended_xmp: bytes | None = None
    icc_profile: bytes | None = None
    photoshop: list[bytes] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    multi_picture: bool = False
    gain_map: bool = False


def split(data: bytes) -> list[tuple[int, bytes]]:
    """List (marker, payload) of the segments before the first scan, as far as they are whole."""
    found: list[tuple[int, bytes]] = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and len(found) < MAX_SEGMENTS:
        marker = data[at + 1]
        if marker == 0xFF:
            at = _past_fill(data, at)
            continue
        if marker in (0xDA, 0xD9):
            break
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(data):
            break
        found.append((marker, data[at + 4 : at + 2 + size]))
        at += 2 + size
    return found


def _past_fill(data: bytes, at: int) -> int:
    """Return where the last of a run of 0xFF stands, which begins a marker.

    Source: ITU-T T.81, B.1.1.2: any number of fill bytes may stand before a marker.
    """
    found = _NO_FILL.search(data, at)
    return found.start() - 1 if found else len(data)


def without_fill(data: bytes) -> bytes:
    """Drop the fill bytes before the first scan: Pillow reads them one by one."""
    pieces, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        if data[at + 1] == 0xFF:
            at = _past_fill(data, at)
            continue
        size = max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        pieces.append(data[at : at + 2 + size])
        at += 2 + size
    return b"".join([*pieces, data[at:]])


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame header says. kind: the marker's second byte, 0xC0 baseline, 0xC2 progressive,
    0xC3 lossless, 0xC9 and 0xCA arithmetic coding, 0xF7 JPEG-LS. Source: ITU-T T.81, table B.1.
    """

    kind: int
    bits: int
    width: int
    height: int
    components: int


def read_frame(segments: list[tuple[int, bytes]]) -> Frame | None:
    """Read the first frame header; None if there is none before the first scan."""
    for kind, payload in segments:
        is_frame = 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC)
        if (is_frame or kind == 0xF7) and len(payload) >= 6:
            bits, height, width, components = struct.unpack_from(">BHHB", payload)
            return Frame(kind, bits, width, height, components)
    return None


def count_scans(data: bytes, most: int) -> int:
    """Count the scans of the first picture, up to `most` + 1, without decoding any."""
    count, at = 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xD9:
        marker = data[at + 1]
        if marker == 0xFF:
            at = _past_fill(data, at)
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            count += 1
            following = _AFTER_SCAN.search(data, at)
            if count > most or following is None:
                break
            at = following.start()
    return count


def read_segments(data: bytes) -> Segments:
    """Collect the metadata of a JPEG; damaged parts are left out, nothing is raised."""
    out = Segments()
    icc: dict[int, bytes] = {}
    extensions: dict[bytes, list[tuple[int, int, bytes]]] = {}
    for marker, payload in split(data):
        if marker == 0xE1 and payload.startswith(EXIF) and out.exif is None:
            out.exif = payload[len(EXIF) :]
        elif marker == 0xE1 and payload.startswith(XMP) and out.xmp is None:
            out.xmp = payload[len(XMP) :]
        elif marker == 0xE1 and payload.startswith(XMP_EXTENSION):
            body = payload[len(XMP_EXTENSION) :]
            if len(body) > 40:
                size, offset = struct.unpack_from(">II", body, 32)
                extensions.setdefault(body[:32], []).append((size, offset, body[40:]))
        elif marker == 0xE2 and payload.startswith(ICC) and len(payload) > 14:
            icc[payload[12]] = payload[14:]
        elif marker == 0xE2 and payload.startswith(b"MPF\0"):
            out.multi_picture = True
        elif marker == 0xE2 and payload.startswith(b"urn:iso:std:iso:ts:21496"):
            out.gain_map = True
        elif marker == 0xED and payload.startswith(PHOTOSHOP):
            out.photoshop.append(without_old_thumbnail(payload))
        elif marker == 0xFE:
            out.comments.append(payload)
    if icc and sorted(icc) == list(range(1, len(icc) + 1)):
        out.icc_profile = b"".join(icc[index] for index in sorted(icc))
    out.extended_xmp = _joined(out.xmp or b"", extensions)
    return out


def _joined(xmp: bytes, extensions: dict[bytes, list[tuple[int, int, bytes]]]) -> bytes | None:
    """Join the extension that the main packet names; else one whose checksum is right, or any.

    Source: Adobe XMP Specification Part 3, 1.1.3.1 (GUID = MD5 of the whole, in hexadecimal).
    """
    whole = {}
    for guid, parts in extensions.items():
        size = parts[0][0]
        if size != sum(len(part) for _, _, part in parts) or size > _MAX_EXTENSION:
            continue
        ordered = sorted(parts, key=lambda part: part[1])
        ends = accumulate((len(part) for _, _, part in ordered), initial=0)
        if all(at == end for (_, at, _), end in zip(ordered, ends, strict=False)):
            whole[guid] = b"".join(part for _, _, part in ordered)
    named = [guid for guid in whole if guid in xmp]
    sound = [
        guid
        for guid, body in whole.items()
        if hashlib.md5(body, usedforsecurity=False).hexdigest().upper().encode() == guid.upper()
    ]
    best = next(iter([*named, *sound, *whole]), None)
    return whole[best] if best is not None else None


def without_old_thumbnail(payload: bytes) -> bytes:
    """Return an APP13 payload without the small picture in it; as it is where it is not whole.

    Source: Adobe Photoshop File Formats, "Image resource blocks"; 1033 and 1036 are thumbnails.
    """
    kept, at = [PHOTOSHOP], len(PHOTOSHOP)
    while at < len(payload):
        name = at + 6
        if payload[at : at + 4] != b"8BIM" or name >= len(payload):
            return payload  # of another maker, or cut in two
        size_at = name + 1 + payload[name]
        size_at += (size_at - name) % 2
        size = int.from_bytes(payload[size_at : size_at + 4], "big")
        end = size_at + 4 + size + size % 2
        if int.from_bytes(payload[at + 4 : at + 6], "big") not in _THUMBNAILS:
            kept.append(payload[at:end])
        at = end
    return b"".join(kept) if at <= len(payload) + 1 else payload


def with_segments(data: bytes, segments: Iterable[tuple[int, bytes]]) -> bytes:
    """Insert segments after the JFIF header of a JPEG that has no other metadata.

    Payloads over 65533 bytes are left out: the caller splits what may be split.
    """
    at = 2
    if data[2:4] == b"\xff\xe0":
        at = 4 + int.from_bytes(data[4:6], "big")
    inserted = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", len(payload) + 2) + payload
        for marker, payload in segments
        if len(payload) <= _MAX_PAYLOAD
    )
    return data[:at] + inserted + data[at:]


def icc_segments(profile: bytes) -> list[tuple[int, bytes]]:
    """Split a profile into APP2 segments. Source: ICC.1:2010, annex B.4."""
    size = _MAX_PAYLOAD - 14
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    if len(parts) > 255:
        return []
    return [(0xE2, ICC + bytes([i + 1, len(parts)]) + part) for i, part in enumerate(parts)]


# Annex K.1 of ITU-T T.81, luminance, in zigzag order.
_LUMINANCE = np.array(
    [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37,
     29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81,
     87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99],
    dtype=np.float64,
)  # fmt: skip


def estimate_quality(data: bytes) -> int | None:
    """Return 1..100, or None without a table; other programs' tables give the nearest quality.

    Source: jpeg_quality_scaling of libjpeg: scale = 200 - 2 q for q >= 50, else 5000 / q.
    """
    for marker, payload in split(data):
        if marker != 0xDB or not payload:
            continue
        is_wide, size = payload[0] >> 4, 128 if payload[0] >> 4 else 64
        if payload[0] & 15 or len(payload) < 1 + size:
            continue
        table = np.frombuffer(payload, ">u2" if is_wide else "u1", 64, 1).astype(np.float64)
        scale = float(np.median(table / _LUMINANCE * 100.0))
        quality = (200.0 - scale) / 2 if scale <= 100 else 5000.0 / scale
        return int(min(max(round(quality), 1), 100))
    return None
