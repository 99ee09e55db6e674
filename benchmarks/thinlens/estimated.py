"""Depth estimated from the picture, brought to the true scale as evaluation protocols do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pullfocus.types import Photo

TEACHER = Path(__file__).resolve().parents[3] / "shared/data/networks/tcmonodepth-small.onnx"


def estimate(linear: np.ndarray) -> tuple[np.ndarray, str]:
    """Return (relative disparity (h, w), who made it); the embedded network where it is there.

    Raises:
        FileNotFoundError: neither embedded weights nor the shared public network are there.
    """
    photo = Photo.from_array(np.clip(linear, 0, 1).astype(np.float32), encoded=False)
    photo = Photo.from_array(photo.encode(8))
    try:
        from pullfocus.depth import estimate_depth

        depth = estimate_depth(photo)
    except Exception as error:  # any failure means "not available" here
        if not TEACHER.exists():
            raise FileNotFoundError(f"no depth network: {error}") from error
        return _teacher(photo.encode(8)), "tcmonodepth-small (shared data)"
    return depth.disparity, depth.source


def _teacher(rgb: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(TEACHER), providers=["CPUExecutionProvider"])
    small = cv2.resize(rgb, (320, 192), interpolation=cv2.INTER_AREA).astype(np.float32)
    feed = {session.get_inputs()[0].name: small.transpose(2, 0, 1)[None]}
    out = np.squeeze(session.run(None, feed)[0]).astype(np.float32)
    return cv2.resize(out, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def align(estimate: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Fit scale and shift by least squares; never below zero."""
    a = np.stack([estimate.ravel(), np.ones(estimate.size)], 1)
    scale, shift = np.linalg.lstsq(a, truth.ravel(), rcond=None)[0]
    return np.maximum(max(scale, 0) * estimate + shift, 0).astype(np.float32)
