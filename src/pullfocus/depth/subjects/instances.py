"""People in a picture, one by one: the mask of all, cut where it ends and where depth steps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32

SMALLEST_SHARE = 0.004
"""Share of the picture below which a patch of the mask is nobody."""
SURE = 0.85
"""Mean probability in a patch of the mask below which it may be something else: 98 % of the people
of ../data/people that are found have more, half of what is no person has less."""
PART = 0.2
"""Share of a patch that the smaller of two people in it must have."""
APART = 0.12
"""Step of disparity between two people in one patch, as a share of the picture's range."""
STACKED = 0.7
"""Share of the narrower part's columns that the other one has too, from which the upper one is the
head or the arms of the same person: networks lean both towards the background."""
_LOWER = 0.03
"""Share of the picture's height that counts as lower."""
FLAT = 1e-6
"""Range of disparity that is no more than the noise of float32."""
TWO_HEAPS = 0.8
"""Share of a patch's variance that two heaps of disparity must explain (one slope: 0.75)."""


def people_in(
    person: Float32[np.ndarray, "h w"], disparity: Float32[np.ndarray, "h w"]
) -> Int32[np.ndarray, "h w"]:
    """Number the people from 1, the largest first; 0 where nobody is.

    person: probability 0..1. disparity: on the same grid. People who touch in the picture are told
    apart where one stands clearly nearer.
    """
    labels = np.zeros(person.shape, np.int32)
    step = APART * max(float(np.ptp(disparity)), 1e-9)
    found = [part for patch in patches_of(person) for part in _split(patch, disparity, step)]
    for number, part in enumerate(sorted(found, key=lambda part: -int(part.sum())), start=1):
        labels[part] = number
    return labels


def masks_of_people(
    person: Float32[np.ndarray, "h w"], disparity: Float32[np.ndarray, "h w"]
) -> list[Bool[np.ndarray, "h w"]]:
    """Return the same as one mask for each, the largest first."""
    labels = people_in(person, disparity)
    return [labels == number for number in range(1, int(labels.max(initial=0)) + 1)]


def patches_of(person: Float32[np.ndarray, "h w"]) -> list[Bool[np.ndarray, "h w"]]:
    """Return the connected patches where a person is more probable than not, specks left out."""
    return pieces_of(person > 0.5, SMALLEST_SHARE)


def pieces_of(mask: Bool[np.ndarray, "h w"], least_share: float) -> list[Bool[np.ndarray, "h w"]]:
    """Return the connected pieces of a mask that take at least this share of the picture."""
    import cv2

    count, labels, parts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    least = least_share * mask.size
    return [labels == i for i in range(1, count) if parts[i, cv2.CC_STAT_AREA] >= least]


def _split(
    patch: Bool[np.ndarray, "h w"], disparity: Float32[np.ndarray, "h w"], step: float
) -> list[Bool[np.ndarray, "h w"]]:
    """Cut a patch in two at its step of disparity, if there is one; and each part again."""
    values = disparity[patch]
    if np.ptp(values) < max(step, FLAT):
        return [patch]
    limit, explained = _otsu(values)
    near = patch & (disparity > limit)
    parts = [largest_piece(near), largest_piece(patch & ~near)]
    if explained < TWO_HEAPS or min(part.sum() for part in parts) < PART * patch.sum():
        return [patch]
    columns = [part.any(axis=0) for part in parts]
    if (columns[0] & columns[1]).sum() > STACKED * min(c.sum() for c in columns):
        return [patch]
    near_median, far_median = (float(np.median(disparity[part])) for part in parts)
    if near_median - far_median < step or _foot(parts[1]) > _foot(parts[0]) + _LOWER * len(patch):
        return [patch]
    return [piece for part in parts for piece in _split(part, disparity, step)]


def _foot(part: np.ndarray) -> int:
    """Return the lowest row: who stands farther away does not reach lower; legs of one torso do."""
    return int(np.flatnonzero(part.any(axis=1))[-1])


def largest_piece(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return the largest connected piece of a mask; an empty mask as it is."""
    import cv2

    count, labels, parts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    return np.asarray(labels == 1 + int(np.argmax(parts[1:, cv2.CC_STAT_AREA])))


def _otsu(values: np.ndarray) -> tuple[float, float]:
    """Return the value that cuts values best in two heaps, and the share of variance between them.

    Source: Otsu 1979, "A threshold selection method from gray-level histograms", equation 18.
    """
    counts, edges = np.histogram(values, bins=64)
    middles = (edges[:-1] + edges[1:]) / 2
    share = counts / counts.sum()
    below, mean_below = np.cumsum(share), np.cumsum(share * middles)
    mean = mean_below[-1]
    variance = float((share * (middles - mean) ** 2).sum())
    between = (mean * below - mean_below) ** 2 / np.maximum(below * (1 - below), 1e-9)
    best = int(np.argmax(between[:-1]))
    return float(edges[best + 1]), float(between[best]) / max(variance, 1e-12)
