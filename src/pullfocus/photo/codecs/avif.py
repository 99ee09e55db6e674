"""AVIF in and out: 8 bits by Pillow, 10 and 12 bits by imagecodecs, colour by its code points."""

from __future__ import annotations

import re

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.photo.codecs.avif_items import with_items
from pullfocus.photo.codecs.boxes import ItemFacts, is_cut_short, item_facts
from pullfocus.photo.codecs.constant_luminance import from_constant_luminance
from pullfocus.photo.codecs.decoded import Decoded, decoding
from pullfocus.photo.codecs.more_codecs import more_codecs, to_full_range
from pullfocus.photo.codecs.pillow import decode_pillow, fill_metadata, open_pillow
from pullfocus.photo.source import CUT_SHORT, Source

_CONSTANT_LUMINANCE, _BT2020 = 10, 9
_NCLX = re.compile(rb"(colrnclx.{4})\x00\x0a", re.DOTALL)
_UNSPECIFIED = 2
_UNREAD_MATRICES = (3, 11, 13, 14, 15)
"""Y'D'zD'x, chroma-derived constant luminance, ICtCp, and reserved ones: libavif lacks them."""


def decode_avif(source: Source) -> Decoded:
    """Decode the primary picture, 10 and 12 bits to 16, cropped as the file asks.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    if is_cut_short(source.data):
        raise source.cut_short()
    facts = item_facts(source.data)
    if facts.cicp is not None and facts.cicp[2] in _UNREAD_MATRICES:
        raise source.unreadable(
            f"its colour matrix (H.273 code {facts.cicp[2]}) is not read here; save it as PNG first"
        )
    is_constant = facts.cicp is not None and facts.cicp[2] == _CONSTANT_LUMINANCE
    out = None
    if facts.bits > 8 or is_constant:
        out = _decode_deep(source, facts, is_constant)
    if out is None:
        out = decode_pillow(source, "AVIF")
        if facts.bits > 8:
            out.notes.append(f"Its {facts.bits} bits were cut to 8: imagecodecs is not installed.")
    out.cicp = facts.cicp[:2] if facts.cicp else None
    if facts.crop is not None:
        top, bottom, left, right = facts.crop
        out.pixels = np.ascontiguousarray(out.pixels[top:bottom, left:right])
        if out.alpha is not None:
            out.alpha = np.ascontiguousarray(out.alpha[top:bottom, left:right])
    return out


def _decode_deep(source: Source, facts: ItemFacts, is_constant: bool) -> Decoded | None:
    """Decode by imagecodecs; None where it is not installed. Pillow gives the metadata."""
    try:
        codecs = more_codecs("AVIF of more than 8 bits")
    except MissingModelError:
        return None
    header = open_pillow(source, "AVIF")
    # libavif does not know this matrix: its own, undone again below
    data = (
        _NCLX.sub(lambda found: found[1] + b"\x00\x09", source.data) if is_constant else source.data
    )
    with decoding(source, CUT_SHORT):
        codes: np.ndarray = codecs.avif_decode(data, index=0)
    if codes.ndim == 2:
        codes = codes[..., None]
    if codes.shape[:2] != header.size[::-1] or codes.ndim != 3:
        raise source.cut_short()
    samples = to_full_range(codes, facts.bits)
    grey, has_alpha = samples.shape[2] < 3, samples.shape[2] in (2, 4)
    colour = samples[..., 0] if grey else samples[..., :3]
    alpha = np.ascontiguousarray(samples[..., -1]) if has_alpha else None
    if is_constant and not grey and facts.cicp is not None:
        colour = from_constant_luminance(colour, facts.cicp[1])
    out = Decoded(np.ascontiguousarray(colour), alpha)
    fill_metadata(header, out)
    if getattr(header, "is_animated", False):
        out.notes.append("It is animated: the first frame was used.")
    return out


def encode_avif_10(
    pixels: np.ndarray,
    quality: int,
    cicp: tuple[int, int] | None,
    *,
    exif: bytes | None = None,
    icc_profile: bytes | None = None,
    xmp: bytes | None = None,
) -> bytes:
    """Encode uint16 codes 0..1023, (h, w, 3 or 4), as 10-bit AVIF.

    cicp: primaries and transfer; None is sRGB, or unspecified beside a profile.

    Raises:
        MissingModelError: imagecodecs is not installed.
    """
    primaries, transfer = cicp or ((_UNSPECIFIED, _UNSPECIFIED) if icc_profile else (1, 13))
    data = more_codecs("Writing AVIF of 10 bits").avif_encode(
        np.ascontiguousarray(pixels),
        level=quality,
        speed=6,
        bitspersample=10,
        pixelformat="444" if quality >= 90 else "420",
        primaries=primaries,
        transfer=transfer,
        matrix=_BT2020 if primaries == _BT2020 else 6,
    )
    return with_items(data, exif=exif, icc_profile=icc_profile, xmp=xmp)
