"""The U-Nets of the CS231N project: the plain one, and the one with a ResNet34 encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.input_checks import Standardise
from pullfocus.networks.resnet import resnet34


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


class ResNetUNet(nn.Module):
    """Inverse depth at half size: ResNet34 encoder, four up blocks as in ``UNet``.

    The encoder starts at random; ``networks.pretrained.load_resnet`` puts ImageNet weights in.

    Convention: input b 3 h w RGB in 0..1, sides >= 32 px; output b 1 ceil(h/2) ceil(w/2),
    unbounded, taught as ``max_depth / depth`` (larger = nearer).

    Source: Gulve and Gupta, Monocular depth estimation (CS231N), "Resnet 34 architecture"; half
    size as in Alhashim and Wonka 2018, section 3.1.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (256, 128, 64, 32), thin: int = 1
    ) -> None:
        """Take the channels on the way up and what to divide those of the encoder by."""
        super().__init__()
        self.standardise = Standardise()
        self.encoder = resnet34(thin)
        stem, _, *stages = self.encoder.channels
        coarse_first = [*stages[-2::-1], stem]
        self.up = SkipDecoder(stages[-1], coarse_first, widths)
        self.out = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h/2 w/2"]:
        """Return inverse depth at half the size of the image."""
        stem, _, *stages = self.encoder(self.standardise(image))
        return self.out(self.up(stages[-1], [*stages[-2::-1], stem]))
