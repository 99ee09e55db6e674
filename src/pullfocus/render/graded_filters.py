"""The blurs of the graded style: one copy of the photo, blurred at one radius, without leaks.

Large radii are blurred on a smaller copy, so that the cost hardly depends on the radius.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float32

from pullfocus.render.fill import filled
from pullfocus.types import linear_to_srgb

Method = Literal["gaussian", "average", "median", "bilateral", "disc", "mixed"]

WORKING_RADIUS_PX = {"gaussian": 4.0, "average": 4.0, "disc": 5.0, "median": 2.8, "bilateral": 3.5}
"""Radius to which a copy is brought by making it smaller; what the filters below are exact for."""
BILATERAL_SIGMA = 75 / 255
"""Tonal width of the bilateral filter in encoded values. Source: project-defude's (75, 75)."""


def blurred_copy(
    linear: Float32[np.ndarray, "h w 3"],
    keep: Float32[np.ndarray, "h w"],
    radius_px: float,
    method: Method,
    share: float,
) -> Float32[np.ndarray, "h w 3"]:
    """Blur a photo at one radius; where `keep` is 0 its pixels are first filled from around.

    share: radius as a share of the largest one, by which "mixed" chooses its method.
    """
    import cv2

    if method == "mixed":
        method = "bilateral" if share < 0.35 else "gaussian" if share < 0.65 else "disc"
    h, w = linear.shape[:2]
    shrink = max(1.0, radius_px / WORKING_RADIUS_PX[method])
    size = (max(1, round(w / shrink)), max(1, round(h / shrink)))
    weight = np.maximum(keep, np.float32(1e-4))
    colour = linear * weight[..., None]
    if shrink > 1:
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    blurred = _filtered(filled(colour, weight), radius_px / shrink, method)
    if shrink > 1:
        blurred = cv2.resize(blurred, (w, h), interpolation=cv2.INTER_LINEAR)
    return blurred


def _filtered(rgb: np.ndarray, radius_px: float, method: str) -> np.ndarray:
    import cv2

    edge = cv2.BORDER_REFLECT_101
    if method == "gaussian":
        # OpenCV's sigma for the classic's kernel sizes: 0.3 * (radius - 1) + 0.8.
        return cv2.GaussianBlur(rgb, (0, 0), 0.3 * radius_px + 0.3, borderType=edge)
    if method == "average":
        # Twice, at 1/sqrt(2) of the width, would be smoother; the classic is one box.
        return cv2.filter2D(rgb, -1, _box(radius_px), borderType=edge)
    if method == "disc":
        return cv2.filter2D(rgb, -1, _disc(radius_px), borderType=edge)
    if method == "median":
        out = np.ascontiguousarray(rgb)
        for _ in range(2 if radius_px > 2.2 else 1):
            out = cv2.medianBlur(out, 5 if radius_px >= 1.5 else 3)
        return out
    guide = linear_to_srgb(np.clip(rgb, 0, 1))
    reach = 2 * max(1, round(radius_px)) + 1
    return cv2.ximgproc.jointBilateralFilter(
        guide, np.ascontiguousarray(rgb), reach, BILATERAL_SIGMA, radius_px, borderType=edge
    )


def _box(radius_px: float) -> np.ndarray:
    """A box of width 2 r + 1 with soft ends, so that its size grows continuously."""
    reach = int(np.ceil(radius_px))
    line = np.clip(radius_px + 1 - np.abs(np.arange(-reach, reach + 1)), 0, 1)
    kernel = np.outer(line, line).astype(np.float32)
    return kernel / kernel.sum()


def _disc(radius_px: float) -> np.ndarray:
    """A disc of radius r with an anti-aliased rim."""
    reach = int(np.ceil(radius_px + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return kernel / kernel.sum()
