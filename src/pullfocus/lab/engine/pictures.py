"""Depth, motion and masks as pictures for people; the lab's systems hand them to the engine."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from pullfocus.errors import CannotWriteError

ROWS = 4
"""Samples shown in one picture."""


def photo(image: Tensor) -> np.ndarray:
    """Return h w 3 uint8 of one 3 h w RGB picture in 0..1."""
    values = image.detach().float().clamp(0, 1).mul(255).round()
    return values.permute(1, 2, 0).cpu().numpy().astype(np.uint8)


def nearness(disparity: Tensor, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Return one disparity h w in magma, bright = near; from its 2nd to its 98th percentile.

    ``low`` and ``high`` replace those, to draw two maps on one scale.
    """
    values = disparity.detach().float().cpu().numpy()
    seen = values[np.isfinite(values)]
    ends = np.percentile(seen, [2, 98]) if seen.size else (0.0, 1.0)
    low = float(ends[0]) if low is None else low
    high = float(ends[1]) if high is None else high
    grey = np.nan_to_num(np.clip((values - low) / max(high - low, 1e-9), 0, 1)) * 255
    return _coloured(grey, cv2.COLORMAP_MAGMA)


def share(mask: Tensor) -> np.ndarray:
    """Return one mask or probability h w in 0..1 as grey h w 3 uint8."""
    grey = mask.detach().float().clamp(0, 1).mul(255).round().cpu().numpy().astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, 2)


def motion(field: Tensor) -> np.ndarray:
    """Return a motion field 3 h w (x right, y down, z ahead) as colour around grey.

    Red, green and blue are x, y and z; 128 is at rest; the largest motion has full contrast.
    """
    values = field.detach().float().cpu().numpy().transpose(1, 2, 0)
    largest = max(float(np.abs(values).max()), 1e-9)
    return np.round(127.5 + 127.5 * values / largest).astype(np.uint8)


def rows(*columns: list[np.ndarray]) -> np.ndarray:
    """Put columns of equally large pictures side by side, one row a sample."""
    lines = zip(*(column[:ROWS] for column in columns), strict=True)
    return np.concatenate([np.concatenate(line, 1) for line in lines], 0)


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Write a h w 3 uint8 RGB picture.

    Raises:
        CannotWriteError: the folder is full or read-only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), rgb[:, :, ::-1]):
        raise CannotWriteError(f"{path} cannot be written: is the disk full or read-only?")


def _coloured(grey: np.ndarray, colours: int) -> np.ndarray:
    return cv2.applyColorMap(grey.astype(np.uint8), colours)[:, :, ::-1]
