"""What a followed subject looks like, for `track`: to check a box, and to search a whole frame."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.focus.box import Box

PATCH_PX = 32
"""Side of the patch to which every box is brought before it is compared."""
MOST_VIEWS = 6
"""Views of the subject that are remembered; the first one always."""
SCALES = (0.7, 1.0, 1.4)
"""Sizes, of the last known one, at which a lost subject is looked for."""
SEARCH_SCALE = 0.5
"""Size of the frame that is searched, of the one in which the subject is followed."""
_PEAKS = 3
"""Places that are looked at closer, for each size and each kind of map."""
_BINS = (4, 8, 8)
"""Steps of L, a and b in a histogram of colours: light changes more than hue."""


class Appearance:
    """Some views (grey, brightness and contrast removed) and the colours of a subject.

    Source: histograms and their likeness: Comaniciu et al. 2003, "Kernel-based object tracking",
        equations 3 to 7; colours against the surroundings': Collins et al. 2005, equation 1.
    """

    def __init__(self, rgb: UInt8[np.ndarray, "h w 3"], box: Box) -> None:
        view, colours = _look(rgb, box)
        self._views = [view]
        self._colours = colours
        self._others = _colours_of(rgb.reshape(-1, 1, 3), np.ones(rgb[..., 0].size))

    def likeness(self, rgb: UInt8[np.ndarray, "h w 3"], box: Box) -> float:
        """Compare what a box holds with the subject: 1 is the same, about 0.3 any other place."""
        view, colours = _look(rgb, box)
        same_shape = max(float((view * known).sum()) for known in self._views)
        same_colours = float(np.sqrt(colours * self._colours).sum())
        return 0.5 * max(same_shape, 0.0) + 0.5 * same_colours

    def learn(self, rgb: UInt8[np.ndarray, "h w 3"], box: Box) -> None:
        """Remember how it looks now; the oldest view but the first is forgotten."""
        view, colours = _look(rgb, box)
        self._views.append(view)
        if len(self._views) > MOST_VIEWS:
            del self._views[1]
        self._colours = 0.9 * self._colours + 0.1 * colours

    def candidates(self, rgb: UInt8[np.ndarray, "h w 3"], box: Box) -> Iterator[Box]:
        """Yield places that may hold the subject, of about the size of `box`."""
        import cv2

        rgb = cv2.resize(rgb, None, fx=SEARCH_SCALE, fy=SEARCH_SCALE, interpolation=cv2.INTER_AREA)
        h, w = rgb.shape[:2]
        share = self._colours / (self._colours + self._others + 1e-9)
        alike = share[_bin_of(rgb)].astype(np.float32)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        for scale in SCALES:
            size = (
                min(max(3, round(scale * (box.right - box.left) * w)), w),
                min(max(3, round(scale * (box.bottom - box.top) * h)), h),
            )
            coloured = cv2.boxFilter(alike, -1, size, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
            yield from _peaks(coloured[: h - size[1] + 1, : w - size[0] + 1], size, (h, w))
            for view in (self._views[0], self._views[-1]):
                shaped = cv2.matchTemplate(grey, cv2.resize(view, size), cv2.TM_CCOEFF_NORMED)
                yield from _peaks(shaped, size, (h, w))


def _look(rgb: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return the view, of zero mean and unit length, and the colours inside a box."""
    import cv2

    part = rgb[box.slices(rgb.shape[:2])]
    patch = cv2.resize(part, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32)
    window = _window()
    view = (grey - np.average(grey, weights=window)) * np.sqrt(window)
    return view / max(float(np.linalg.norm(view)), 1e-6), _colours_of(patch, window)


@cache
def _window() -> Float32[np.ndarray, "p p"]:
    """Weigh the middle of a box: its corners are background."""
    across = np.linspace(-1, 1, PATCH_PX, dtype=np.float32)
    out: np.ndarray = np.exp(-1.5 * (across[:, None] ** 2 + across[None] ** 2))
    return out


def _bin_of(rgb: np.ndarray) -> np.ndarray:
    import cv2

    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.int32)
    light, a, b = (lab[..., i] * n // 256 for i, n in enumerate(_BINS))
    out: np.ndarray = (light * _BINS[1] + a) * _BINS[2] + b
    return out


def _colours_of(rgb: np.ndarray, weight: np.ndarray) -> np.ndarray:
    counts = np.bincount(_bin_of(rgb).ravel(), weight.ravel(), minlength=int(np.prod(_BINS)))
    return np.asarray(counts / counts.sum())


def _peaks(score: np.ndarray, size_wh: tuple[int, int], frame_hw: tuple[int, int]) -> Iterator[Box]:
    """Yield the boxes of the highest places, each farther than half a box from the others."""
    (width, height), (h, w) = size_wh, frame_hw
    left_over = score.copy()
    for _ in range(_PEAKS):
        y, x = np.unravel_index(int(np.argmax(left_over)), left_over.shape)
        if left_over[y, x] <= 0:
            return
        yield Box(x / w, y / h, (x + width) / w, (y + height) / h)
        rows = slice(max(0, y - height // 2), y + height // 2 + 1)
        left_over[rows, max(0, x - width // 2) : x + width // 2 + 1] = 0
