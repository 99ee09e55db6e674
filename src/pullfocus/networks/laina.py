"""Depth by up-projection on a ResNet50: the supervised baseline of the literature."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pullfocus.networks.blocks import ConvNorm
from pullfocus.networks.input_checks import Standardise
from pullfocus.networks.resnet import resnet50


def unpool(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 2*h 2*w"]:
    """Double both sides: each value to the top left of its 2x2 cell, zeros elsewhere.

    Source: Laina et al. 2016, figure 2.
    """
    b, c, h, w = x.shape
    corner = torch.zeros(2, 2, dtype=x.dtype, device=x.device)
    corner[0, 0] = 1
    cells = x[:, :, :, None, :, None] * corner[:, None, :]
    return cells.reshape(b, c, 2 * h, 2 * w)


class UpBlock(nn.Module):
    """Unpool, then 5x5 and 3x3 convolutions beside a projecting 5x5 convolution.

    Source: Laina et al. 2016, figure 2 (c); its fast form (d) computes the same values.
    """

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvNorm(c_in, c_out, 5), ConvNorm(c_out, c_out, act=False))
        self.project = ConvNorm(c_in, c_out, 5, act=False)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d 2*h 2*w"]:
        """Map b c h w to b d 2h 2w, non-negative."""
        wide = unpool(x)
        return torch.relu(self.body(wide) + self.project(wide))


class UpProjection(nn.Module):
    """Depth at half size: ResNet50, 1x1 to 1024 channels, four up-projections.

    63.6 M parameters. The encoder starts at random; ``networks.pretrained.load_resnet`` puts
    ImageNet weights in. The last ReLU of the paper is a softplus here: a net that starts below
    zero everywhere still learns, and depth stays positive.

    Convention: input b 3 h w RGB in 0..1; output b 1 16*ceil(h/32) 16*ceil(w/32) (half size for
    multiples of 32), > 0, metres when taught with metres.

    Source: Laina et al. 2016, Deeper depth prediction with fully convolutional residual networks.
    """

    def __init__(self, width: int = 1024, thin: int = 1) -> None:
        """Lay the network.

        Args:
            width: channels that the way up begins with, halved at every step.
            thin: divides the widths of the encoder, for runs on a few cores.
        """
        super().__init__()
        self.standardise = Standardise()
        self.encoder = resnet50(thin)
        self.narrow = ConvNorm(self.encoder.channels[-1], width, 1, act=False)
        self.up = nn.Sequential(*(UpBlock(width >> n, width >> (n + 1)) for n in range(4)))
        last = nn.Conv2d(width >> 4, 1, 3, padding=1)
        self.out = nn.Sequential(nn.Dropout(0.5), last, nn.Softplus())

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h/2 w/2"]:
        """Return depth at half the size of the image."""
        features = self.encoder(self.standardise(image))
        return self.out(self.up(self.narrow(features[-1])))
