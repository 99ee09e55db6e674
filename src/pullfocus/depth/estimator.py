"""The one protocol behind which every depth model stands: a picture in, raw depth out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.card import ModelCard, OutputKind


@dataclass(frozen=True, slots=True, eq=False)
class RawDepth:
    """What a network said, at its own resolution and in its own meaning.

    values: float32 (h, w), finite. kind: what they mean; "disparity" is larger = nearer, "depth"
        larger = farther; "metric" is 1/m or m.
    person: float32 of any (h, w), 0..1, the probability that a person is seen there; None where
        the network does not look for people.

    Convention: covers the same field of view as the picture that was given, origin top left.
    """

    values: Float32[np.ndarray, "h w"]
    kind: OutputKind
    person: Float32[np.ndarray, "ph pw"] | None = None


@runtime_checkable
class Estimator(Protocol):
    """A depth model that is ready to look at pictures."""

    @property
    def id(self) -> str:
        """The name that `--model` takes."""
        ...

    @property
    def card(self) -> ModelCard:
        """Licence, output kind, preprocessing."""
        ...

    def estimate(self, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
        """Estimate depth of an upright sRGB-encoded uint8 picture of any size.

        The network chooses its own size by its card's preprocessing.
        """
        ...
