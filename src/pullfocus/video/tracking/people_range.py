"""Everybody in sight kept sharp: the near and the far end of all people, steady over time.

depth, person mask -> each person's ends --+
frame -> faces that the mask lacks --------+-> envelope: opens quickly, closes slowly -> ends
"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp

import numpy as np
from jaxtyping import UInt8

from pullfocus.focus.faces import find_faces
from pullfocus.focus.subject_shape import oval, shaped
from pullfocus.types import DepthMap
from pullfocus.video.tracking.boxes import people_masks

Ends = tuple[float, float]
OPENS_S, CLOSES_S = 0.12, 2.0
"""Time in which the range opens for somebody, and closes again: who is missed for a few frames
stays sharp, and the trembling of an estimate is covered rather than followed."""
LOOK_FOR_FACES_S = 0.5
"""Faces are looked for so seldom: the range has not closed much in between."""
MOST_OF = (0.05, 0.95)
"""Quantiles of a person's disparity between which everything is kept sharp."""
KNOWN_FACE = 0.5
"""Share of a face that must lie in the person mask for the mask to speak for it."""


class Everyone:
    """The range that holds every person of the frames so far."""

    def __init__(self) -> None:
        self._ends: Ends | None = None
        self._time_s = 0.0
        self._faces: list[Ends] = []
        self._look_again_s = -np.inf

    def ends(
        self,
        rgb: UInt8[np.ndarray, "h w 3"],
        depth: DepthMap,
        plane: float,
        time_s: float,
        cut: bool,
    ) -> Ends:
        """Return near and far disparity for the next frame; `plane`, in focus, lies between."""
        people = people_masks(depth)
        there = [_ends_of(depth.disparity[mask]) for mask in people]
        if cut or time_s >= self._look_again_s:
            self._look_again_s = time_s + LOOK_FOR_FACES_S
            self._faces = list(_unmasked_faces(rgb, depth, people))
        there += [*self._faces, (plane, plane)]
        goal = max(near for near, _ in there), min(far for _, far in there)
        if self._ends is None or cut:
            self._ends = goal
        else:
            elapsed_s = time_s - self._time_s
            near, far = self._ends
            self._ends = _towards(near, goal[0], elapsed_s), -_towards(-far, -goal[1], elapsed_s)
        self._time_s = time_s
        return self._ends


def _towards(now: float, goal: float, elapsed_s: float) -> float:
    """Go outwards (up) quickly, inwards slowly."""
    settling_s = OPENS_S if goal > now else CLOSES_S
    return now + (1 - exp(-max(elapsed_s, 0.0) / settling_s)) * (goal - now)


def _unmasked_faces(rgb: np.ndarray, depth: DepthMap, masks: list[np.ndarray]) -> Iterator[Ends]:
    """Yield the ends of faces whose people no mask shows."""
    known = np.logical_or.reduce(masks) if masks else np.zeros(depth.size_hw, bool)
    for face in find_faces(rgb):
        inside = oval(face.box, depth.size_hw)
        if known[inside].mean() < KNOWN_FACE:
            found = shaped("person", inside, depth.disparity, face)
            yield found.near_disparity, found.far_disparity


def _ends_of(values: np.ndarray) -> Ends:
    far, near = np.quantile(values, MOST_OF)
    return float(near), float(far)
