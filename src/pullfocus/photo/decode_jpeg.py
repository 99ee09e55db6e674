"""Decode JPEG: pixels by Pillow, metadata by our own walk over the segments."""

from __future__ import annotations

from pullfocus.photo.decode_pillow import decode_pillow
from pullfocus.photo.decoded import Decoded
from pullfocus.photo.jpeg import read_segments
from pullfocus.photo.jpeg_quality import estimate_quality
from pullfocus.photo.source import Source


def decode_jpeg(source: Source) -> Decoded:
    """Decode a JPEG, the first picture of an MPO.

    Raises:
        UnreadableInputError: damaged, cut short, or too many pixels.
    """
    segments = read_segments(source.data)
    out = decode_pillow(source, "JPEG")
    was_rgb = out.icc_profile is not None or segments.icc_profile is None
    out.exif, out.xmp = segments.exif, segments.xmp
    out.icc_profile = segments.icc_profile if was_rgb else None
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
