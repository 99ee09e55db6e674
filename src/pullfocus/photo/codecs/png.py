"""The chunks of a PNG file: walk and check them, take metadata out, put it back in."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_KEY = b"XML:com.adobe.xmp"
_MAX_CHUNKS = 500_000
_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


class DamagedPngError(ValueError):
    """Report a PNG whose chunks are cut short or fail their checksum."""


class OversizedPngError(ValueError):
    """Report a PNG whose texts and profiles unpack to more than the limit."""


@dataclass(slots=True)
class PngInfo:
    """What the chunks of a PNG say; `text` holds tEXt, zTXt and iTXt by keyword.

    chromaticities: x and y of white, red, green, blue (cHRM). cicp: primaries, transfer, matrix
    and full range as codes of ITU-T H.273.
    """

    width: int
    height: int
    bit_depth: int
    colour_type: int
    exif: bytes | None = None
    icc_profile: bytes | None = None
    xmp: bytes | None = None
    gamma: float | None = None
    chromaticities: tuple[float, ...] | None = None
    cicp: tuple[int, int, int, int] | None = None
    is_srgb: bool = False
    dpi: tuple[float, float] | None = None
    frames: int = 1
    text: dict[str, str] = field(default_factory=dict)


def walk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, body) of every chunk up to IEND, checksums verified.

    Raises:
        DamagedPngError: no signature, cut short, or a wrong checksum.
    """
    view = memoryview(data)
    at = len(SIGNATURE)
    if data[:at] != SIGNATURE:
        raise DamagedPngError("no PNG signature")
    kind, count = b"", 0
    while kind != b"IEND":
        count += 1
        if count > _MAX_CHUNKS:
            raise DamagedPngError("more chunks than any encoder writes")
        if at + 12 > len(data):
            raise DamagedPngError("cut short")
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            raise DamagedPngError("cut short")
        kind, body = data[at + 4 : at + 8], view[at + 8 : at + 8 + size]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(
            data[at + 8 + size : at + 12 + size], "big"
        ):
            raise DamagedPngError("wrong checksum")
        yield kind, bytes(body) if kind != b"IDAT" else b""
        at += 12 + size


def read_header(data: bytes) -> PngInfo:
    """Read size, depth and colour type only.

    Raises:
        DamagedPngError: the file does not start with a whole IHDR.
    """
    if data[:8] != SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        raise DamagedPngError("no header")
    width, height, bit_depth, colour_type = struct.unpack_from(">IIBB", data, 16)
    return PngInfo(width, height, bit_depth, colour_type)


def read_info(data: bytes, max_unpacked: int = 64_000_000) -> PngInfo:
    """Read all metadata and check the whole file.

    max_unpacked: bytes that all its texts and profiles may have together, unpacked.

    Raises:
        DamagedPngError: cut short, or a wrong checksum.
        OversizedPngError: more than `max_unpacked`.
    """
    info = read_header(data)
    room = _Room(max_unpacked)
    for kind, body in walk(data):
        if kind == b"eXIf":
            info.exif = body[6:] if body.startswith(b"Exif\0\0") else body
        elif kind == b"iCCP":
            info.icc_profile = room.inflated(body.partition(b"\0")[2][1:])
        elif kind == b"gAMA" and len(body) == 4:
            info.gamma = int.from_bytes(body, "big") / 100000 or None
        elif kind == b"cHRM" and len(body) == 32:
            info.chromaticities = tuple(v / 100000 for v in struct.unpack(">8I", body))
        elif kind == b"cICP" and len(body) == 4:
            info.cicp = (body[0], body[1], body[2], body[3])
        elif kind == b"sRGB":
            info.is_srgb = True
        elif kind == b"pHYs" and len(body) == 9 and body[8] == 1:
            x, y = struct.unpack_from(">II", body)
            info.dpi = (round(x * 0.0254, 3), round(y * 0.0254, 3))
        elif kind == b"acTL" and len(body) == 8:
            info.frames = int.from_bytes(body[:4], "big")
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            _read_text(kind, body, info, room)
    return info


def _read_text(kind: bytes, body: bytes, info: PngInfo, room: _Room) -> None:
    keyword, _, rest = body.partition(b"\0")
    if kind == b"iTXt":
        packed = rest[:1] == b"\1"
        value = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        packed, value = kind == b"zTXt", rest[1:] if kind == b"zTXt" else rest
    text = (room.inflated(value) or b"") if packed else value
    if keyword == _XMP_KEY:
        info.xmp = text
    else:
        encoding = "utf-8" if kind == b"iTXt" else "latin-1"
        info.text[keyword.decode("latin-1")] = text.decode(encoding, "replace")


class _Room:
    """How many bytes may still be unpacked from one file."""

    def __init__(self, left: int) -> None:
        self.left = left

    def inflated(self, data: bytes) -> bytes | None:
        """Unpack a zlib stream; None if it is damaged."""
        unpacker = zlib.decompressobj()
        try:
            out = unpacker.decompress(data, self.left + 1)
        except zlib.error:
            return None
        self.left -= len(out)
        if self.left < 0:
            raise OversizedPngError("its texts and profiles unpack to more than a photo has")
        return out if unpacker.eof else None


def picture_only(data: bytes) -> bytes:
    """Return a PNG of the same pixels without any metadata; `data` has been checked."""
    parts, at = [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _PICTURE:
            parts.append(data[at:end])
        if data[at + 4 : at + 8] == b"IEND":
            break
        at = end
    return b"".join(parts)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Build one chunk with length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def text_chunk(keyword: str, value: str) -> bytes:
    """Build a tEXt chunk where Latin-1 suffices, else an iTXt chunk."""
    key = keyword.encode("latin-1")
    try:
        return chunk(b"tEXt", key + b"\0" + value.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", key + b"\0\0\0\0\0" + value.encode())


def metadata_chunks(
    exif: bytes | None, icc_profile: bytes | None, xmp: bytes | None, dpi: tuple | None
) -> list[bytes]:
    """Build iCCP, pHYs, eXIf and the XMP iTXt, in the order the format wants them."""
    out = []
    if icc_profile:
        out.append(chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile)))
    if dpi:
        x, y = (min(max(round(value / 0.0254), 0), 0x7FFFFFFF) for value in dpi)
        out.append(chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    if exif:
        out.append(chunk(b"eXIf", exif))
    if xmp:
        out.append(chunk(b"iTXt", _XMP_KEY + b"\0\0\0\0\0" + xmp))
    return out


def encode_grey_alpha_16(pixels: np.ndarray) -> bytes:
    """Encode (h, w, 2) uint16, grey and alpha: the one kind that neither Pillow nor OpenCV writes.

    Every row is stored less the one above (filter 2). Source: PNG, W3C Recommendation, section 9.
    """
    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    filtered = np.full((height, rows.shape[1] + 1), 2, np.uint8)
    filtered[:, 1:] = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    header = struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 3)), (b"IEND", b"")
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in parts)


def with_chunks(data: bytes, chunks: list[bytes]) -> bytes:
    """Insert chunks after the header of a PNG."""
    return data[:33] + b"".join(chunks) + data[33:]
