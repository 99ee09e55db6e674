"""Depth as 16-bit PNG, really 16 bits: disparity between far (1) and near (65535); 0 = unknown."""

from __future__ import annotations

import math

import numpy as np

from pullfocus.depthmap.labels import PREFIX, RawDepth, describe, kind_of, text_of
from pullfocus.photo.codecs import png
from pullfocus.photo.codecs.opencv import imdecode_unchanged
from pullfocus.photo.codecs.png_reader import checked_info
from pullfocus.photo.source import Source
from pullfocus.types import DepthMap

_STEPS = 65534


def encode_png(depth: DepthMap) -> bytes:
    """Encode; the error is at most half a step, (near - far) / 131068."""
    import cv2

    disparity = depth.disparity.astype(np.float64)
    far, near = float(disparity.min()), float(disparity.max())
    span = near - far
    unit = (disparity - far) / span if span > 0 else np.ones_like(disparity)
    codes = np.rint(unit * _STEPS).astype(np.uint16) + np.uint16(1)
    done, buffer = cv2.imencode(".png", codes, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OSError("the PNG encoder failed")
    said = describe(depth)
    said[PREFIX + "codes"] = "0 = unknown, 1 = far .. 65535 = near, linear in disparity"
    return png.with_chunks(
        buffer.tobytes(), [png.text_chunk(name, value) for name, value in said.items()]
    )


def read_own_png(source: Source) -> RawDepth | None:
    """Read a PNG that this program wrote; None if it is another's.

    Raises:
        UnreadableInputError: cut short, damaged, or it contradicts itself.
    """
    info = checked_info(source)
    kind = kind_of(info.text)
    if kind is None or info.bit_depth != 16 or info.colour_type != 0:
        return None
    codes = imdecode_unchanged(source.data)
    if codes is None or codes.ndim != 2 or codes.dtype != np.uint16:
        raise source.cut_short()
    try:
        near, far = (float(info.text[PREFIX + name]) for name in ("near", "far"))
    except (KeyError, ValueError) as error:
        raise source.unreadable("its text chunks lack near and far; write it again") from error
    if not (math.isfinite(near) and math.isfinite(far) and 0 <= far <= near):
        raise source.unreadable(f"its text chunks say near {near} and far {far}; write it again")
    unit = np.maximum(codes, 1).astype(np.float64) - 1
    disparity = (far + unit * ((near - far) / _STEPS)).astype(np.float32)
    return RawDepth(
        disparity,
        kind=kind,
        source=text_of(info.text, "source"),
        licence=text_of(info.text, "licence"),
    )
