"""Arrays that nobody can change and that hold numbers only, for the values that travel the line."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullfocus.errors import UsageError

BOUNDLESS = 1e30
"""Samples of this size or more mean infinity or "no data": programs write +-3.4e38 for it."""
_MOST_ENCODED = 8.0
"""Encoded floats above it are codes 0..255; linear 49 (10,000 cd/m2) is 5.3 encoded."""

LARGEST_DISPARITY = 1e6
"""Beyond it, sums over a picture leave float32."""


def read_only(array: np.ndarray) -> np.ndarray:
    """Lock an array that its maker gives away, so that a Photo or DepthMap need not copy it."""
    array.flags.writeable = False
    return array


def frozen(array: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Return the values as an array that nobody can change; copied unless it is locked already."""
    out: np.ndarray = np.ascontiguousarray(array, dtype=dtype)
    if np.may_share_memory(out, array) and not _is_locked(array):
        out = out.copy()
    out.flags.writeable = False
    return out


def _is_locked(array: Any) -> bool:
    """Tell whether no array that holds this memory may be written to."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)


def check_numbers(name: str, array: np.ndarray) -> None:
    """Refuse values that are NaN or infinite, once, where a Photo is made.

    Raises:
        UsageError: with how many there are.
    """
    if not (array.min() > -BOUNDLESS and array.max() < BOUNDLESS):  # false for NaN, too
        broken = array.size - int(np.count_nonzero(np.abs(array) < BOUNDLESS))
        raise UsageError(
            f"The {name} holds {broken} values that are NaN or infinite, which would spread to "
            "their surroundings; replace them first, for example by numpy.nan_to_num."
        )


def check_map(disparity: np.ndarray) -> None:
    """Refuse disparity of another shape than (h, w), or that is NaN, infinite or no distance.

    Raises:
        UsageError: with the shape, or the largest.
    """
    if disparity.ndim != 2 or 0 in disparity.shape:
        raise UsageError(f"A depth map needs shape (h, w), not {disparity.shape}.")
    largest = max(float(disparity.max()), -float(disparity.min()))
    if not np.isfinite(largest):
        raise UsageError("The depth map holds NaN or infinity; repair it before use.")
    if largest > LARGEST_DISPARITY:
        raise UsageError(
            f"The depth map holds disparity of {largest:.3g}; it is 1/m or 0..1, and more than "
            f"{LARGEST_DISPARITY:g} is no distance. Check its unit."
        )


def check_encoded(array: np.ndarray) -> None:
    """Refuse encoded floats that do not run from 0 to 1.

    Raises:
        UsageError: with the largest.
    """
    if float(array.max()) > _MOST_ENCODED:
        raise UsageError(
            f"Float pictures run from 0 to 1 and this one up to {float(array.max()):g}: divide "
            "it by 255, make it uint8 or uint16, or say encoded=False if it is linear light."
        )


def check_same_size(name: str, array: np.ndarray, other: np.ndarray) -> None:
    """Refuse an array that has not the height and width of what it belongs to.

    Raises:
        UsageError: with both shapes.
    """
    if np.shape(array) != other.shape[:2]:
        raise UsageError(
            f"The {name} has shape {np.shape(array)} and what it belongs to {other.shape[:2]}."
        )
