"""A plain vision transformer that tells what its tokens hold on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a ViT, and the habits in which families differ."""

    width: int
    depth: int
    heads: int
    patch: int = 16
    grid: int = 24
    """Cells a side of the learned positions; other sizes interpolate them."""
    layer_scale: bool = False
    eps: float = 1e-12


class LayerScale(nn.Module):
    """A learned gain for every channel of a branch.

    Source: Touvron et al. 2021, Going deeper with image transformers, section 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Return x times the gain."""
        return x * self.gain


class Attention(nn.Module):
    """Every token asks all others.

    Source: Vaswani et al. 2017, Attention is all you need, section 3.2.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Map tokens to tokens."""
        together = self.qkv(x).unflatten(2, (3, self.heads, -1))
        query, key, value = together.permute(2, 0, 3, 1, 4).unbind(0)
        answer = functional.scaled_dot_product_attention(query, key, value)
        return self.out(answer.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a two-layer perceptron of four times the width, each beside the identity.

    Source: Dosovitskiy et al. 2021, An image is worth 16x16 words, equations 2 and 3.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        width = config.width
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=config.eps) for _ in range(2))
        self.attention = Attention(width, config.heads)
        wide, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.Sequential(wide, nn.GELU(), narrow)
        self.scale1, self.scale2 = (
            LayerScale(width) if config.layer_scale else nn.Identity() for _ in range(2)
        )

    def forward(self, x: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Map tokens to tokens."""
        x = x + self.scale1(self.attention(self.norm1(x)))
        return x + self.scale2(self.mlp(self.norm2(x)))


class ViT(nn.Module):
    """Tokens of an image after chosen blocks: a class token first, then the patches by rows.

    There is no norm after the last block: the taps are what the blocks themselves give.

    Source: Dosovitskiy et al. 2021, An image is worth 16x16 words, section 3.1.
    """

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config = config
        self.patches = nn.Conv2d(3, config.width, config.patch, config.patch)
        self.token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.positions = nn.Parameter(torch.zeros(1, 1 + config.grid**2, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.apply(_start)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, image: Float[Tensor, "b 3 h w"], taps: Collection[int]) -> list[Tensor]:
        """Return tokens b 1+rows*columns d after the blocks whose indices are in ``taps``."""
        cells = self.patches(image)
        tokens = cells.flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(image.shape[0], -1, -1), tokens], 1)
        size = (cells.shape[-2], cells.shape[-1])
        x = x + resample_positions(self.positions, self.config.grid, size)
        tapped = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in taps:
                tapped.append(x)
        return tapped


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


def resample_positions(
    positions: Float[Tensor, "1 n d"], grid: int, size: tuple[int, int]
) -> Float[Tensor, "1 m d"]:
    """Return positions of a square grid for another: the cells' bicubic, the token's as it is.

    Source: Dosovitskiy et al. 2021, section 3.2.
    """
    token, cells = positions[:, :1], positions[:, 1:]
    plane = cells.transpose(1, 2).unflatten(2, (grid, grid))
    plane = functional.interpolate(plane, size=size, mode="bicubic")
    return torch.cat([token, plane.flatten(2).transpose(1, 2)], 1)
