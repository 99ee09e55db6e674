"""focus_on_subject: choose the focus for a person who chose none, and say what was chosen."""

from __future__ import annotations

import numpy as np

from pullfocus.focus.at_point import weighted_median
from pullfocus.focus.faces import Face, find_faces
from pullfocus.focus.saliency import saliency_map
from pullfocus.types import DepthMap, Focus, Photo

_REGION = 0.6
"""Share of the highest saliency down to which pixels belong to the salient region."""


def focus_on_subject(photo: Photo, depth: DepthMap) -> Focus:
    """Focus on the most plausible subject: a face, else the nearest salient region.

    Of several faces the largest, nearest and most central wins. `Focus.chosen` is "face" or
    "nearest salient region"; x, y is the place, in fractions.
    """
    from pullfocus.photo.preview import to_srgb8

    rgb = to_srgb8(photo, 1024)
    faces = [face for face in find_faces(rgb) if _is_plausible(depth, face)]
    if faces:
        return _focus_on_face(depth, _best_face(depth, faces))
    return _focus_on_region(depth, saliency_map(rgb, depth.disparity))


def _is_plausible(depth: DepthMap, face: Face) -> bool:
    """Say whether a face may be the subject: well confirmed, or not in the far part.

    What cascades take for faces in house fronts and doorways lies far behind the rest.
    """
    if face.votes > 2:
        return True
    return depth.at(*face.centre) >= float(np.percentile(depth.disparity[::8, ::8], 40))


def _best_face(depth: DepthMap, faces: list[Face]) -> Face:
    nearest = max(float(depth.disparity.max()), 1e-9)

    def merit(face: Face) -> float:
        x, y = face.centre
        central = np.exp(-1.5 * ((2 * x - 1) ** 2 + (2 * y - 1) ** 2))
        area = (face.right - face.left) * (face.bottom - face.top)
        return float(area * (0.5 + depth.at(x, y) / nearest) * (0.4 + central) * face.votes**0.5)

    return max(faces, key=merit)


def _focus_on_face(depth: DepthMap, face: Face) -> Focus:
    h, w = depth.size_hw
    x, y = face.centre
    rows = slice(int(face.top * h), max(int(face.bottom * h), int(face.top * h) + 1))
    columns = slice(int(face.left * w), max(int(face.right * w), int(face.left * w) + 1))
    window = depth.disparity[rows, columns]
    vertical, horizontal = (np.linspace(-1, 1, n + 2)[1:-1] for n in window.shape)
    weight = np.exp(-4.0 * (vertical[:, None] ** 2 + horizontal[None] ** 2))
    return Focus(weighted_median(window, weight), x=x, y=y, chosen="face")


def _focus_on_region(depth: DepthMap, saliency: np.ndarray) -> Focus:
    """Focus on the connected region around the highest saliency, at its median disparity."""
    import cv2

    h, w = saliency.shape
    peak = np.unravel_index(int(np.argmax(saliency)), saliency.shape)
    mask = (saliency >= _REGION * saliency[peak]).astype(np.uint8)
    _, labels = cv2.connectedComponents(mask, connectivity=4)
    region = labels == labels[peak]
    small = cv2.resize(depth.disparity, (w, h), interpolation=cv2.INTER_NEAREST)
    disparity = weighted_median(small[region], saliency[region].astype(np.float64))
    spread = max(float(np.ptp(small)), 1e-9)
    typical = saliency * region * np.exp(-(((small - disparity) / (0.05 * spread)) ** 2))
    row, column = np.unravel_index(int(np.argmax(typical)), typical.shape)
    return Focus(
        disparity,
        x=float((column + 0.5) / w),
        y=float((row + 0.5) / h),
        chosen="nearest salient region",
    )
