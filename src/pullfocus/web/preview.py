"""View: what the page draws: a part of the photo and of its depth, at the size of the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.types import DepthMap, Photo


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the photo in fractions, and the longest side it may be shown with."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    long_side_px: int = 1600

    def __post_init__(self) -> None:
        inside = 0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1
        if not (inside and 16 <= self.long_side_px <= 4096):
            raise UsageError("A region needs left < right and top < bottom, all within 0..1.")

    def rows_columns(self, size_hw: tuple[int, int]) -> tuple[slice, slice]:
        """Return the pixels it covers, one at least."""
        h, w = size_hw
        return _pixels(self.top, self.bottom, h), _pixels(self.left, self.right, w)

    def shown_hw(self, h: int, w: int) -> tuple[int, int]:
        """Return the size at which so many pixels are shown."""
        scale = min(1.0, self.long_side_px / max(h, w))
        return max(1, round(h * scale)), max(1, round(w * scale))


def colour_png(photo: Photo, region: Region) -> bytes:
    """Encode a region of the photo as an sRGB PNG, quickly."""
    import cv2

    from pullfocus.photo.pixels import to_srgb8

    rows, columns = region.rows_columns(photo.size_hw)
    part = photo.linear[rows, columns]
    h, w = region.shown_hw(*part.shape[:2])
    if (h, w) != part.shape[:2]:
        part = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
    small = photo.with_linear(part, alpha=None, embedded_depth=None)
    return png(to_srgb8(small, max(h, w)))


def disparity_f32(depth: DepthMap, region: Region) -> bytes:
    """Return a region's disparity as little-endian float32 rows.

    Nearest samples: an average across an edge would be a distance where nothing stands.
    """
    return np.ascontiguousarray(small_disparity(depth, region), "<f4").tobytes()


def small_disparity(depth: DepthMap, region: Region) -> np.ndarray:
    """Sample a region's disparity at the size it is shown with."""
    import cv2

    rows, columns = region.rows_columns(depth.size_hw)
    part = depth.disparity[rows, columns]
    h, w = region.shown_hw(*part.shape)
    if (h, w) == part.shape:
        return part
    return cv2.resize(part, (w, h), interpolation=cv2.INTER_NEAREST_EXACT)


def png(rgb: np.ndarray) -> bytes:
    """Encode uint8 RGB as PNG with little compression: it travels on loopback only."""
    import cv2

    done, data = cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise UsageError("The preview could not be encoded.")
    return data.tobytes()


def _pixels(first: float, last: float, count: int) -> slice:
    start = min(round(first * count), count - 1)
    return slice(start, max(start + 1, round(last * count)))
