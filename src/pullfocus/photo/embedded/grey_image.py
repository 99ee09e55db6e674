"""Decode small single-channel pictures (depth maps, 8 or 16 bits) to 0..1 without trusting them."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float32

from pullfocus.photo.codecs.decoded import DECODE_ERRORS, STUMBLES
from pullfocus.photo.codecs.opencv import imdecode_unchanged
from pullfocus.photo.codecs.png import DamagedPngError, read_header
from pullfocus.photo.formats import sniff

_MAX_PIXELS = 100_000_000


def decode_grey(data: bytes) -> Float32[np.ndarray, "h w"] | None:
    """Decode a PNG, JPEG or WebP and return its first channel as 0..1; None if it cannot be."""
    size = _size(data)
    if size is None or not 0 < size[0] * size[1] <= _MAX_PIXELS:
        return None
    pixels = imdecode_unchanged(data)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        return None
    channel = pixels if pixels.ndim == 2 else pixels[..., 0 if pixels.shape[2] < 3 else 2]
    return channel.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _size(data: bytes) -> tuple[int, int] | None:
    from PIL import JpegImagePlugin, WebPImagePlugin

    kind = sniff(data[:64])
    try:
        if kind == "PNG":
            info = read_header(data)
            return info.width, info.height
        if kind == "JPEG":
            return JpegImagePlugin.JpegImageFile(io.BytesIO(data)).size
        if kind == "WEBP":
            return WebPImagePlugin.WebPImageFile(io.BytesIO(data)).size
    except (DamagedPngError, *DECODE_ERRORS, *STUMBLES):  # of Pillow's header readers
        return None
    return None
