"""GDepth: the depth map that Google's cameras write into the XMP of a JPEG.

Source: Google Depthmap Metadata (2014). Samples run from 0 = near to 1 = far:
    RangeInverse   z = far near / (far - d (far - near))     so 1/z is linear in d
    RangeLinear    z = near + d (far - near)
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from pullfocus.depth_rules import NEAREST_M
from pullfocus.photo.embedded.grey_image import decode_grey
from pullfocus.photo.metadata import xmp
from pullfocus.types import DepthMap

_METRES = {"m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "mm": 0.001}


@dataclass(frozen=True, slots=True)
class GDepth:
    """The properties of a depth map in XMP; `data` is the encoded picture (PNG or JPEG)."""

    format: Literal["RangeInverse", "RangeLinear"]
    near: float
    far: float
    units: str | None
    data: bytes


def read_gdepth(packet: bytes | None, extended: bytes | None = None) -> GDepth | None:
    """Find a depth map in an XMP packet and its extension; None if there is none that is usable."""
    fields = xmp.properties(extended, xmp.GDEPTH) | xmp.properties(packet, xmp.GDEPTH)
    form = fields.get("Format", "RangeInverse")
    try:
        near, far = float(fields["Near"]), float(fields["Far"])
        data = base64.b64decode(fields["Data"])
    except (KeyError, ValueError, binascii.Error):
        return None
    sound = 0 < near < far and (math.isfinite(far) or form == "RangeInverse") and near < math.inf
    if not sound or form not in ("RangeInverse", "RangeLinear"):
        return None
    return GDepth("RangeLinear" if form == "RangeLinear" else "RangeInverse", near, far,
                  fields.get("Units"), data)  # fmt: skip


def to_disparity(samples: Float32[np.ndarray, "h w"], found: GDepth) -> np.ndarray:
    """Turn samples 0..1 into 1 / (the unit of near and far); nearer is larger."""
    if found.format == "RangeInverse":
        near, far = 1.0 / found.near, 1.0 / found.far
        return (near - samples * np.float32(near - far)).astype(np.float32)
    return (1.0 / (found.near + samples * np.float32(found.far - found.near))).astype(np.float32)


def gdepth_to_depth_map(found: GDepth) -> DepthMap | None:
    """Decode to a depth map as the file stores it (not yet upright); None if it makes no sense.

    Metres or millimetres make it metric. Without units the distances are in a unit of their own:
    relative, scaled so that the nearest distance `near` is 1.
    """
    samples = decode_grey(found.data)
    if samples is None:
        return None
    disparity = to_disparity(samples, found)
    metres = _METRES.get((found.units or "").strip().lower())
    source = "the photo's own depth (GDepth)"
    if metres is None:
        return DepthMap(disparity=disparity * np.float32(found.near), source=source)
    if found.near * metres < NEAREST_M:
        return None
    return DepthMap(disparity=disparity / np.float32(metres), kind="metric", source=source)
