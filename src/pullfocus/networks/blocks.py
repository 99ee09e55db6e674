"""Convolutional building blocks: the bricks that ``networks.compact`` is laid from."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

BlockKind = Literal["residual", "inverted", "mixer"]


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm and (optionally) ReLU; b c h w -> b d h/s w/s."""

    def __init__(
        self,
        c_in: int,
        c_out: int,
        size: int = 3,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(c_in, c_out, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(c_out),
        ]
        if act:
            layers.append(nn.ReLU())
        super().__init__(*layers)


class Residual(nn.Module):
    """Two dense 3x3 convolutions beside the identity; shape kept.

    Source: He et al. 2016, Deep residual learning, figure 2 (basic block).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvNorm(channels, channels), ConvNorm(channels, channels, act=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map b c h w to b c h w, non-negative."""
        return torch.relu(x + self.body(x))


class Inverted(nn.Module):
    """Expand by 1x1, depthwise 5x5, project by 1x1, beside the identity; shape kept.

    Source: Sandler et al. 2018, MobileNetV2, section 3.3.
    """

    def __init__(self, channels: int, expand: int = 3) -> None:
        super().__init__()
        wide = channels * expand
        self.body = nn.Sequential(
            ConvNorm(channels, wide, 1),
            ConvNorm(wide, wide, 5, groups=wide),
            ConvNorm(wide, channels, 1, act=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map b c h w to b c h w, non-negative."""
        return torch.relu(x + self.body(x))


class Mixer(nn.Module):
    """Depthwise 7x7, then two 1x1 with the wide one between, beside the identity; shape kept.

    Source: Liu et al. 2022, A ConvNet for the 2020s, figure 4 (batch norm and ReLU here).
    """

    def __init__(self, channels: int, expand: int = 4) -> None:
        super().__init__()
        wide = channels * expand
        self.body = nn.Sequential(
            ConvNorm(channels, channels, 7, groups=channels, act=False),
            ConvNorm(channels, wide, 1),
            ConvNorm(wide, channels, 1, act=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map b c h w to b c h w, non-negative."""
        return torch.relu(x + self.body(x))


class Context(nn.Module):
    """Tell every cell what the whole picture holds: pooled mean through a small MLP, added.

    Source: Liu et al. 2015, ParseNet, section 3.1 (global context), with a bottleneck as in SE.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 1), nn.ReLU(), nn.Conv2d(channels // 2, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map b c h w to b c h w, non-negative."""
        return torch.relu(x + self.mix(x.mean((2, 3), keepdim=True)))


_KINDS: dict[str, type[nn.Module]] = {"residual": Residual, "inverted": Inverted, "mixer": Mixer}


def stack(kind: BlockKind, channels: int, count: int) -> nn.Sequential:
    """Return ``count`` blocks of one kind in a row; b c h w -> b c h w."""
    return nn.Sequential(*[_KINDS[kind](channels) for _ in range(count)])
