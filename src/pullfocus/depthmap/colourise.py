"""Depth for human eyes: the magma colour map, bright = near; and where depth is uncertain."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.types import DepthMap


def preview(depth: DepthMap) -> UInt8[np.ndarray, "h w 3"]:
    """Colour a depth map from black (farthest) over purple to pale yellow (nearest), sRGB.

    Source: matplotlib's magma (CC0), as OpenCV ships it.
    """
    return _coloured(_unit(depth.disparity))


def preview_uncertainty(depth: DepthMap) -> UInt8[np.ndarray, "h w 3"] | None:
    """Colour the uncertainty from black (sure) to pale yellow (unsure); None if it is unknown."""
    return None if depth.uncertainty is None else _coloured(_unit(depth.uncertainty))


def _unit(values: np.ndarray) -> Float32[np.ndarray, "h w"]:
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.full(values.shape, 0.5, np.float32)
    return ((values - np.float32(low)) / np.float32(high - low)).astype(np.float32)


def _coloured(unit: np.ndarray) -> np.ndarray:
    codes = np.rint(unit * 255).astype(np.uint8)
    return _magma()[codes]


@cache
def _magma() -> np.ndarray:
    import cv2

    ramp = np.arange(256, dtype=np.uint8)[:, None]
    bgr = cv2.applyColorMap(ramp, cv2.COLORMAP_MAGMA)[:, 0]
    return np.ascontiguousarray(bgr[:, ::-1])
