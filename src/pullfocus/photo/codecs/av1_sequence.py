"""Colour in the sequence header of AV1, for AVIF files whose boxes say nothing of it.

Source: AV1 Bitstream & Decoding Process Specification, sections 5.3, 5.5.1 and 5.5.2.
"""

from __future__ import annotations

_SEQUENCE_HEADER = 1
_SELECT = 2


class _Bits:
    """A reader of single bits; IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def read(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        value = 0
        for _ in range(count):
            value = value << 1 | (self.data[self.at >> 3] >> (7 - (self.at & 7)) & 1)
            self.at += 1
        return value


def sequence_colour(units: bytes) -> tuple[int, int, int] | None:
    """Return (primaries, transfer, matrix) of a sequence header that stands first, None if silent.

    units: the configuration units of an av1C box.
    """
    try:
        if units[0] >> 3 & 15 != _SEQUENCE_HEADER or not units[0] & 2:
            return None
        start = 1 + (units[0] >> 2 & 1)
        while units[start] & 128:  # the size, in groups of seven bits
            start += 1
        return _colour(_Bits(units[start + 1 :]))
    except IndexError:
        return None


def _colour(bits: _Bits) -> tuple[int, int, int] | None:
    profile = bits.read(3)
    bits.read(1)  # still picture
    reduced = bits.read(1)
    if reduced:
        bits.read(5)
    elif not _skip_operating_points(bits):
        return None
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    bits.read(width_bits + height_bits)
    if not reduced and bits.read(1):  # frame numbers
        bits.read(7)
    bits.read(3)  # superblock size, two intra tools
    if not reduced:
        _skip_tools(bits)
    bits.read(3)  # super-resolution, two filters
    is_high = bits.read(1)
    if profile == 2 and is_high:
        bits.read(1)
    if profile != 1:
        bits.read(1)  # monochrome
    return (bits.read(8), bits.read(8), bits.read(8)) if bits.read(1) else None


def _skip_operating_points(bits: _Bits) -> bool:
    """Go past operating points; False where there is timing, which still pictures lack."""
    if bits.read(1):
        return False
    has_delay = bits.read(1)
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        if bits.read(5) > 7:
            bits.read(1)
        if has_delay and bits.read(1):
            bits.read(4)
    return True


def _skip_tools(bits: _Bits) -> None:
    bits.read(4)
    order_hint = bits.read(1)
    if order_hint:
        bits.read(2)
    screen_content = _SELECT if bits.read(1) else bits.read(1)
    if screen_content and not bits.read(1):
        bits.read(1)
    if order_hint:
        bits.read(3)
