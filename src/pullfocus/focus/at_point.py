"""Choose the focus by hand: at a point, on a box, at a distance; and give it a sharp range."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.types import DepthMap, Focus

DEFAULT_RADIUS = 0.008
"""Radius of the window that is read around a point, as a share of the picture's longer side."""


def focus_at(depth: DepthMap, x: float, y: float, *, radius: float = DEFAULT_RADIUS) -> Focus:
    """Focus on what lies at a point: the weighted median of disparity in a small window.

    Args:
        x, y: fractions 0..1 of the upright picture.
        radius: of the window, as a share of the longer side; 0 reads the one pixel.

    Near an edge the window sees two things; the median follows the one that holds the point.

    Raises:
        UsageError: a point outside the picture, or not a number.

    Convention: x grows to the right, y downwards, origin top left.
    """
    _check_point(x, y)
    h, w = depth.size_hw
    reach_px = radius * max(h, w)
    column, row = min(int(x * w), w - 1), min(int(y * h), h - 1)
    r = int(reach_px)
    top, left = max(0, row - r), max(0, column - r)
    window = depth.disparity[top : row + r + 1, left : column + r + 1]
    rows = np.arange(top, top + window.shape[0])[:, None] - row
    columns = np.arange(left, left + window.shape[1])[None] - column
    weight = np.exp(-2.0 * (rows**2 + columns**2) / max(reach_px, 0.5) ** 2)
    return Focus(disparity=weighted_median(window, weight), x=x, y=y, chosen="point")


def focus_on_box(depth: DepthMap, left: float, top: float, right: float, bottom: float) -> Focus:
    """Focus on the thing inside a box: the median disparity of its middle, nearer half.

    A box drawn around a subject also holds background; the nearer half of its pixels, weighted
    towards the middle, is the subject.

    Raises:
        UsageError: a box outside the picture or without area.
    """
    _check_point(left, top)
    _check_point(right, bottom)
    if not (left < right and top < bottom):
        raise UsageError("A focus box needs left < right and top < bottom.")
    h, w = depth.size_hw
    rows = slice(int(top * h), max(int(top * h) + 1, min(int(np.ceil(bottom * h)), h)))
    columns = slice(int(left * w), max(int(left * w) + 1, min(int(np.ceil(right * w)), w)))
    window = depth.disparity[rows, columns]
    vertical, horizontal = (np.linspace(-1, 1, n + 2)[1:-1] for n in window.shape)
    weight = np.exp(-2.0 * (vertical[:, None] ** 2 + horizontal[None] ** 2))
    nearer = window >= weighted_median(window, weight)
    disparity = weighted_median(window[nearer], weight[nearer])
    return Focus(disparity, x=(left + right) / 2, y=(top + bottom) / 2, chosen="box")


def sharp_range(focus: Focus, *, near_disparity: float, far_disparity: float) -> Focus:
    """Keep everything between two disparities sharp; the plane moves into the range if outside.

    Raises:
        UsageError: near is not nearer than far, or a value is negative or not finite.

    Convention: larger disparity = nearer, so near_disparity >= far_disparity.
    """
    if not (np.isfinite([near_disparity, far_disparity]).all() and far_disparity >= 0):
        raise UsageError("A sharp range needs two finite disparities that are not negative.")
    if near_disparity < far_disparity:
        raise UsageError(
            f"The sharp range runs from near ({near_disparity:g}) to far ({far_disparity:g}): "
            "exchange the two."
        )
    plane = min(max(focus.disparity, far_disparity), near_disparity)
    return replace(
        focus, disparity=plane, near_disparity=near_disparity, far_disparity=far_disparity
    )


def check_focus(depth: DepthMap, focus: Focus) -> Focus:
    """Return the focus unchanged if it can be used with this depth.

    Raises:
        UsageError: a distance in metres with depth that has no metres.
    """
    return focus.checked_for(depth)


def _check_point(x: float, y: float) -> None:
    if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
        raise UsageError(
            f"The point {x:g},{y:g} lies outside the picture: both numbers are fractions from 0 "
            "(left, top) to 1 (right, bottom)."
        )


def weighted_median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the value at which half of the weight lies on either side; one of the values."""
    order = np.argsort(values, axis=None, kind="stable")
    flat, cumulative = values.ravel()[order], np.cumsum(weight.ravel()[order])
    return float(flat[np.searchsorted(cumulative, 0.5 * cumulative[-1])])
