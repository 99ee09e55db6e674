"""Turn stored pixels upright: the eight EXIF orientations."""

from __future__ import annotations

import numpy as np

# (exchange rows and columns first, then OpenCV's flip code: 1 sideways, 0 upside down, -1 both)
_STEPS = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation to an array (h, w) or (h, w, c); unknown values change nothing.

    Convention: 1 as is, 2 mirrored, 3 half turn, 4 upside-down mirror, 5 transposed, 6 turned
        clockwise, 7 transposed over the other diagonal, 8 turned anticlockwise: what a viewer
        does to the stored rows to show them.
    Source: EXIF 2.32, tag 0x0112.
    """
    import cv2

    transposed, flip = _STEPS.get(orientation, (False, None))
    if transposed:
        pixels = cv2.transpose(pixels)
    return pixels if flip is None else cv2.flip(pixels, flip)


def upright_hw(size_hw: tuple[int, ...], orientation: int) -> tuple[int, int]:
    """Return the (height, width) that `upright` gives a picture."""
    turned = _STEPS.get(orientation, (False, None))[0]
    return (size_hw[1], size_hw[0]) if turned else (size_hw[0], size_hw[1])
