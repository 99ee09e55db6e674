"""Colours where there are none: what a blur must not see is filled from around before it blurs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from pullfocus.types import Photo

LEAST_WEIGHT = np.float32(1e-4)


def seen_colours(photo: Photo) -> Float32[np.ndarray, "h w 3"]:
    """Return the photo's light, with the colours of what is transparent taken from around it.

    Nobody sees those colours, black more often than not; blurred, they would fringe what is seen.
    What can be seen, be it only a little, stays as it is.
    """
    if photo.alpha is None or float(photo.alpha.min()) > 0:
        return photo.linear
    weight = np.where(photo.alpha > 0, np.float32(1), LEAST_WEIGHT)
    return filled(photo.linear * weight[..., None], weight)


def filled(
    colour: Float32[np.ndarray, "h w 3"], weight: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w 3"]:
    """Divide colour by its weight; where that is low, take what lies around it (push-pull).

    weight: above 0 everywhere.
    """
    import cv2

    if float(weight.min()) >= 1.0:
        return colour
    levels: list[tuple[np.ndarray, ...]] = [(colour, weight)]
    while max(levels[-1][1].shape) > 1:
        h, w = levels[-1][1].shape
        half = ((w + 1) // 2, (h + 1) // 2)
        # Areas, not cv2.pyrDown, which samples to the left: flipping must commute.
        levels.append(
            tuple(cv2.resize(part, half, interpolation=cv2.INTER_AREA) for part in levels[-1])
        )
    colour, mass = levels.pop()
    fill = colour / mass[..., None]
    while levels:
        colour, mass = levels.pop()
        h, w = mass.shape
        fill = cv2.resize(fill, (w, h), interpolation=cv2.INTER_LINEAR)
        trust = np.minimum(mass, 1)[..., None]
        fill = colour / np.maximum(mass, 1e-12)[..., None] * trust + fill * (1 - trust)
    return fill
