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
class RawDepth:
    """Values and their meaning: disparity, distances in metres, or a grey picture 0..1.

    kind: None where the file does not say. assumed: what had to be assumed, for people.
    broken: values that the decoder has already replaced because they were no numbers.
    """

    values: np.ndarray
    meaning: Literal["disparity", "depth_m", "picture"] = "disparity"
    kind: DepthKind | None = None
    uncertainty: np.ndarray | None = None
    source: str | None = None
    licence: str | None = None
    assumed: str = ""
    broken: int = 0


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


def same_aspect(depth_hw: tuple[int, int], photo_hw: tuple[int, int]) -> bool:
    """Tell whether a depth map can be of a photo: its aspect agrees within 2 %, or one pixel."""
    (h, w), (height, width) = depth_hw, photo_hw
    return abs(h / w / (height / width) - 1) <= 0.02 + 1.0 / min(h, w)
