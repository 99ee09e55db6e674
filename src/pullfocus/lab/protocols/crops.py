"""The crops of the depth tables: which part of an image counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool

from pullfocus.errors import UsageError

Hw = tuple[int, int]
Window = tuple[slice, slice]
KB_HW = (352, 1216)


def _shares(rows: tuple[float, float], columns: tuple[float, float]) -> Callable[[Hw], Window]:
    def window(hw: Hw) -> Window:
        (top, bottom), (left, right) = rows, columns
        h, w = hw
        return slice(int(top * h), int(bottom * h)), slice(int(left * w), int(right * w))

    return window


def _nyu(hw: Hw) -> Window:
    """Rows 45:471, columns 41:601 of 480x640, in proportion at other sizes."""
    (h, w), top, left = hw, 45 / 480, 41 / 640
    return (
        slice(round(top * h), round(471 / 480 * h)),
        slice(round(left * w), round(601 / 640 * w)),
    )


def kb_window(hw: Hw) -> Window:
    """Return the 352x1216 at the bottom, in the middle. Source: KITTI's depth benchmark."""
    top, left = max(0, hw[0] - KB_HW[0]), max(0, (hw[1] - KB_HW[1]) // 2)
    return slice(top, hw[0]), slice(left, left + KB_HW[1])


CROPS: dict[str, Callable[[Hw], Window]] = {
    "none": lambda hw: (slice(0, hw[0]), slice(0, hw[1])),
    "garg": _shares((0.40810811, 0.99189189), (0.03594771, 0.96405229)),
    "eigen": _shares((0.3324324, 0.91351351), (0.0359477, 0.96405229)),
    "nyu": _nyu,
}
"""Source: Garg et al. 2016, Eigen et al. 2014; reference/evaluation-protocols.md."""


def crop_mask(name: str, hw: Hw) -> Bool[np.ndarray, "h w"]:
    """Return which pixels of an image h w count.

    Raises:
        UsageError: no crop has that name.
    """
    if name not in CROPS:
        raise UsageError(f"There is no crop {name!r}; there are: {', '.join(CROPS)}.")
    mask = np.zeros(hw, bool)
    mask[CROPS[name](hw)] = True
    return mask
