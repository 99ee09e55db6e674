"""Disparity of both views from one: the network that learns from stereo pairs alone.

image -> encoder 1/2 .. 1/64 or 1/128 -> up, join the skip (and the coarser answer) -> ... -> 1/1
                                                      | at 1/8, 1/4, 1/2, 1/1
                                                      left and right disparity
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.errors import UsageError
from pullfocus.networks.input_checks import check_sides
from pullfocus.networks.resnet import ResNet, normalised, plain

Encoder = Literal["vgg", "resnet50"]

DECODER_WIDTHS = (512, 512, 256, 128, 64, 32, 16)
"""Channels on the way up, to 1/64 .. 1/1; the ResNet50 starts at its second.

Source: Godard et al. 2017, supplementary material, table 1.
"""
LARGEST_DISPARITY = 0.3
"""In units of image width. Source: Godard et al. 2017, section 4.1."""


def conv_elu(c_in: int, c_out: int, size: int, stride: int, norm: bool = False) -> nn.Sequential:
    """Return a convolution with bias, or with batch norm, and ELU; b c h w -> b d h/s w/s."""
    conv = normalised if norm else plain
    return nn.Sequential(conv(c_in, c_out, size, stride), nn.ELU())


class VggEncoder(nn.Module):
    """Seven pairs of convolutions, each pair halving the sides.

    Source: Godard et al. 2017, supplementary material, table 1; the second of a pair strides.
    """

    def __init__(self, c_in: int, thin: int = 1, norm: bool = False) -> None:
        """Take the input's channels, what to divide all others by, and whether to normalise."""
        super().__init__()
        self.channels = [width // thin for width in (32, 64, 128, 256, 512, 512, 512)]
        self.pairs = nn.ModuleList()
        for c_out, size in zip(self.channels, (7, 5, 3, 3, 3, 3, 3), strict=True):
            first = conv_elu(c_in, c_out, size, 1, norm)
            second = conv_elu(c_out, c_out, size, 2, norm)
            self.pairs.append(nn.Sequential(first, second))
            c_in = c_out

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """Return features at 1/2 .. 1/128."""
        features: list[Tensor] = []
        for pair in self.pairs:
            features.append(pair(features[-1] if features else image))
        return features


def encoder_of(name: Encoder, c_in: int, thin: int = 1, norm: bool = False) -> VggEncoder | ResNet:
    """Return the encoder of that name; only the VGG can be thinned.

    The ResNet50 has no norms, ELU, and every stage halves in its last block, as in the authors'
    release; shortcuts are projected only where the shape changes. (The release projects in every
    block by a slip, mrharicot/monodepth issue 77, and so counts 58.45 M where the paper says 48.)
    """
    if name == "vgg":
        return VggEncoder(c_in, thin, norm)
    if thin != 1:
        raise UsageError(f"Only the encoder vgg can be thinned, not {name}; leave thin at 1.")
    counts = (3, 4, 6, 3)
    return ResNet(
        "bottleneck",
        counts,
        conv=normalised if norm else plain,
        act=nn.ELU,
        strides=(2, 2, 2, 2),
        stride_last=True,
        c_in=c_in,
    )


class UpStep(nn.Module):
    """Double by nearest neighbour, convolve, join, convolve."""

    def __init__(self, c_in: int, c_joined: int, c_out: int, norm: bool = False) -> None:
        super().__init__()
        self.up = conv_elu(c_in, c_out, 3, 1, norm)
        self.join = conv_elu(c_out + c_joined, c_out, 3, 1, norm)

    def forward(
        self, x: Float[Tensor, "b c h w"], joined: Sequence[Tensor]
    ) -> Float[Tensor, "b d 2*h 2*w"]:
        """Map b c h w and what is joined at the doubled size to b d 2h 2w."""
        up = self.up(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.join(torch.cat([up, *joined], 1))


class Trunk(nn.Module):
    """Encoder, decoder and heads at the finest ``scales`` levels, each told the coarser answer."""

    def __init__(
        self,
        encoder: Encoder,
        c_in: int,
        scales: int,
        c_head: int,
        squash: Callable[[Tensor], Tensor],
        thin: int = 1,
        norm: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder_of(encoder, c_in, thin, norm)
        self.squash = squash
        skips = [*reversed(self.encoder.channels[:-1]), 0]
        self.multiple = 2 ** len(skips)
        widths = [width // thin for width in DECODER_WIDTHS[-len(skips) :]]
        self.first_head = len(skips) - scales
        self.steps, self.heads = nn.ModuleList(), nn.ModuleList()
        c_up = self.encoder.channels[-1]
        for level, (c_skip, width) in enumerate(zip(skips, widths, strict=True)):
            told = c_head if level > self.first_head else 0
            self.steps.append(UpStep(c_up, c_skip + told, width, norm))
            if level >= self.first_head:
                self.heads.append(plain(width, c_head, 3, 1))
            c_up = width
        self.apply(_start)

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """Return the heads' squashed answers, finest first: b k h/2^s w/2^s."""
        check_sides(image, self.multiple)
        features = self.encoder(image)
        x, answers = features.pop(), list[Tensor]()
        for level, step in enumerate(self.steps):
            joined = [features.pop()] if features else []
            if answers:
                joined.append(functional.interpolate(answers[0], scale_factor=2.0, mode="nearest"))
            x = step(x, joined)
            if level >= self.first_head:
                answers.insert(0, self.squash(self.heads[level - self.first_head](x)))
        return answers


def _start(module: nn.Module) -> None:
    """Draw kernels by Glorot's rule, as the authors did: ELU without norms learns from it."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _to_disparity(x: Tensor) -> Tensor:
    return LARGEST_DISPARITY * torch.sigmoid(x)


class Monodepth(nn.Module):
    """Left and right disparity at four scales, from the left view or from both.

    31.60 M parameters with "vgg", 49.47 M with "resnet50". The paper's "No LR" variant is this
    network with another loss (``lab.losses.stereo``).

    Convention: input b 3 h w RGB in 0..1, or b 6 h w (left, then right) with ``stereo_input``;
    sides are multiples of 128 ("vgg") or 64 ("resnet50"). Output channels are (left, right)
    disparity in units of image width, 0..0.3, larger = nearer: a point at x in the left view
    stands at x - d w in the right one.

    Raises:
        UsageError: the sides are no such multiples.

    Source: Godard et al. 2017, Unsupervised monocular depth estimation with left-right consistency.
    """

    def __init__(
        self,
        encoder: Encoder = "vgg",
        stereo_input: bool = False,
        thin: int = 1,
        norm: bool = False,
        begin: float = LARGEST_DISPARITY / 2,
    ) -> None:
        """Lay the network.

        Args:
            encoder: the paper's VGG or ResNet50.
            stereo_input: see both views.
            thin: divides all widths of the VGG, for runs on a few cores.
            norm: batch norm after every convolution. The paper tried it and left it out; a thin
                network without it gives all pictures one answer for its first thousand steps.
            begin: disparity that the fresh network answers with, about.
        """
        super().__init__()
        self.trunk = Trunk(encoder, 6 if stereo_input else 3, 4, 2, _to_disparity, thin, norm)
        for head in self.trunk.heads:
            if isinstance(head, nn.Conv2d) and head.bias is not None:
                nn.init.constant_(head.bias, math.log(begin / (LARGEST_DISPARITY - begin)))

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """Return four tensors b 2 h/2^s w/2^s, finest first."""
        return self.trunk(image)
