"""Where a subject is when it is first looked for: its box, from a box, a point or a person."""

from __future__ import annotations

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.focus import focus_at, focus_on_subject
from pullfocus.focus.box import Box
from pullfocus.focus.script import Subject
from pullfocus.types import DepthMap, Photo

ONE_THING = 0.06
"""Share of the disparity's range within which neighbouring pixels are one thing."""
LEAST_SIDE, MOST_SIDE = 0.08, 0.5
"""Sides of the box around a point, in fractions: enough to be known by, not the whole."""


def box_of(subject: Subject, rgb: np.ndarray, depth: DepthMap) -> Box:
    """Return a subject's box in the frame at which it is first looked for."""
    if subject.box is not None:
        return Box(*subject.box)
    if subject.point is not None:
        return _box_around(subject.point, depth)
    if subject.found:
        focus = focus_on_subject(Photo.from_array(rgb), depth)
        return _box_around((focus.x or 0.5, focus.y or 0.5), depth)
    raise UsageError("people: not yet")


def _box_around(point: tuple[float, float], depth: DepthMap) -> Box:
    """Frame the thing at a point: what is connected to it and as far away as it is."""
    import cv2

    h, w = depth.size_hw
    column, row = min(int(point[0] * w), w - 1), min(int(point[1] * h), h - 1)
    near = np.abs(depth.disparity - focus_at(depth, *point).disparity)
    mask = (near <= ONE_THING * max(float(np.ptp(depth.disparity)), 1e-9)).astype(np.uint8)
    mask[row, column] = 1
    labels, parts = cv2.connectedComponentsWithStats(mask, connectivity=4)[1:3]
    left, top, width, height = (int(n) for n in parts[labels[row, column]][:4])
    across = _side(point[0], left / w, (left + width) / w)
    down = _side(point[1], top / h, (top + height) / h)
    return Box(across[0], down[0], across[1], down[1])


def _side(middle: float, first: float, last: float) -> tuple[float, float]:
    """Keep one side of the box between the least and the most, with the point inside."""
    first = min(max(first, middle - MOST_SIDE / 2), middle - LEAST_SIDE / 2)
    last = max(min(last, middle + MOST_SIDE / 2), middle + LEAST_SIDE / 2)
    return max(first, 0.0), min(last, 1.0)
