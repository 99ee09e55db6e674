"""Where a subject is when it is first looked for: its box, from a box, a point or a person."""

from __future__ import annotations

import numpy as np

from pullfocus.focus import find_subjects, focus_at
from pullfocus.focus.box import Box
from pullfocus.focus.script import Role
from pullfocus.types import DepthMap, Photo

ONE_THING = 0.06
"""Share of the disparity's range within which neighbouring pixels are one thing."""
LEAST_SIDE, MOST_SIDE = 0.08, 0.5
"""Sides of the box around a point, in fractions: enough to be known by, not the whole."""


def box_of(role: Role, rgb: np.ndarray, depth: DepthMap) -> Box | None:
    """Return a subject's box in the frame at which it is first looked for; None if nobody is there.

    rgb: small, upright, sRGB-coded.
    """
    if role.box is not None:
        return Box(*role.box)
    if role.point is not None:
        return _box_around(role.point, depth)
    found = find_subjects(Photo.from_array(rgb), depth)
    if role.found:
        return _enough(found[0].box, found[0].point)
    people = [subject for subject in found if subject.kind == "person"]
    place = (role.person or 1) - 1
    return _enough(people[place].box, people[place].point) if place < len(people) else None


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
    return _enough(Box(left / w, top / h, (left + width) / w, (top + height) / h), point)


def _enough(box: Box, point: tuple[float, float]) -> Box:
    """Keep a box between the least and the most size, with the point inside."""
    left, right = _side(point[0], box.left, box.right)
    top, bottom = _side(point[1], box.top, box.bottom)
    return Box(left, top, right, bottom)


def _side(middle: float, first: float, last: float) -> tuple[float, float]:
    first = min(max(first, middle - MOST_SIDE / 2), middle - LEAST_SIDE / 2)
    last = max(min(last, middle + MOST_SIDE / 2), middle + LEAST_SIDE / 2)
    return max(first, 0.0), min(last, 1.0)
