"""The depth file of a photo: read it, and let the photo decide what the file does not say."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from pullfocus.depth.estimate import working_rgb
from pullfocus.depth.normalise import unscaled_disparity
from pullfocus.depth.registry import open_estimator
from pullfocus.depth_rules import check_aspect
from pullfocus.depthmap.files import load_depth
from pullfocus.depthmap.meaning import Near, Unit
from pullfocus.errors import MissingModelError
from pullfocus.photo.source import MAX_MEGAPIXELS, PhotoSource
from pullfocus.types import DepthMap, Photo

LEAST_LIMIT_MEGAPIXELS = 50.0
"""Depth maps of this size are read with any photo."""


def load_depth_of(
    photo: Photo,
    path: PhotoSource,
    *,
    near: Near | None = None,
    unit: Unit | None = None,
    scale: float | None = None,
    name: str | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> DepthMap:
    """Read a depth file that belongs to a photo, at the file's own resolution.

    A map of more than LEAST_LIMIT_MEGAPIXELS and four times the photo's pixels is refused before
    it is unpacked. All else is as in `photo.depth_file.load_depth`, but where neither the person
    nor the file says what the numbers are, the embedded network looks at the photo, and the order
    that it sees decides.

    Raises:
        UnreadableInputError, UsageError, MissingModelError: see `load_depth`; or the file has
            another aspect than the photo.
    """
    depth = load_depth(
        path,
        near=near,
        unit=unit,
        scale=scale,
        order=lambda: order_seen(photo),
        name=name,
        max_megapixels=min(max_megapixels, max(LEAST_LIMIT_MEGAPIXELS, 4 * photo.megapixels)),
    )
    check_aspect(depth.size_hw, photo.size_hw, depth.source)
    return depth


def order_seen(photo: Photo) -> Float32[np.ndarray, "h w"] | None:
    """Return what the embedded network sees in a photo, at its own size; None without weights.

    Convention: larger = nearer; only the order counts.
    """
    try:
        estimator = open_estimator(None)
    except MissingModelError:
        return None
    return unscaled_disparity(estimator.estimate(working_rgb(photo)))[0]
