"""The outer boxes of HEIC and AVIF files: enough to notice that the end of a file is missing."""

from __future__ import annotations

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
