"""Where a subject is when it is first looked for, and how near what a box holds of it is."""

from __future__ import annotations

import numpy as np

from pullfocus.depth.edges.upsample import enlarge
from pullfocus.depth.subjects.instances import masks_of_people
from pullfocus.depth.subjects.surface import STILL_SURE
from pullfocus.focus import Subject, find_subjects, focus_at, focus_on_box
from pullfocus.focus.box import Box
from pullfocus.focus.script import Role
from pullfocus.focus.subject_shape import box_of_mask
from pullfocus.types import DepthMap, Photo

ONE_THING = 0.06
"""Share of the disparity's range within which neighbouring pixels are one thing."""
LEAST_SIDE, MOST_SIDE = 0.08, 0.5
"""Sides of the box around a point, in fractions: enough to be known by, not the whole."""
IS_PERSON = 0.4
"""Intersection over union of a box and somebody's own from which it stands for the person."""
LEAST_PERSON = 0.1
"""Share of a box that must be person for that part to say how near the person is."""


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
        return followed_box(found[0])
    boxes = [followed_box(subject) for subject in found if subject.kind == "person"]
    place = (role.person or 1) - 1
    boxes = boxes if place < len(boxes) else _people_asked_for(depth)
    return boxes[place] if place < len(boxes) else None


def is_person(box: Box, depth: DepthMap) -> bool:
    """Say whether a box is that of a person, rather than of something somebody holds."""
    return any(box.overlap(box_of_mask(mask)) >= IS_PERSON for mask in people_masks(depth))


def people_masks(depth: DepthMap) -> list[np.ndarray]:
    """Return the mask of each person in the depth's own size; none without a person mask."""
    if depth.person is None:
        return []
    person = enlarge(depth.person, depth.size_hw)
    masks = masks_of_people(person, depth.disparity)
    return [mask for mask in masks if person[mask].mean() >= STILL_SURE]


def disparity_of(depth: DepthMap, box: Box, person: bool) -> float:
    """Return how near what is followed in a box is; of a person only what the mask says is one."""
    if person and depth.person is not None:
        inside = enlarge(depth.person, depth.size_hw)[box.slices(depth.size_hw)] > 0.5
        if inside.mean() >= LEAST_PERSON:
            return float(np.median(depth.disparity[box.slices(depth.size_hw)][inside]))
    return focus_on_box(depth, *box).disparity


def _people_asked_for(depth: DepthMap) -> list[Box]:
    """Frame everybody whom the network doubts too: whoever asks for people says they are there."""
    return [box_of_mask(mask) for mask in people_masks(depth)]


def followed_box(subject: Subject) -> Box:
    """Frame all of a person without a face to be known by, else not too much."""
    if subject.kind == "person" and subject.face is None:
        return subject.box
    return _enough(subject.box, subject.point)


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
