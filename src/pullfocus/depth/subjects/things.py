"""Pets and objects: what the network calls salient, beside people, ends at its mask's outline too.

    salient, people, disparity -> sure_things -> masks -> cut_things -> a step instead of a ramp

Unlike people (see `surface`) things keep the relief that the depth network gives them: they come in
all shapes, and lie, lean and recede. Only the ramp along their outline is taken off, and only where
it leads down from the thing: what lies in front of it stays in front.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.depth.subjects.instances import pieces_of
from pullfocus.depth.subjects.surface import (
    LARGEST_SHARE,
    carried_from,
    grown_by_ramp,
    shrunk_by_ramp,
)

SALIENT = 0.5
"""Probability from which a pixel belongs to a thing."""
SURE = 0.8
"""Mean probability of a region below which it is none: in rooms and landscapes it is patchy."""
SMALLEST_SHARE = 0.01
"""Share of the picture below which a region is none."""
STEP = 0.04
"""How much nearer than its surroundings a thing must be, as a share of the map's range."""

Mask = Bool[np.ndarray, "h w"]
Map = Float32[np.ndarray, "h w"]


def sure_things(
    disparity: Map, salient: Float32[np.ndarray, "a b"], people: list[Mask]
) -> list[Mask]:
    """Return the masks of salient things that stand out in depth, without people.

    salient: probability 0..1 of the same picture, of any size. people: masks on disparity's grid.
    """
    from pullfocus.depth.edges.upsample import enlarge

    salient = enlarge(salient, (disparity.shape[0], disparity.shape[1]))
    mask = salient > SALIENT
    for one in people:
        mask &= ~grown_by_ramp(one)
    found = pieces_of(mask, SMALLEST_SHARE)
    return [one for one in found if _is_thing(one, salient, disparity)]


def _is_thing(mask: Mask, salient: Map, disparity: Map) -> bool:
    if salient[mask].mean() < SURE or mask.mean() > LARGEST_SHARE:
        return False
    core, around = shrunk_by_ramp(mask), ~grown_by_ramp(mask)
    near = grown_by_ramp(grown_by_ramp(grown_by_ramp(mask))) & around
    if not core.any() or not near.any():
        return False
    step = float(np.median(disparity[core])) - float(np.median(disparity[near]))
    return step > STEP * float(np.ptp(disparity))


def cut_things(disparity: Map, things: list[Mask]) -> Map:
    """Replace the ramp along the outline of each thing by a step on it."""
    out = disparity
    for thing in things:
        core, grown = shrunk_by_ramp(thing), grown_by_ramp(thing)
        if not core.any() or grown.all():
            continue
        inside = np.maximum(out, carried_from(out, core))
        outside = np.minimum(out, carried_from(out, ~grown))
        out = np.where(thing & ~core, inside, np.where(grown & ~thing, outside, out))
    return out.astype(np.float32, copy=False)
