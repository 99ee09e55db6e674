"""What a depth file says, before it becomes a DepthMap; and the words that files say it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pullfocus.types import DepthKind, DepthMap

PREFIX = "pullfocus:"
_UNITS = {"metric": "1/m", "relative": "relative, 1 = nearest"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the numbers of a depth file are.

    quantity: "disparity" grows towards the camera, "depth" away from it.
    metres: m (depth) or 1/m (disparity) for one stored unit; None: relative, of no unit.
    words: the same for people.
    relative: what relative depth is: "affine" is known up to scale and shift, "ratio" up to a
        scale, "turned" is 1 - disparity.
    """

    quantity: Literal["disparity", "depth"]
    metres: float | None
    words: str
    relative: Literal["affine", "ratio", "turned"] = "affine"


DISPARITY = Meaning("disparity", None, "relative disparity, bright or large = near")
METRES = Meaning("depth", 1.0, "depth in metres")
MILLIMETRES = Meaning("depth", 0.001, "depth in mm")
PER_METRE = Meaning("disparity", 1.0, "disparity in 1/m")
RELATIVE_DEPTH = Meaning("depth", None, "relative depth, dark or small = near")
DARK_NEAR = Meaning("depth", None, "relative disparity turned round, dark = near", "turned")
"""8-bit pictures with dark = near, as Google's Lens Blur writes: 1 - grey is the disparity."""


@dataclass(frozen=True, slots=True)
class RawDepth:
    """The numbers of a depth file and what the file says about them.

    values: float32 (h, w), as stored (integer codes too); NaN = unknown, +inf = no end.
    bits: 8 or 16 for integer codes (16 for wider ones too), 0 for floats.
    label: which part of the file it is, for people: "array depth", "channel V".
    meaning: what the file says the numbers are; None where it says nothing.
    likely: what such files mostly hold, where it says nothing and nobody can tell.
    kind: set only by files of this program, whose values are final.
    inf_unknown: infinity means unknown, as in Middlebury's PFM, not far away.
    """

    values: np.ndarray
    bits: Literal[0, 8, 16] = 0
    label: str = "depth"
    meaning: Meaning | None = None
    likely: Literal["disparity", "depth"] | None = None
    kind: DepthKind | None = None
    uncertainty: np.ndarray | None = None
    source: str | None = None
    licence: str | None = None
    inf_unknown: bool = False


def describe(depth: DepthMap) -> dict[str, str]:
    """Say kind, units, polarity, near, far and source of a depth map in words for a file.

    `near` and `far` are disparities in `units`; metric maps also say them as distances.
    """
    far, near = float(depth.disparity.min()), float(depth.disparity.max())
    said = {
        "kind": depth.kind,
        "quantity": "disparity, larger = nearer",
        "units": _UNITS[depth.kind],
        "near": repr(near),
        "far": repr(far),
        "source": depth.source.encode(errors="replace").decode(),  # names of files may be no UTF-8
    }
    if depth.kind == "metric":
        said["near_m"] = f"{1 / near:.6g}" if near > 0 else "inf"
        said["far_m"] = f"{1 / far:.6g}" if far > 0 else "inf"
    if depth.licence:
        said["licence"] = depth.licence
    return {PREFIX + name: value for name, value in said.items()}


def kind_of(said: Mapping[str, object]) -> DepthKind | None:
    """Return the kind that a file of this program states, None for other files."""
    kind = said.get(PREFIX + "kind")
    if kind == "metric":
        return "metric"
    return "relative" if kind == "relative" else None


def text_of(said: Mapping[str, object], name: str) -> str | None:
    """Return one of our texts, None if absent or empty."""
    value = said.get(PREFIX + name)
    return value if isinstance(value, str) and value else None
