"""Scores of masks, and of depth at the outlines of masks: pure numpy and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

HEAD_SHARE = 0.14
"""Share of a mask's rows, from the top, that count as its head."""
LIMB_SHARE = 0.03
"""Radius, as a share of a mask's height, of the disc whose opening takes limbs away."""
OUTLINE_SHARE = 1 / 128
"""Distance, as a share of the picture's longer side, within which two outlines agree."""
STEP = 0.08
"""Difference of normalised rank across three pixels that counts as an edge of depth."""
NEARER = 0.05
"""Share of a map's spread by which the inside of an outline must be nearer to stand out."""


@dataclass(frozen=True)
class MaskScores:
    """Scores 0..1 of one mask; head and limbs are NaN where the truth has none.

    iou: intersection over union. head, limbs: share of the truth's head and limbs that is found.
    outline: F measure of the outlines within OUTLINE_SHARE.
    """

    iou: float
    head: float
    limbs: float
    outline: float


def mask_scores(mask: np.ndarray, truth: np.ndarray) -> MaskScores:
    """Compare two masks, bool h w."""
    union = (mask | truth).sum()
    rows = np.flatnonzero(truth.any(axis=1))
    head = truth.copy()
    head[rows[0] + max(1, round(HEAD_SHARE * (rows[-1] + 1 - rows[0]))) :] = False
    limbs = limbs_of(truth)
    return MaskScores(
        float((mask & truth).sum() / max(union, 1)),
        _found(mask, head),
        _found(mask, limbs),
        outline_f(mask, truth),
    )


def _found(mask: np.ndarray, part: np.ndarray) -> float:
    return float(mask[part].mean()) if part.any() else float("nan")


def limbs_of(truth: np.ndarray) -> np.ndarray:
    """Return the thin parts of a mask: what an opening takes away."""
    rows = np.flatnonzero(truth.any(axis=1))
    radius = max(1, round(LIMB_SHARE * (rows[-1] + 1 - rows[0])))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    padded = cv2.copyMakeBorder(
        truth.astype(np.uint8), radius, radius, radius, radius, cv2.BORDER_REPLICATE
    )
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)[radius:-radius, radius:-radius]
    return np.asarray(truth & (opened == 0))


def outline_f(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the F measure of two outlines; 0 where one of them is missing."""
    reach = OUTLINE_SHARE * max(truth.shape)
    ours, theirs = _outline(mask), _outline(truth)
    if not ours.any() or not theirs.any():
        return 0.0
    precision = float((_distance_to(theirs)[ours] <= reach).mean())
    recall = float((_distance_to(ours)[theirs] <= reach).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _outline(mask: np.ndarray) -> np.ndarray:
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(mask & (cv2.erode(mask.astype(np.uint8), kernel, borderValue=1) == 0))


def _distance_to(outline: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, 5))


def edge_f1_of_order(disparity: np.ndarray, order: np.ndarray) -> float:
    """Return the F measure, within 3 px, of steps in the rank of two maps of one shape h w.

    Ranks make maps comparable that differ by any monotone curve.
    """
    ours, theirs = _rank_steps(disparity), _rank_steps(order)
    kernel = np.ones((7, 7), np.uint8)
    near_ours, near_theirs = (
        cv2.dilate(edges.astype(np.uint8), kernel) > 0 for edges in (ours, theirs)
    )
    precision = float((ours & near_theirs).sum() / max(ours.sum(), 1))
    recall = float((theirs & near_ours).sum() / max(theirs.sum(), 1))
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _rank_steps(values: np.ndarray) -> np.ndarray:
    rank = np.empty(values.size, np.float32)
    rank[np.argsort(values.ravel(), kind="stable")] = np.linspace(0, 1, values.size)
    step = cv2.morphologyEx(
        rank.reshape(values.shape), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    return np.asarray(step > STEP)


def outline_separation(disparity: np.ndarray, mask: np.ndarray, reach_px: int = 10) -> float | None:
    """Return the share of a mask's outline at which the inside is clearly nearer.

    Points inside and outside lie `reach_px` from the outline along its normal; the lowest 15 % of
    the mask, which stands on the ground, does not count. None for masks with too short an outline.
    """
    h, w = disparity.shape
    rows = np.flatnonzero(mask.any(axis=1))
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3)
    slope_x, slope_y = cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    long_ones = [outline[:, 0] for outline in outlines if len(outline) >= 40]
    if not long_ones:
        return None
    x, y = np.concatenate(long_ones).T.astype(int)
    length = np.hypot(slope_x[y, x], slope_y[y, x]) + 1e-9
    dx, dy = reach_px * slope_x[y, x] / length, reach_px * slope_y[y, x] / length
    xi, yi, xo, yo = (np.rint(v).astype(int) for v in (x + dx, y + dy, x - dx, y - dy))
    counts = (y < rows[-1] - 0.15 * (rows[-1] - rows[0])) & _within(xi, yi, w, h)
    counts &= _within(xo, yo, w, h)
    xi, yi, xo, yo = xi[counts], yi[counts], xo[counts], yo[counts]
    counts = mask[yi, xi] & ~mask[yo, xo]
    if counts.sum() <= 50:
        return None
    low, high = np.percentile(disparity, (2, 98))
    nearer = disparity[yi, xi] - disparity[yo, xo] > NEARER * (high - low)
    return float(nearer[counts].mean())


def _within(x: np.ndarray, y: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray((x >= 0) & (y >= 0) & (x < width) & (y < height))
