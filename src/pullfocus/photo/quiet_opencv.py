"""OpenCV's decoder from bytes, without its messages on stderr and without its exceptions."""

from __future__ import annotations

import numpy as np


def imdecode_unchanged(data: bytes) -> np.ndarray | None:
    """Decode as stored: own depth and channels (BGR order), no orientation; None on failure."""
    import cv2

    buffer = np.frombuffer(data, np.uint8)
    if not buffer.size:
        return None
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(level)


def to_rgb(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Split OpenCV's (h, w[, c]) BGR(A) into RGB or grey, and alpha."""
    import cv2

    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return pixels.reshape(pixels.shape[:2]), None
    if pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(pixels[..., 3])
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), alpha
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), None
