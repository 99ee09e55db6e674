"""Residual encoders: one class lays ResNet34, ResNet50 and monodepth's norm-free ResNet50."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from pullfocus.networks.blocks import ConvNorm

Convolution = Callable[[int, int, int, int], nn.Module]
"""Makes a convolution without activation: channels in, channels out, size, stride."""


def normalised(c_in: int, c_out: int, size: int, stride: int) -> nn.Module:
    """Return a bias-free convolution with batch norm; b c h w -> b d h/s w/s."""
    return ConvNorm(c_in, c_out, size, stride, act=False)


def plain(c_in: int, c_out: int, size: int, stride: int) -> nn.Module:
    """Return a convolution with bias and no norm; b c h w -> b d h/s w/s."""
    return nn.Conv2d(c_in, c_out, size, stride, size // 2)


class Shortcut(nn.Module):
    """A body beside the identity, or beside a 1x1 projection where channels or stride change.

    Source: He et al. 2016, Deep residual learning, figure 5 and option B of section 4.1.
    """

    def __init__(
        self,
        widths: Sequence[int],
        sizes: Sequence[int],
        strides: Sequence[int],
        conv: Convolution,
        act: type[nn.Module],
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for (c_in, c_out), size, stride in zip(pairwise(widths), sizes, strides, strict=True):
            layers += [conv(c_in, c_out, size, stride), act()]
        self.body = nn.Sequential(*layers[:-1])
        self.act = act()
        stride = max(strides)
        same = stride == 1 and widths[0] == widths[-1]
        self.shortcut = nn.Identity() if same else conv(widths[0], widths[-1], 1, stride)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        """Map b c h w to b d h/s w/s."""
        return self.act(self.body(x) + self.shortcut(x))


Kind = Literal["basic", "bottleneck"]


def block(
    kind: Kind, c_in: int, width: int, stride: int, conv: Convolution, act: type[nn.Module]
) -> Shortcut:
    """Return one residual block: two 3x3 (basic), or 1x1, 3x3, 1x1 to four times the width."""
    if kind == "basic":
        return Shortcut((c_in, width, width), (3, 3), (stride, 1), conv, act)
    return Shortcut((c_in, width, width, 4 * width), (1, 3, 1), (1, stride, 1), conv, act)


class ResNet(nn.Module):
    """The encoder half of a residual network, as features at every stride.

    Source: He et al. 2016, Deep residual learning, table 1.
    """

    def __init__(
        self,
        kind: Kind,
        counts: tuple[int, int, int, int],
        *,
        conv: Convolution = normalised,
        act: type[nn.Module] = nn.ReLU,
        strides: tuple[int, int, int, int] = (1, 2, 2, 2),
        stride_last: bool = False,
        c_in: int = 3,
        thin: int = 1,
    ) -> None:
        """Lay the stages; each strides in its first block, or in its last with stride_last.

        ``thin`` divides all widths, for runs on a few cores.
        """
        super().__init__()
        first = 64 // thin
        self.stem = nn.Sequential(conv(c_in, first, 7, 2), act())
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.channels = [first, first]
        """Channels of the features that ``forward`` returns."""
        self.stages = nn.ModuleList()
        widths = [first << stage for stage in range(4)]
        for width, count, stride in zip(widths, counts, strides, strict=True):
            c_out = width if kind == "basic" else 4 * width
            c_ins = [self.channels[-1], *[c_out] * (count - 1)]
            rest = [1] * (count - 1)
            steps = [*rest, stride] if stride_last else [stride, *rest]
            blocks = [
                block(kind, c, width, s, conv, act) for c, s in zip(c_ins, steps, strict=True)
            ]
            self.stages.append(nn.Sequential(*blocks))
            self.channels.append(c_out)

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """Return six features: stem (1/2), pool (1/4), then the four stages (1/4 .. 1/32)."""
        features = [self.stem(image)]
        features.append(self.pool(features[0]))
        for stage in self.stages:
            features.append(stage(features[-1]))
        return features


def resnet34(thin: int = 1) -> ResNet:
    """Return the 34-layer encoder, 21.28 M parameters unless it is thinned."""
    return ResNet("basic", (3, 4, 6, 3), thin=thin)


def resnet50(thin: int = 1) -> ResNet:
    """Return the 50-layer encoder, 23.51 M parameters unless it is thinned."""
    return ResNet("bottleneck", (3, 4, 6, 3), thin=thin)
