"""Decode JPEG: 8 bits by Pillow, 12 bits and lossless by imagecodecs; metadata by our own walk."""

from __future__ import annotations

import numpy as np

from pullfocus.photo.codecs import jpeg
from pullfocus.photo.codecs.decoded import Decoded, decoding
from pullfocus.photo.codecs.jpeg import estimate_quality
from pullfocus.photo.codecs.more_codecs import more_codecs, to_full_range
from pullfocus.photo.codecs.pillow import decode_pillow
from pullfocus.photo.metadata import exif
from pullfocus.photo.metadata.cicp import adobe_rgb_profile
from pullfocus.photo.source import CUT_SHORT, Source

_ORDINARY = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
_LOSSLESS = 0xC3
_SCAN_MEGAPIXELS = 40
"""Times the limit on scans: what all scans together may have to go over."""


def decode_jpeg(source: Source) -> Decoded:
    """Decode a JPEG, the first picture of an MPO.

    Raises:
        UnreadableInputError: damaged, cut short, of a kind that is not read, or too many pixels.
        MissingModelError: more than 8 bits without the package imagecodecs.
    """
    headers = jpeg.split(source.data)
    frame = jpeg.read_frame(headers)
    _check_work(source, len(headers), frame)
    segments = jpeg.read_segments(source.data)
    if frame is None or (frame.bits == 8 and frame.kind in _ORDINARY):
        out = decode_pillow(source, "JPEG", jpeg.without_fill(source.data))
    else:
        out = _decode_rare(source, frame)
    was_rgb = out.icc_profile is not None or segments.icc_profile is None
    out.exif, out.xmp = segments.exif, segments.xmp
    out.icc_profile = segments.icc_profile if was_rgb else None
    if out.icc_profile is None and was_rgb and _means_adobe_rgb(out.exif):
        out.icc_profile = adobe_rgb_profile()
    out.extra["jpeg_quality"] = estimate_quality(source.data)
    if segments.extended_xmp:
        out.extra["extended_xmp"] = segments.extended_xmp
    if segments.photoshop:
        out.extra["photoshop"] = tuple(segments.photoshop)
    if segments.comments:
        out.extra["comments"] = tuple(segments.comments)
    if segments.gain_map:
        out.extra["gain_map"] = True
    if segments.multi_picture:
        out.notes.append("It holds more pictures (a gain map, a preview or depth): not kept.")
    return out


def _check_work(source: Source, headers: int, frame: jpeg.Frame | None) -> None:
    """Refuse what would take minutes: every scan goes over the whole picture once more."""
    if headers >= jpeg.MAX_SEGMENTS:
        raise source.unreadable(
            "its header has more segments than any camera writes; save it again with another "
            "program"
        )
    if frame is None:
        return
    source.check_size(frame.width, frame.height or 1)  # 0: told after the first scan
    megapixels = frame.width * frame.height / 1e6
    limit = source.limits.jpeg_scans
    most = min(limit, _SCAN_MEGAPIXELS * limit / max(megapixels, 1e-6))
    if jpeg.count_scans(source.data, int(most)) > most:
        raise source.unreadable(
            f"it is a JPEG of more than {most:.0f} scans, which would take minutes to decode; "
            "save it again with another program, or raise PULLFOCUS_MAX_JPEG_SCANS"
        )


def _means_adobe_rgb(block_data: bytes | None) -> bool:
    """Tell what cameras write without a profile when set to Adobe RGB. Source: DCF 2.0, 3.3.4."""
    block = exif.parse(block_data) if block_data else None
    return block is not None and block.text("interop", 1) == "R03"


def _decode_rare(source: Source, frame: jpeg.Frame) -> Decoded:
    """Decode 12-bit and lossless pictures, grey or in three colours, to 16 bits.

    JPEG-LS is left out: its decoder takes half a minute to notice that a small file is damaged.
    """
    if (
        frame.kind not in (*_ORDINARY, _LOSSLESS)
        or frame.components not in (1, 3)
        or not 2 <= frame.bits <= 16
    ):
        raise source.unreadable(
            f"it is a JPEG of a kind that is not read here (frame {frame.kind:X} hexadecimal, "
            f"{frame.bits} bits, {frame.components} channels); save it as an 8-bit JPEG or 16-bit "
            "TIFF"
        )
    codecs = more_codecs(f"Reading {source.name}, a JPEG of {frame.bits} bits,")
    with decoding(source, CUT_SHORT):
        codes: np.ndarray = codecs.jpeg8_decode(source.data)
    if codes.shape[:2] != (frame.height, frame.width):
        raise source.cut_short()
    if codes.ndim == 3 and codes.shape[2] == 1:
        codes = codes[..., 0]
    return Decoded(to_full_range(codes, frame.bits))
