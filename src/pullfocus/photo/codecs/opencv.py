"""OpenCV's decoder from bytes, without its messages on stderr and without its exceptions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_lock = threading.Lock()
_silenced: list[int] = []
"""OpenCV's own level of messages, once for each call that keeps it silent at this moment."""


def imdecode_unchanged(data: bytes) -> np.ndarray | None:
    """Decode as stored: own depth and channels (BGR order), no orientation; None on failure."""
    import cv2

    buffer = np.frombuffer(data, np.uint8)
    if not buffer.size:
        return None
    with silent_opencv():
        try:
            return cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None


@contextmanager
def silent_opencv() -> Iterator[None]:
    """Keep OpenCV's messages off stderr; the level is the whole process's, so the last one in
    several threads puts it back.
    """
    from cv2.utils import logging

    with _lock:
        _silenced.append(_silenced[0] if _silenced else logging.getLogLevel())
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        with _lock:
            level = _silenced.pop()
            if not _silenced:
                logging.setLogLevel(level)


def to_rgb(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Split OpenCV's (h, w[, c]) BGR(A) into RGB or grey, and alpha."""
    import cv2

    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return pixels.reshape(pixels.shape[:2]), None
    if pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(pixels[..., 3])
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), alpha
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), None
