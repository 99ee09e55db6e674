"""Say where a subject without a face probably is: near, central, unlike the rest."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, UInt8

LONG_SIDE_PX = 192
_REGION = 0.6
"""Share of the highest saliency down to which pixels belong to the salient region."""


def salient_region(
    rgb: UInt8[np.ndarray, "h w 3"], disparity: Float32[np.ndarray, "a b"]
) -> Bool[np.ndarray, "p q"]:
    """Return the connected region around the highest saliency, LONG_SIDE_PX on the longer side."""
    import cv2

    saliency = saliency_map(rgb, disparity)
    peak = np.unravel_index(int(np.argmax(saliency)), saliency.shape)
    mask = (saliency >= _REGION * saliency[peak]).astype(np.uint8)
    _, labels = cv2.connectedComponents(mask, connectivity=4)
    return np.asarray(labels == labels[peak])


def saliency_map(
    rgb: UInt8[np.ndarray, "h w 3"], disparity: Float32[np.ndarray, "a b"]
) -> Float32[np.ndarray, "p q"]:
    """Combine nearness, centre, colour contrast and spectral residual; about 0..1, LONG_SIDE_PX.

    Convention: covers the whole picture, origin top left.
    """
    import cv2

    scale = LONG_SIDE_PX / max(rgb.shape[:2])
    size = tuple(max(8, round(n * scale)) for n in rgb.shape[1::-1])
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    near = _nearness(cv2.resize(disparity, size, interpolation=cv2.INTER_AREA))
    contrast = 0.5 * _colour_contrast(small) + 0.5 * _spectral_residual(small)
    score = near * _centre(near.shape) * (0.35 + contrast)
    blur = max(near.shape) / 48
    return np.asarray(cv2.GaussianBlur(score, (0, 0), blur), np.float32)


def _nearness(disparity: np.ndarray) -> np.ndarray:
    """Disparity above what its row usually holds counts more: floors are near but no subject."""
    low, high = np.percentile(disparity, (2, 98))
    unit = np.clip((disparity - low) / max(high - low, 1e-9), 0, 1)
    usual = np.median(unit, axis=1, keepdims=True)
    out: np.ndarray = 0.15 + 0.85 * np.clip(0.45 * unit + 1.1 * (unit - usual), 0, 1)
    return out.astype(np.float32)


def _centre(size_hw: tuple[int, int]) -> np.ndarray:
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in size_hw)
    out: np.ndarray = np.exp(-1.2 * ((rows[:, None] - 0.1) ** 2 + columns[None] ** 2))
    return out


def _colour_contrast(rgb: np.ndarray) -> np.ndarray:
    """Distance in Lab from the picture's mean.

    Source: Achanta et al. 2009, "Frequency-tuned salient region detection", eq. 4.
    """
    import cv2

    lab = cv2.cvtColor(cv2.GaussianBlur(rgb, (5, 5), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    return _unit(np.linalg.norm(lab - lab.mean(axis=(0, 1)), axis=2))


def _spectral_residual(rgb: np.ndarray) -> np.ndarray:
    """Source: Hou and Zhang 2007, "Saliency detection: a spectral residual approach"."""
    import cv2

    grey = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(grey.astype(np.float32))
    log_size = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
    residual = log_size - cv2.blur(log_size, (3, 3))
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    smooth = cv2.GaussianBlur(back.astype(np.float32), (0, 0), 2.5)
    return _unit(cv2.resize(smooth, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR))


def _unit(values: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.clip(values / max(float(np.percentile(values, 98)), 1e-9), 0, 1)
    return out.astype(np.float32)
