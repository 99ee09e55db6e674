"""estimate_depth: from a Photo to a DepthMap of the same size, with the photo's own edges.

Photo -> sRGB, 1536 px -> depth network -> disparity -> one surface for each person -> outlines
                       -> subject network -> person, salient ----------------------------^
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.augmentation_spread import spread_of
from pullfocus.depth.edges.upsample import enlarge, refine_to_edges
from pullfocus.depth.estimator import Estimator
from pullfocus.depth.flip_averaging import flip_averaged
from pullfocus.depth.normalise import to_disparity
from pullfocus.depth.registry import open_estimator
from pullfocus.depth.subjects.masks import find_masks
from pullfocus.depth.subjects.outline import refine_with_masks
from pullfocus.depth.subjects.surface import as_surfaces, sure_people
from pullfocus.depth.subjects.things import cut_things, sure_things
from pullfocus.types import DepthMap, Photo

WORKING_LONG_SIDE_PX = 1536
"""Longer side of the sRGB picture that networks look at."""


def estimate_depth(
    photo: Photo,
    model: str | Path | Estimator | None = None,
    *,
    refine: bool = True,
    uncertainty: bool = False,
) -> DepthMap:
    """Work out how near everything in a photo is, at the photo's full resolution.

    Order: the depth the photo carries (unless a model is given), then the embedded network.
    Relative disparity is scaled to 0..1; metric depth stays in 1/m. People are found by a network
    of their own, whatever the depth model; each becomes one surface that ends at the mask's outline
    (see `subjects`).

    Args:
        model: a name, Hugging Face id, folder, .onnx file (see `registry.find_card`) or an
            estimator of one's own.
        refine: snap depth edges to the photo's edges; False only enlarges the map.
        uncertainty: fill `DepthMap.uncertainty` (see `uncertainty`); costs five more runs of the
            network. Depth that the photo carries keeps its own, if any.

    Raises:
        MissingModelError: the weights or an optional package are not on this machine.
        UsageError, UnreadableInputError: a model that does not exist or cannot be read.
    """
    from pullfocus.photo import as_photo

    photo = as_photo(photo)  # arrays, Pillow images and files, too
    if model is None and photo.embedded_depth is not None:
        return align_to_photo(photo.embedded_depth, photo, refine=refine)
    is_name = model is None or isinstance(model, (str, Path))
    estimator = open_estimator(model) if is_name else model  # type: ignore[arg-type]
    return _estimated(photo, estimator, refine, uncertainty)  # type: ignore[arg-type]


def _estimated(photo: Photo, estimator: Estimator, refine: bool, uncertainty: bool) -> DepthMap:
    rgb = working_rgb(photo)
    raw = flip_averaged(estimator, rgb)
    disparity, kind = to_disparity(raw)
    spread = spread_of(estimator, rgb, disparity, kind) if uncertainty else None
    masks = find_masks(rgb)
    person = masks.person if raw.person is None else raw.person
    people = sure_people(disparity, person)
    things = sure_things(disparity, masks.salient, people)
    disparity = cut_things(as_surfaces(disparity, people), things)
    small = DepthMap(
        disparity, kind, spread, estimator.id, estimator.card.licence, person, masks.salient
    )
    if not refine:
        return _with_disparity(small, enlarge(disparity, photo.size_hw))
    size_hw = (masks.person.shape[0], masks.person.shape[1])
    anybody = np.maximum(enlarge(person, size_hw), masks.salient) if things else person
    full = refine_with_masks(disparity, [*people, *things], anybody, photo.linear)
    return _with_disparity(small, full)


def align_to_photo(depth: DepthMap, photo: Photo, *, refine: bool = True) -> DepthMap:
    """Bring a depth map of any resolution to the photo's size and, if asked, to its edges.

    A map that already has the photo's size is returned as it is.
    """
    if depth.size_hw == photo.size_hw:
        return depth
    return _at_photo_size(depth, photo, refine)


def working_rgb(photo: Photo) -> UInt8[np.ndarray, "h w 3"]:
    """Return the photo as sRGB uint8 with its longer side at most WORKING_LONG_SIDE_PX."""
    from pullfocus.photo.pixels import to_srgb8

    return to_srgb8(photo, WORKING_LONG_SIDE_PX)


def _at_photo_size(depth: DepthMap, photo: Photo, refine: bool) -> DepthMap:
    if refine:
        return _with_disparity(depth, refine_to_edges(depth.disparity, photo.linear))
    return _with_disparity(depth, enlarge(depth.disparity, photo.size_hw))


def _with_disparity(depth: DepthMap, full: Float32[np.ndarray, "h w"]) -> DepthMap:
    """Return the map with disparity of the photo's size, and its uncertainty enlarged to it."""
    spread = depth.uncertainty
    if spread is not None:
        spread = enlarge(spread, (full.shape[0], full.shape[1]))
    return replace(depth, disparity=full, uncertainty=spread)
