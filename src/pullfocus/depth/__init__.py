"""Depth: the second step of the line, from a Photo to a DepthMap.

    Photo -> working_rgb -> Estimator.estimate -> RawDepth -> to_disparity -+-> outline -> DepthMap
                         -> subjects.find_masks -> person, salient ----------+

`registry` knows every model by name; `align_to_photo` fits depth from elsewhere to a photo.
Importing this package loads no network library.
"""

from __future__ import annotations

from pullfocus.depth.card import ModelCard, Preprocessing
from pullfocus.depth.depth_of_file import load_depth_of
from pullfocus.depth.estimate import align_to_photo, estimate_depth
from pullfocus.depth.estimator import Estimator, RawDepth
from pullfocus.depth.registry import EMBEDDED, find_card, models, open_estimator

__all__ = [
    "EMBEDDED",
    "Estimator",
    "ModelCard",
    "Preprocessing",
    "RawDepth",
    "align_to_photo",
    "estimate_depth",
    "find_card",
    "load_depth_of",
    "models",
    "open_estimator",
]
