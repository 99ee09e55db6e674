"""What the engine trains: networks with their losses, as one module.

Losses are computed inside the module's forward, so that DDP sees one call a step however often the
networks inside are used (the dynamic-scenes system runs its depth net on both frames).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Batch = dict[str, Tensor]
"""Named tensors with a common first axis; pictures are b 3 h w float32 RGB in 0..1."""


@dataclass(frozen=True)
class DepthGraph:
    """The part of a system that answers one picture with depth, and what its file shall say.

    Attributes:
        net: module from ``image`` b 3 h w RGB 0..1 to one b 1 h w for each output.
        kind: of the first output, in the words of ``depth.onnx_card``.
        size_hw: height and width it was trained at.
        multiple: of which height and width must be.
        outputs: names; a second one, "person", is the probability of a person.
    """

    net: nn.Module
    kind: str
    size_hw: tuple[int, int]
    multiple: int
    outputs: tuple[str, ...] = ("depth",)


class System(nn.Module, ABC):
    """A trainable whole: ``forward`` returns the weighted terms whose sum is the loss."""

    def forward(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Return named scalar loss terms; they are computed in float32 whatever the precision."""
        prediction = self.predict(batch, step)
        with torch.autocast(_device(batch).type, enabled=False):
            return self.losses(_as_float32(prediction), batch, step)

    @abstractmethod
    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Run the networks; may be autocast to half precision."""

    @abstractmethod
    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the weighted loss terms of a prediction, scalars."""

    def run_as_used(self, batch: Batch, step: int) -> None:
        """Run the networks on training samples as they will be used, to measure norms.

        Overridden where training feeds the networks something that use does not.
        """
        self.predict(batch, step)

    @abstractmethod
    def scores(self, batch: Batch) -> dict[str, float]:
        """Measure a batch of held-out samples against truth where the batch holds it."""

    @abstractmethod
    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return h w 3 uint8 pictures of depth, motion or masks for people."""

    @abstractmethod
    def depth_graph(self) -> DepthGraph:
        """Return what ``lab export`` writes; raises UsageError where one picture is not enough."""


def _device(batch: Batch) -> torch.device:
    return next(iter(batch.values())).device


def _as_float32(value: Any) -> Any:
    """Return nested predictions with every half-precision tensor widened."""
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {name: _as_float32(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_float32(part) for part in value)
    return value
