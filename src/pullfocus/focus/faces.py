"""Find faces by the cascades that OpenCV ships, keeping only those that a second look confirms."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from pullfocus.focus.box import Box

PixelBox = tuple[int, int, int, int]
"""Left, top, width, height in pixels, as OpenCV's cascades answer."""
Point = tuple[float, float]

LONG_SIDE_PX = 512
"""Size at which faces are searched; a face of 4 % of the longer side is still 20 px wide."""
SMALLEST_SHARE = 0.04
"""Width of the smallest face that counts, as a share of the longer side."""
_AGREE = 0.35
"""Intersection over union from which two cascades mean the same face."""
_SECOND_LOOKS = ("frontalface_default", "frontalface_alt")
_Confirmed = tuple[PixelBox, list[Point], int]
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Face:
    """A face's box in fractions of the picture, the votes (2..4) that confirmed it, its eyes."""

    box: Box
    votes: int
    eyes: tuple[Point, ...] = ()

    @property
    def point(self) -> Point:
        """Where to focus, in fractions: between the eyes where both were found, else the middle."""
        if len(self.eyes) != 2:
            return self.box.centre
        (x0, y0), (x1, y1) = self.eyes
        width = self.box.right - self.box.left
        if not 0.2 * width < abs(x1 - x0) < 0.8 * width:
            return self.box.centre
        return (x0 + x1) / 2, (y0 + y1) / 2


def find_faces(rgb: UInt8[np.ndarray, "h w 3"]) -> list[Face]:
    """Find the faces in an upright sRGB picture, largest first; none is a usual answer.

    A candidate of one cascade counts only with two of four votes: two more cascades and two eyes
    in its upper part. Alone, each of them sees faces in foliage, house fronts and fruit labels.

    Source: Viola and Jones 2001, as trained and shipped with OpenCV (haarcascades).
    """
    import cv2

    scale = LONG_SIDE_PX / max(rgb.shape[:2])
    size = tuple(max(1, round(n * scale)) for n in rgb.shape[1::-1])
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.equalizeHist(
        cv2.cvtColor(cv2.resize(rgb, size, interpolation=mode), cv2.COLOR_RGB2GRAY)
    )
    with _lock:  # a cascade holds scratch memory: one picture at a time
        found = _confirmed(grey)
    h, w = grey.shape
    faces = [
        Face(
            Box(x / w, y / h, (x + s) / w, (y + t) / h),
            votes,
            tuple((across / w, down / h) for across, down in eyes),
        )
        for (x, y, s, t), eyes, votes in found
    ]
    return sorted(faces, key=lambda face: face.box.left - face.box.right)


def _confirmed(grey: np.ndarray) -> list[_Confirmed]:
    """Search frontal faces, then, if there are none, both profiles; let others confirm each."""
    out = _confirmed_by(grey, _detect("frontalface_alt2", grey, 4))
    if out:
        return out
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    right = _confirmed_by(grey, _detect("profileface", grey, 6))
    left = _confirmed_by(mirrored, _detect("profileface", mirrored, 6))
    width = grey.shape[1]
    return right + [
        ((width - x - w, y, w, h), [(width - across, down) for across, down in eyes], votes)
        for (x, y, w, h), eyes, votes in left
    ]


def _confirmed_by(grey: np.ndarray, boxes: list[PixelBox]) -> list[_Confirmed]:
    out: list[_Confirmed] = []
    for box in boxes:
        eyes = _eyes(grey, box)
        votes = sum(_agrees(grey, box, second) for second in _SECOND_LOOKS) + min(len(eyes), 2)
        if votes >= 2:
            out.append((box, eyes, votes))
    return out


def _agrees(grey: np.ndarray, box: PixelBox, second: str) -> bool:
    """Say whether another cascade sees a face in the same place, looking only around it."""
    x, y, w, h = box
    left, top = max(0, x - w // 3), max(0, y - h // 3)
    around = np.ascontiguousarray(grey[top : y + h + h // 3, left : x + w + w // 3])
    found = _detect(second, around, 3, least=round(0.6 * w))
    return any(_overlap(box, (left + a, top + b, c, d)) > _AGREE for a, b, c, d in found)


def _detect(
    name: str, grey: np.ndarray, neighbours: int, least: int | None = None
) -> list[PixelBox]:
    least = least or max(20, round(SMALLEST_SHARE * max(grey.shape)))
    boxes = _cascade(name).detectMultiScale(
        grey, scaleFactor=1.15, minNeighbors=neighbours, minSize=(least, least)
    )
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in boxes]


def _eyes(grey: np.ndarray, box: PixelBox) -> list[Point]:
    """Return the middles of the eyes in the upper part of a face, in pixels."""
    import cv2

    x, y, w, h = box
    upper = grey[y : y + int(0.6 * h), x : x + w]
    scale = max(1.0, 96 / w)
    upper = cv2.resize(upper, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    least = int(0.15 * w * scale)
    found = _cascade("eye_tree_eyeglasses").detectMultiScale(upper, 1.1, 3, minSize=(least, least))
    return [
        (x + (left + across / 2) / scale, y + (top + down / 2) / scale)
        for left, top, across, down in found
    ]


def _overlap(a: PixelBox, b: PixelBox) -> float:
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(0, wide) * max(0, high)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


@lru_cache(maxsize=8)
def _cascade(name: str) -> Any:
    import cv2

    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / f"haarcascade_{name}.xml"))
