"""One subject of a photo: from the pixels that belong to it to where and how far to focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.focus.box import Box
from pullfocus.focus.faces import Face

Kind = Literal["person", "salient", "nearest", "box"]
GRID_PX = 384
"""Longer side of the grid on which subjects are told apart and their masks are given."""
FACE_DEPTH = 0.1
"""Difference to a face's middle, of the picture's range, beyond which it is background."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One thing to focus on.

    mask: bool, GRID_PX on the longer side, covering the whole picture. point: (x, y) in fractions,
        on the subject; between the eyes of a face. disparity: of the plane through it.
        near_disparity, far_disparity: what must be sharp: the face, or else most of the subject.
    face: the face's box. is_nearest: nothing in the picture is nearer.

    Convention: fractions of the upright picture, origin top left; larger disparity = nearer.
    """

    id: str
    kind: Kind
    box: Box
    mask: Bool[np.ndarray, "h w"]
    point: tuple[float, float]
    disparity: float
    near_disparity: float
    far_disparity: float
    face: Face | None = None
    is_nearest: bool = False


def shaped(
    kind: Kind,
    mask: Bool[np.ndarray, "h w"],
    disparity: Float32[np.ndarray, "h w"],
    face: Face | None = None,
    point: tuple[float, float] | None = None,
) -> Subject:
    """Measure a subject of which the mask (not empty) is known; its id is given later."""
    values = (
        disparity[mask] if face is None else _of_face(disparity, oval(face.box, mask.shape), mask)
    )
    far, plane, near = (float(v) for v in np.quantile(values, (0.05, 0.5, 0.95)))
    if point is None:
        point = face.point if face else _inner_point(mask, disparity, plane)
    return Subject("#", kind, box_of_mask(mask), mask, point, plane, near, far, face)


def oval(box: Box, size_hw: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    """Return the inside of a face: the ellipse in its box, at least the pixel in its middle."""
    h, w = size_hw[0], size_hw[1]
    (x, y) = box.centre
    rows, columns = (np.arange(h)[:, None] + 0.5) / h, (np.arange(w)[None] + 0.5) / w
    across, down = max(box.right - box.left, 1e-6) / 2, max(box.bottom - box.top, 1e-6) / 2
    out: np.ndarray = ((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1
    out[min(int(y * h), h - 1), min(int(x * w), w - 1)] = True
    return out


def _of_face(disparity: np.ndarray, inside: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Return the disparity of a face: what is on the body, less the background at its rim."""
    values = disparity[inside & body if (inside & body).any() else inside]
    limit = FACE_DEPTH * max(float(np.ptp(disparity)), 1e-9)
    return np.asarray(values[np.abs(values - np.median(values)) <= limit])


def _inner_point(mask: np.ndarray, disparity: np.ndarray, plane: float) -> tuple[float, float]:
    """Return the point farthest inside the mask among those that lie near its plane."""
    import cv2

    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    spread = max(float(np.ptp(disparity)), 1e-9)
    typical = inside * np.exp(-(((disparity - plane) / (0.1 * spread)) ** 2))
    row, column = np.unravel_index(int(np.argmax(typical)), mask.shape)
    return float((column + 0.5) / mask.shape[1]), float((row + 0.5) / mask.shape[0])


def box_of_mask(mask: Bool[np.ndarray, "h w"]) -> Box:
    """Return the box around a mask that is not empty."""
    h, w = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return Box(left / w, top / h, right / w, bottom / h)
