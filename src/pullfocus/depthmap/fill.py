"""Fill the pixels of a depth map that a sensor or a program left unknown."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

_LEAST_SIDE_PX = 2


def fill_unknown(
    disparity: Float32[np.ndarray, "h w"], known: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Return the map with unknown pixels interpolated from the known ones around them.

    Known pixels keep their values. Small holes take the mean of their borders, large ones a
    smooth surface. At least one pixel must be known.

    Source: Gortler et al., The Lumigraph (1996), section 3.4: pull-push.
    """
    values = np.where(known, disparity, np.float32(0)).astype(np.float32)
    surface, _ = _pull_push(values, known.astype(np.float32))
    return np.where(known, disparity, surface).astype(np.float32)


def _pull_push(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill where weight < 1; values are multiplied by weight (0 where unknown)."""
    import cv2

    h, w = values.shape
    if weight.min() >= 1 or max(h, w) < _LEAST_SIDE_PX:
        return np.divide(values, weight, out=np.zeros_like(values), where=weight > 0), weight
    half = ((w + 1) // 2, (h + 1) // 2)
    less = cv2.resize(values, half, interpolation=cv2.INTER_AREA)
    share = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    mean = np.divide(less, share, out=np.zeros_like(less), where=share > 0)
    trust = np.minimum(share * 4, np.float32(1))  # one known pixel of four is enough
    coarse, _ = _pull_push(mean * trust, trust)
    beneath = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
    return values + (1 - weight) * beneath, weight
