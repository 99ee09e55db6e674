"""What every network asks of its input: sides that its strides divide, colours it was taught on."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pullfocus.errors import UsageError
from pullfocus.networks.compact import IMAGENET_MEAN, IMAGENET_STD


def check_sides(image: Tensor, multiple: int) -> None:
    """Refuse an image b c h w whose sides are no multiples of what the strides divide by.

    Silent while a graph is traced: there the exporter's dimensions say the same.

    Raises:
        UsageError: a side is not a multiple; the sentence names the sides that would fit.
    """
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return
    height, width = image.shape[-2:]
    if height % multiple or width % multiple or not height or not width:
        fits = [multiple * max(1, round(side / multiple)) for side in (height, width)]
        raise UsageError(
            f"The network takes sides that are multiples of {multiple} px, not {height} x {width}; "
            f"resize the picture to {fits[0]} x {fits[1]}."
        )


class Standardise(nn.Module):
    """Shift and scale RGB in 0..1 to what a backbone was taught on; b 3 h w kept.

    Source: the default is the mean and deviation of ImageNet's training pictures.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: tuple[float, float, float] = IMAGENET_MEAN,
        std: tuple[float, float, float] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """Map RGB in 0..1 to about -2..2."""
        return (image - self.mean) / self.std
