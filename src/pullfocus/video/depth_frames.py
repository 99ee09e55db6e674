"""Depth of every frame: the protocol behind which steadying stands, and the plain estimate."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth import Estimator
from pullfocus.depth.normalise import to_disparity


class FrameDepth(Protocol):
    """Something that is given every frame in turn and answers with its disparity."""

    @property
    def cut(self) -> bool:
        """Whether the last frame began a new shot."""
        ...

    def push(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Float32[np.ndarray, "a b"]:
        """Return the frame's disparity, 0..1 of the shot's scale, at the network's own size."""
        ...


class EachFrame:
    """Depth of every frame on its own; it flickers, and is what steadier depth is measured by."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self.cut = False

    def push(self, rgb: UInt8[np.ndarray, "h w 3"], time_s: float) -> Float32[np.ndarray, "a b"]:
        """Estimate one frame."""
        return to_disparity(self._estimator.estimate(rgb))[0]
