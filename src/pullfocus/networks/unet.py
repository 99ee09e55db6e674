"""The plain U-Net of the CS231N project, and the decoder its transfer-learning sibling shares."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


def conv_leaky(c_in: int, c_out: int, norm: bool = True) -> nn.Sequential:
    """Return 3x3 convolution, leaky ReLU and (optionally) batch norm; b c h w -> b d h w."""
    layers: list[nn.Module] = [nn.Conv2d(c_in, c_out, 3, padding=1), nn.LeakyReLU(0.2)]
    if norm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers)


def pair(c_in: int, c_out: int) -> nn.Sequential:
    """Return two ``conv_leaky`` in a row; b c h w -> b d h w."""
    return nn.Sequential(conv_leaky(c_in, c_out), conv_leaky(c_out, c_out))


class SkipDecoder(nn.Module):
    """From the coarsest features up to the finest skip: upsample, join, convolve twice.

    Upsampling goes to the skip's own size, so that odd sides (15 of 240 / 16) are fine.
    """

    def __init__(self, c_in: int, skips: Sequence[int], widths: Sequence[int]) -> None:
        """Take the channels of skips and of each step's output, coarsest first."""
        super().__init__()
        self.steps = nn.ModuleList()
        for c_skip, width in zip(skips, widths, strict=True):
            self.steps.append(pair(c_in + c_skip, width))
            c_in = width

    def forward(self, x: Float[Tensor, "b c h w"], skips: Sequence[Tensor]) -> Tensor:
        """Map the coarsest features and the skips, coarsest first, to b d H W of the last skip."""
        for step, skip in zip(self.steps, skips, strict=True):
            up = functional.interpolate(x, size=skip.shape[-2:], mode="bilinear")
            x = step(torch.cat([up, skip], 1))
        return x


class UNet(nn.Module):
    """Inverse depth from one picture through four down blocks, a bottleneck, four up blocks.

    Convention: input b 3 h w RGB in 0..1, sides >= 16 px; output b 1 h w at full size, unbounded,
    taught as ``max_depth / depth`` (larger = nearer).

    Source: Gulve and Gupta, Monocular depth estimation (CS231N), "Model 1"; the slides leave the
    channels open, these are Ronneberger et al. 2015, U-Net, figure 1.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (64, 128, 256, 512)) -> None:
        super().__init__()
        c_ins = (3, *widths[:-1])
        self.down = nn.ModuleList(pair(c, d) for c, d in zip(c_ins, widths, strict=True))
        self.bottleneck = conv_leaky(widths[-1], 2 * widths[-1], norm=False)
        coarse_first = widths[::-1]
        self.up = SkipDecoder(2 * widths[-1], coarse_first, coarse_first)
        self.out = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
        """Return inverse depth at the size of the image."""
        skips: list[Tensor] = []
        x = image
        for down in self.down:
            skips.insert(0, down(x))
            x = functional.max_pool2d(skips[0], 2)
        return self.out(self.up(self.bottleneck(x), skips))
