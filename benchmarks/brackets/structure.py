"""Structural scores that need no network: multi-scale SSIM and gradient magnitude deviation.

Both take encoded pictures (h, w, 3) in 0..1 and work on luma (BT.601).
"""

from __future__ import annotations

import cv2
import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003
GMSD_CONSTANT = 170.0 / 255**2  # Xue et al. 2014, for values in 0..1


def ms_ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Multi-scale structural similarity, 1 is perfect.

    Source: Wang, Simoncelli, Bovik, Multiscale structural similarity, Asilomar 2003.
    """
    a, b = image @ LUMA, truth @ LUMA
    score = 1.0
    for n, weight in enumerate(SCALE_WEIGHTS):
        luminance, contrast = _terms(a, b)
        part = (luminance * contrast if n == len(SCALE_WEIGHTS) - 1 else contrast).mean()
        score *= max(float(part), 0.0) ** weight
        a, b = (cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for x in (a, b))
    return score


def _terms(a, b):
    def local(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)[5:-5, 5:-5]

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    both = local(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    return luminance, (2 * both + 9e-4) / (var_a + var_b + 9e-4)


def gmsd(image: np.ndarray, truth: np.ndarray) -> float:
    """Gradient magnitude similarity deviation, 0 is perfect.

    Source: Xue et al., Gradient magnitude similarity deviation, IEEE TIP 2014.
    """

    def gradient(x):
        half = cv2.resize(x @ LUMA, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        across = cv2.filter2D(half, -1, np.array([[1, 0, -1]] * 3) / 3.0)
        down = cv2.filter2D(half, -1, np.array([[1, 0, -1]] * 3).T / 3.0)
        return np.hypot(across, down)

    a, b = gradient(image), gradient(truth)
    likeness = (2 * a * b + GMSD_CONSTANT) / (a * a + b * b + GMSD_CONSTANT)
    return float(likeness.std())
