"""What an evaluation shows to people: photo, truth, answer and error of some images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pullfocus.errors import CannotWriteError
from pullfocus.lab.sheet import coloured, tile

WORST = 0.5
"""Relative error that is painted brightest."""


@dataclass(frozen=True, eq=False)
class Look:
    """One image's pictures.

    Attributes:
        rgb: h w 3 uint8.
        truth: disparity of any size, NaN = unknown; None = no map to show.
        answer: disparity of any size.
        error: relative error >= 0 of any size, NaN = unknown; None = no map to show.
    """

    rgb: np.ndarray
    truth: np.ndarray | None
    answer: np.ndarray
    error: np.ndarray | None = None


def row_of(look: Look) -> np.ndarray:
    """Return photo, truth, answer and error side by side, RGB; unknown is black.

    Convention: bright = near in depth maps, bright = wrong in error maps.
    """
    maps = [look.rgb]
    if look.truth is not None:
        maps.append(_masked(look.truth))
    maps.append(coloured(look.answer))
    if look.error is not None:
        maps.append(error_map(look.error))
    hw = look.rgb.shape[:2]
    return np.hstack([tile(_fit(picture, hw)) for picture in maps])


def error_map(error: np.ndarray) -> np.ndarray:
    """Return relative error 0..`WORST` as h w 3 uint8; NaN is black."""
    share = np.nan_to_num(np.clip(error / WORST, 0, 1))
    bgr = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.where(np.isnan(error)[..., None], 0, bgr[:, :, ::-1]).astype(np.uint8)


class Spread:
    """Keeps at most ``2 * count`` evenly spread items of a sequence of unknown length."""

    def __init__(self, count: int) -> None:
        self._count, self._every, self._seen = count, 1, 0
        self._kept: list[tuple[str, np.ndarray]] = []

    def offer(self, name: str, look: Look) -> None:
        """Take the next item, or pass over it; its row is drawn only if it is taken."""
        if self._count and self._seen % self._every == 0:
            self._kept.append((name, row_of(look)))
            if len(self._kept) > 2 * self._count:
                self._kept, self._every = self._kept[::2], self._every * 2
        self._seen += 1

    def chosen(self) -> list[tuple[str, np.ndarray]]:
        """Return at most ``count`` of them, in order."""
        last = len(self._kept) - 1
        index = np.unique(np.linspace(0, last, min(self._count, last + 1)).round().astype(int))
        return [self._kept[i] for i in index.tolist()]


def write_picture(path: Path, rgb: np.ndarray) -> None:
    """Write an RGB picture.

    Raises:
        CannotWriteError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), rgb[:, :, ::-1]):
        raise CannotWriteError(f"{path} cannot be written; choose another --out.")


def _masked(truth: np.ndarray) -> np.ndarray:
    known = np.isfinite(truth)
    if not known.any():
        return np.zeros((*truth.shape, 3), np.uint8)
    filled = np.where(known, truth, np.min(truth[known]))
    return np.where(known[..., None], coloured(filled), 0).astype(np.uint8)


def _fit(picture: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Return the picture at hw; sparse points are kept visible by taking the largest."""
    if picture.shape[:2] == hw:
        return picture
    return cv2.resize(picture, hw[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
