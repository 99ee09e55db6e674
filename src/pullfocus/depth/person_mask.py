"""Where people are in a photo: two larger looks, then an outline where the photo's colours part.

    looks at `card.person_long_side`, plain and mirrored -> mean
        -> GrabCut: what is doubtful goes to the side whose colours it has

Arms and small people are lost in the look that suits depth best. Larger ones find them, and colours
know outlines better than either. lab/recipes/RESULTS.md has what each step is worth.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.estimator import Estimator
from pullfocus.depth.onnx_session import OnnxEstimator
from pullfocus.depth.two_looks import mirrored

SURELY, HARDLY = 0.85, 0.15
"""Probabilities beyond which a pixel is a person, or none, whatever its colour."""
ROUNDS = 2
LEAST_PX = 20
"""Pixels that each side must have for its colours to be known."""


def person_mask(
    estimator: Estimator,
    rgb: UInt8[np.ndarray, "h w 3"],
    first: Float32[np.ndarray, "a b"] | None,
) -> Float32[np.ndarray, "c d"] | None:
    """Return the probability of a person, better than `first`, the answer of one look at rgb.

    `first` stays where the network's card asks for no larger look. The size is that of the answer.
    What colours decide against the network is drawn to just beyond one half: the mean over
    somebody still tells how sure the network is of them.
    """
    side = estimator.card.preprocessing.person_long_side
    if first is None or not side or not isinstance(estimator, OnnxEstimator):
        return first
    larger = estimator.at_long_side(side)
    plain, turned = (larger.estimate(look).person for look in (rgb, mirrored(rgb)))
    if plain is None or turned is None:
        return first
    return _parted_by_colour((plain + mirrored(turned)) / 2, rgb)


def _parted_by_colour(
    person: Float32[np.ndarray, "a b"], rgb: UInt8[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "a b"]:
    """Give doubtful pixels to the side that they look like.

    Source: Rother, Kolmogorov, Blake 2004, "GrabCut", as OpenCV has it.
    """
    import cv2

    sides = np.where(person > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    sides[person > SURELY] = cv2.GC_FGD
    sides[person < HARDLY] = cv2.GC_BGD
    sides = sides.astype(np.uint8)
    if min(np.count_nonzero(sides == side) for side in (cv2.GC_FGD, cv2.GC_BGD)) < LEAST_PX:
        return person
    size_wh = (person.shape[1], person.shape[0])
    small = cv2.resize(rgb, size_wh, interpolation=cv2.INTER_AREA)
    models = np.zeros((1, 65)), np.zeros((1, 65))  # of the colours behind and in front
    cv2.setRNGSeed(0)  # they begin at random colours
    cv2.grabCut(small, sides, (0, 0, *size_wh), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = (sides & 1) == 1
    return np.where(inside, np.maximum(person, 0.51), np.minimum(person, 0.49)).astype(np.float32)
