"""Small sRGB pictures of a photo, for depth networks, face finders and screens."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from pullfocus.photo.colour import encode_srgb8
from pullfocus.types import Photo


def to_srgb8(photo: Photo, long_side_px: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """Return the photo as 8-bit sRGB, converted from its own primaries.

    long_side_px: makes it smaller, averaged over areas in linear light, so that its longer side
        has this many pixels; it is never enlarged. Alpha is ignored.
    """
    import cv2

    linear = photo.linear
    long_side = max(photo.size_hw)
    if long_side_px is not None and long_side > long_side_px:
        scale = long_side_px / long_side
        size = (max(round(photo.width * scale), 1), max(round(photo.height * scale), 1))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    return encode_srgb8(photo, linear)
