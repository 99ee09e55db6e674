"""What is done to the bytes of a good file: at random places, or where its format has its parts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np

Chance = np.random.Generator
HEADER_BYTES = 400
NUMBERS = [0, 1, 2, 3, 7, 16, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
           0xFFFFFFFF, 0xFFFFFFF0, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]  # fmt: skip


def damaged_bytes(content: bytes, chance: Chance) -> bytes:
    """Flip bits, cut, delete, repeat or put in something else, one to four times."""
    out = bytearray(content)
    for _ in range(int(chance.integers(1, 5))):
        first = int(chance.integers(0, max(1, len(out))))
        length = int(min(2 ** chance.integers(0, 12), len(out)))
        does = int(chance.integers(0, 6))
        if does == 0 and out:
            out[first] ^= 1 << int(chance.integers(0, 8))
        elif does == 1:
            del out[first:]
        elif does == 2:
            del out[first : first + length]
        elif does == 3:
            out[first:first] = out[first : first + length]
        elif does == 4:
            out[first:first] = chance.bytes(min(length, 64))
        else:
            out[first : first + length] = bytes([int(chance.choice([0, 255, 0x80]))]) * length
    return bytes(out)


def damaged_file(content: bytes, chance: Chance) -> bytes:
    """Damage a binary file in one of several ways; most of them leave its magic bytes alone."""
    way = chance.random()
    if way < 0.25:
        return damaged_bytes(content, chance)
    if way < 0.4:
        return _flipped(content, chance)
    if way < 0.65:
        return _other_numbers(content, chance)
    return _other_order(content, chance)


def _flipped(content: bytes, chance: Chance) -> bytes:
    """Flip a few bits anywhere after the magic bytes."""
    out = bytearray(content)
    for _ in range(int(2 ** chance.integers(0, 6))):
        out[int(chance.integers(min(4, len(out) - 1), len(out)))] ^= 1 << int(chance.integers(8))
    return bytes(out)


def _other_numbers(content: bytes, chance: Chance) -> bytes:
    """Put hostile numbers of 1 to 8 bytes into the header, or into the end (TIFF, ZIP, MP4)."""
    out = bytearray(content)
    for _ in range(int(chance.integers(1, 4))):
        size = int(2 ** chance.integers(0, 4))
        reach = min(HEADER_BYTES, len(out) - size)
        if reach <= 4:
            continue
        at = int(chance.integers(4, reach))
        at = at if chance.random() < 0.8 else len(out) - size - at + 4
        order = "big" if chance.random() < 0.5 else "little"
        now = int.from_bytes(out[at : at + size], order)
        near = [now - 1, now + 1, now * 2, now // 2, int(chance.integers(1 << 32))]
        value = int(chance.choice(np.array(NUMBERS + near, object)))
        out[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, order)
    return bytes(_with_sums(out))


def _other_order(content: bytes, chance: Chance) -> bytes:
    """Swap, repeat, drop, move or damage blocks of the file's format."""
    head, blocks = blocks_of(content)
    for _ in range(int(chance.integers(1, 4))):
        if len(blocks) < 2:
            break
        one, other = (int(chance.integers(len(blocks))) for _ in range(2))
        does = int(chance.integers(0, 5))
        if does == 0:
            blocks[one], blocks[other] = blocks[other], blocks[one]
        elif does == 1:
            blocks[other:other] = [blocks[one]] * int(2 ** chance.integers(0, 6))
        elif does == 2:
            del blocks[one]
        elif does == 3:
            blocks.insert(other, blocks.pop(one))
        else:
            blocks[one] = blocks[one][:4] + damaged_bytes(blocks[one][4:], chance)
    return bytes(_with_sums(bytearray(head + b"".join(blocks))))


def blocks_of(content: bytes) -> tuple[bytes, list[bytes]]:
    """Cut a file into what comes first and its blocks: chunks, segments, boxes, else pieces."""
    if content.startswith(b"\x89PNG"):
        return content[:8], _sized(content, 8, ">I", 0, 12)
    if content.startswith(b"\xff\xd8"):
        return content[:2], _segments(content)
    if content[:4] == b"RIFF":
        return content[:12], _sized(content, 12, "<I", 4, 8)
    if content[4:8] == b"ftyp":
        return b"", _boxes(content)
    size = max(8, len(content) // 24)
    pieces = [content[at : at + size] for at in range(8, len(content), size)]
    return content[:8], pieces


def _sized(content: bytes, at: int, form: str, number_at: int, more: int) -> list[bytes]:
    """Cut where each block says its size; more: bytes beside its body."""
    blocks = []
    while at + more <= len(content):
        (size,) = struct.unpack_from(form, content, at + number_at)
        padded = size + (size % 2 if form == "<I" else 0)
        blocks.append(content[at : at + padded + more])
        at += padded + more
    return [*blocks, content[at:]]


def _segments(content: bytes) -> list[bytes]:
    """Cut a JPEG at its markers."""
    starts = [
        at
        for at in range(2, len(content) - 1)
        if content[at] == 0xFF and content[at + 1] not in (0, 0xFF)
    ]
    return [content[a:b] for a, b in zip(starts, [*starts[1:], len(content)], strict=True)]


def _boxes(content: bytes) -> list[bytes]:
    """Cut ISO base media into boxes; what is in the small ones is cut in its turn."""
    blocks, at = [], 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        size = size if 8 <= size <= len(content) - at else len(content) - at
        inside = content[at + 4 : at + 8] in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"meta")
        step = (12 if content[at + 4 : at + 8] == b"meta" else 8) if inside else size
        blocks.append(content[at : at + step])
        at += step
    return [*blocks, content[at:]]


def _with_sums(content: bytearray) -> bytearray:
    """Make the checksums of a PNG fit again, else damage would end at them."""
    if not content.startswith(b"\x89PNG"):
        return content
    at = 8
    while at + 12 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if at + 12 + size > len(content):
            break
        struct.pack_into(">I", content, at + 8 + size, zlib.crc32(content[at + 4 : at + 8 + size]))
        at += 12 + size
    return content


def mixed(seeds: dict[str, bytes]) -> Callable[[int, Chance], tuple[str, bytes]]:
    """Return a function that gives each seed as it is, then damaged ones in turn."""

    def take(number: int, chance: Chance) -> tuple[str, bytes]:
        name = list(seeds)[number % len(seeds)]
        sound = number < len(seeds)
        return name, seeds[name] if sound else damaged_file(seeds[name], chance)

    return take
