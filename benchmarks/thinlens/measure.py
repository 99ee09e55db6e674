"""How close a rendered picture is to the lens's: PSNR, SSIM, at depth edges and inside surfaces.

All scores are taken on sRGB-encoded values clipped to 0..1. SSIM: Gaussian window of sigma 1.5,
K1 = 0.01, K2 = 0.03 (Wang et al. 2004), mean over the three channels.
"""

from __future__ import annotations

import cv2
import numpy as np

from pullfocus.types import linear_to_srgb

EDGE_JUMP_PX = 1.0  # neighbours whose radii differ by more have a depth edge between them


def shown(linear: np.ndarray) -> np.ndarray:
    """Encode for a screen: float32 (h, w, 3) in 0..1."""
    return np.clip(linear_to_srgb(np.nan_to_num(linear)), 0, 1)


def psnr(image: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB of values in 0..1; nan where nothing is asked."""
    square = np.square(image.astype(np.float64) - truth)
    if where is not None:
        if not where.any():
            return float("nan")
        square = square[where]
    return float(-10 * np.log10(max(square.mean(), 1e-10)))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Structural similarity of values in 0..1."""

    def local(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)

    a, b = image.astype(np.float64), truth.astype(np.float64)
    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    both = local(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + 1e-4) * (2 * both + 9e-4)
    score = top / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
    return float(score[5:-5, 5:-5].mean())


def edge_band(radius_px: np.ndarray) -> np.ndarray:
    """Mark the pixels within the local blur radius (at least 2 px) of a depth edge."""
    reach = np.zeros(radius_px.shape, np.float32)
    size = np.abs(radius_px)
    for axis in (0, 1):
        jump = np.abs(np.diff(radius_px, axis=axis)) > EDGE_JUMP_PX
        first, second = [slice(None)] * 2, [slice(None)] * 2
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        first, second = tuple(first), tuple(second)
        local = np.maximum(np.maximum(size[first], size[second]), 2) * jump
        reach[first] = np.maximum(reach[first], local)
        reach[second] = np.maximum(reach[second], local)
    band = np.zeros(reach.shape, bool)
    for low in np.unique(np.floor(reach[reach > 0])):
        seeds = ((reach >= low) & (reach < low + 1)).astype(np.uint8)
        band |= cv2.distanceTransform(1 - seeds, cv2.DIST_L2, 5) <= low
    return band


def scores(linear: np.ndarray, truth_linear: np.ndarray, band: np.ndarray) -> dict[str, float]:
    """Score a linear picture against the linear truth."""
    image, truth = shown(linear), shown(truth_linear)
    return {
        "psnr": psnr(image, truth),
        "ssim": ssim(image, truth),
        "edge": psnr(image, truth, band),
        "inside": psnr(image, truth, ~band),
    }
