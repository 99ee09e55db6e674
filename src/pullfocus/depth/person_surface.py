"""A person is one surface with soft relief: takes the halo off people before edges are refined.

    disparity, person -> people_in -> of each: the inside, smoothed and held soft, up to the edge
                                   -> around them: the background, up to the same edge

Networks draw a person's outline as a ramp, so that shoulders, ears and hair end half way to the
background and half-blur with it. Here the ramp becomes a step where the mask has its edge;
refinement then moves the step to the photo's own edge, hair by hair.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.depth.people import SURE, people_in

RAMP_PX = 3
"""Width, to either side of the outline, of what a network blurs at its own resolution."""
SOFT = 0.05
"""Relief of a person's parts against their surroundings beyond which it is flattened, as a share of
the picture's range: a nose is kept, a hole that the network saw in a striped shirt is not."""
WIDE = 0.5
"""Width of those surroundings, of the square root of the person's area: about head and torso, which
networks like to put at different distances."""
LARGEST_SHARE = 0.9
"""Share of the picture above which a mask leaves no background to part from."""


def person_surface(
    disparity: Float32[np.ndarray, "h w"], person: Float32[np.ndarray, "a b"]
) -> Float32[np.ndarray, "h w"]:
    """Return disparity in which every person is one surface, ending where the mask does.

    disparity: at the network's resolution. person: probability 0..1 of the same picture. Away from
    people nothing changes; without any that the network is sure of, the map stays as it is.
    """
    from pullfocus.depth.refine import enlarge

    person = enlarge(person, (disparity.shape[0], disparity.shape[1]))
    labels = people_in(person, disparity)
    numbers = range(1, int(labels.max()) + 1)
    people = [labels == number for number in numbers if person[labels == number].mean() >= SURE]
    everyone = np.logical_or.reduce(people, axis=0) if people else np.zeros(labels.shape, bool)
    if not everyone.any() or everyone.mean() > LARGEST_SHARE:
        return disparity
    limit = SOFT * max(float(np.ptp(disparity)), 1e-9)
    out = _cleared(disparity, everyone)
    for inside in people:
        out[inside] = _surface(disparity, inside, limit)[inside]
    return out


def _surface(disparity: np.ndarray, inside: np.ndarray, limit: float) -> np.ndarray:
    """Carry the inner disparity to the outline, then hold the relief soft."""
    core = _shrunk(inside)
    known = core if core.any() else inside
    carried = np.where(known, disparity, _spread(disparity, known, 2 * RAMP_PX))
    smooth = _spread(carried, inside, WIDE * float(np.sqrt(inside.sum())))
    relief = carried - smooth
    return np.asarray(smooth + limit * np.tanh(relief / limit), np.float32)


def _cleared(disparity: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Carry the background to the people's outline: it has a ramp there too.

    Only what is nearer than the background becomes background; what people stand on stays.
    """
    import cv2

    grown = cv2.dilate(people.astype(np.uint8), _disc()) > 0
    ramp = grown & ~people
    behind = _spread(disparity, ~grown, 2 * RAMP_PX)
    return np.where(ramp, np.minimum(disparity, behind), disparity).astype(np.float32)


def _spread(values: np.ndarray, known: Bool[np.ndarray, "h w"], sigma_px: float) -> np.ndarray:
    """Blur what is known into what is not. Source: Knutsson and Westin 1993, eq. 4."""
    import cv2

    weight = known.astype(np.float32) + np.float32(1e-6)
    total = cv2.GaussianBlur(values * weight, (0, 0), max(sigma_px, 0.5))
    return np.asarray(total / cv2.GaussianBlur(weight, (0, 0), max(sigma_px, 0.5)))


def _shrunk(mask: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(), borderValue=1) > 0)


def _disc() -> np.ndarray:
    import cv2

    size = 2 * RAMP_PX + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
