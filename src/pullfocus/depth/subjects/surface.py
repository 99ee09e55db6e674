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

from pullfocus.depth.subjects.instances import SURE, masks_of_people

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
UPRIGHT = 1.5
"""Height, in widths, from which a person stands or sits upright, all of it about as far away;
networks lean it: the head to the background, the feet to the ground before them."""
NEARER = 0.75
"""Quantile of their disparity at which upright people stand: that of the torso, or below it."""
FINE_PX = 6
"""Blur, in pixels of the picture on which it is made: a wider one is made on a smaller picture."""
STILL_SURE = 0.6
"""Mean probability in a patch of the mask that is enough where somebody was sure to be before."""


def sure_people(
    disparity: Float32[np.ndarray, "h w"],
    person: Float32[np.ndarray, "a b"],
    before: Bool[np.ndarray, "h w"] | None = None,
) -> list[Bool[np.ndarray, "h w"]]:
    """Return the masks of the people that the network is sure of, the largest first.

    before: where, in a video, people were sure to be a moment ago: there less is enough, so that
    nobody comes and goes from frame to frame.
    """
    from pullfocus.depth.edges.upsample import enlarge

    person = enlarge(person, (disparity.shape[0], disparity.shape[1]))

    def is_sure(patch: np.ndarray) -> bool:
        known = before is not None and bool(before[patch].mean() > 0.5)
        return bool(person[patch].mean() >= (STILL_SURE if known else SURE))

    return [patch for patch in masks_of_people(person, disparity) if is_sure(patch)]


def as_surfaces(
    disparity: Float32[np.ndarray, "h w"], people: list[Bool[np.ndarray, "h w"]]
) -> Float32[np.ndarray, "h w"]:
    """Make each of these people one surface, and carry the background to their outlines."""
    everyone = np.logical_or.reduce(people, axis=0) if people else np.zeros(disparity.shape, bool)
    if not everyone.any() or everyone.mean() > LARGEST_SHARE:
        return disparity
    limit = SOFT * max(float(np.ptp(disparity)), 1e-9)
    out = _cleared(disparity, everyone)
    for inside in people:
        out[inside] = _surface(disparity, inside, limit)[inside]
    return out


def carried_from(
    disparity: Float32[np.ndarray, "h w"], known: Bool[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Blur what is known of a map some pixels beyond where it is known."""
    return np.asarray(_spread(disparity, known, 2 * RAMP_PX, RAMP_PX), np.float32)


def _surface(disparity: np.ndarray, inside: np.ndarray, limit: float) -> np.ndarray:
    """Carry the inner disparity to the outline, set it upright, then hold the relief soft."""
    core = shrunk_by_ramp(inside)
    known = core if core.any() else inside
    beyond = _spread(disparity, known, 2 * RAMP_PX)
    rim = known & ~shrunk_by_ramp(known)  # a wide ramp ends here: no groove beside what is carried
    carried = np.where(known, np.where(rim, np.maximum(disparity, beyond), disparity), beyond)
    if _is_upright(inside):
        level: np.ndarray | float = float(np.quantile(disparity[known], NEARER))
        flat = _lean(disparity, known)
    else:
        level = flat = _spread(carried, inside, WIDE * float(np.sqrt(inside.sum())))
    return np.asarray(level + limit * np.tanh((carried - flat) / limit), np.float32)


def _is_upright(inside: np.ndarray) -> bool:
    height, width = np.count_nonzero(inside.any(axis=1)), np.count_nonzero(inside.any(axis=0))
    return bool(height >= UPRIGHT * width)


def _lean(disparity: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the line from head to feet that fits the disparity inside, one value a row."""
    rows = np.nonzero(inside)[0]
    if np.ptp(rows) == 0:
        return np.full((len(disparity), 1), disparity[inside].mean())
    line = np.polynomial.Polynomial.fit(rows, disparity[inside], 1)
    return np.asarray(line(np.arange(len(disparity)))[:, None])


def _cleared(disparity: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Carry the background to the people's outline: it has a ramp there too.

    Only what is nearer than the background becomes background; what people stand on stays.
    """
    grown = grown_by_ramp(people)
    ramp = grown & ~people
    behind = _spread(disparity, ~grown, 2 * RAMP_PX)
    return np.where(ramp, np.minimum(disparity, behind), disparity).astype(np.float32)


def _spread(
    values: np.ndarray, known: Bool[np.ndarray, "h w"], sigma_px: float, fine_px: float = FINE_PX
) -> np.ndarray:
    """Blur what is known into what is not; on a picture so small that the blur has `fine_px`.

    Source: Knutsson and Westin 1993, eq. 4.
    """
    import cv2

    weight = known.astype(np.float32) + np.float32(1e-6)
    both = np.dstack([values * weight, weight])
    h, w = values.shape
    step = max(1, min(int(sigma_px / fine_px), h, w))
    small = cv2.resize(both, (-(-w // step), -(-h // step)), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(sigma_px / step, 0.5)), (w, h))
    return np.asarray(blurred[..., 0] / blurred[..., 1])


def grown_by_ramp(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return the mask and all within RAMP_PX of it."""
    import cv2

    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc()) > 0)


def shrunk_by_ramp(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return the mask without what lies within RAMP_PX of its outline."""
    import cv2

    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(), borderValue=1) > 0)


def _disc() -> np.ndarray:
    import cv2

    size = 2 * RAMP_PX + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
