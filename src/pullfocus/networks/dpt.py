"""Dense prediction with a transformer: disparity, people, or both from one trunk.

image -> ViT, tapped after four blocks -> reassemble at 1/4 1/8 1/16 1/32 of a patch grid of 16
                                               |    |    |    |
depth, person <- heads <- fuse x2 <- fuse x2 <- fuse x2 <- fuse x2
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.input_checks import Standardise, check_sides
from pullfocus.networks.vit import ViT, ViTConfig

SizeName = Literal["Mi", "Ti", "S", "B", "L"]
Heads = Literal["depth", "person", "both"]
Family = Literal["vit", "dinov2"]


@dataclass(frozen=True)
class Size:
    """What the letter stands for."""

    width: int
    depth: int
    heads: int
    hooks: tuple[int, int, int, int]
    """Blocks after which the trunk is tapped."""
    reassemble: tuple[int, int, int, int]
    """Channels of the four maps before they are brought to ``features``."""
    features: int
    family: Family
    patch: int = 16
    """Of the family "vit", whose learned positions are for 384 px."""


SIZES: dict[SizeName, Size] = {
    "Mi": Size(96, 6, 3, (1, 2, 4, 5), (12, 24, 48, 96), 32, "vit", patch=8),
    "Ti": Size(192, 12, 3, (2, 5, 8, 11), (24, 48, 96, 192), 64, "vit"),
    "S": Size(384, 12, 6, (2, 5, 8, 11), (48, 96, 192, 384), 64, "dinov2"),
    "B": Size(768, 12, 12, (2, 5, 8, 11), (96, 192, 384, 768), 256, "vit"),
    "L": Size(1024, 24, 16, (5, 11, 17, 23), (256, 512, 1024, 1024), 256, "vit"),
}
"""Source: Ranftl et al. 2021, Vision transformers for dense prediction, section 3 (B, L); Yang et
al. 2024, Depth Anything V2 (S). "Ti" follows S with half of everything but the features; "Mi"
halves again, and the patch, for pictures of 64x96 on a few cores."""


def backbone_config(size: Size, family: Family) -> ViTConfig:
    """Return the ViT of a size as that family builds it: at 384 px, or /14 at 518 px."""
    if family == "dinov2":
        return ViTConfig(size.width, size.depth, size.heads, 14, 37, layer_scale=True, eps=1e-6)
    grid = 384 // size.patch
    return ViTConfig(size.width, size.depth, size.heads, size.patch, grid)


class Reassemble(nn.Module):
    """From tokens back to a map: read the class token out, lay by rows, narrow, resample.

    Source: Ranftl et al. 2021, section 3, equations 2 to 5 ("project").
    """

    def __init__(self, width: int, channels: int, features: int, level: int) -> None:
        super().__init__()
        self.readout = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())
        self.narrow = nn.Conv2d(width, channels, 1)
        self.resample = [
            nn.ConvTranspose2d(channels, channels, 4, 4),
            nn.ConvTranspose2d(channels, channels, 2, 2),
            nn.Identity(),
            nn.Conv2d(channels, channels, 3, 2, 1),
        ][level]
        self.out = nn.Conv2d(channels, features, 3, padding=1, bias=False)

    def forward(self, tokens: Float[Tensor, "b n d"], rows: int, columns: int) -> Tensor:
        """Map tokens b 1+rows*columns d to features at 4, 2, 1 or 1/2 times the grid."""
        token, cells = tokens[:, :1], tokens[:, 1:]
        read = self.readout(torch.cat([cells, token.expand_as(cells)], 2))
        plane = read.transpose(1, 2).reshape(-1, read.shape[2], rows, columns)
        return self.out(self.resample(self.narrow(plane)))


class PreActivation(nn.Module):
    """ReLU, 3x3, ReLU, 3x3 beside the identity; shape kept.

    Source: Lin et al. 2017, RefineNet, figure 3 (residual convolution unit).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.body = nn.Sequential(nn.ReLU(), first, nn.ReLU(), second)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Map b c h w to b c h w."""
        return x + self.body(x)


class Fuse(nn.Module):
    """Add the finer map, work on the sum, bring it to the next size.

    Source: Ranftl et al. 2021, figure 1 (right).
    """

    def __init__(self, features: int, with_skip: bool) -> None:
        super().__init__()
        self.skip = PreActivation(features) if with_skip else None
        self.work = PreActivation(features)
        self.out = nn.Conv2d(features, features, 1)

    def forward(self, x: Tensor, skip: Tensor | None, size: tuple[int, int]) -> Tensor:
        """Map b c h w and a skip of the same shape to b c at ``size``."""
        if self.skip is not None and skip is not None:
            x = x + self.skip(skip)
        return self.out(_resize(self.work(x), size))


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


class DepthHead(nn.Module):
    """3x3, full size, 3x3 to 32, 1x1; relative disparity >= 0.

    Source: Ranftl et al. 2021, supplementary material (monocular depth head).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features // 2, 3, padding=1)
        last = nn.Conv2d(32, 1, 1)
        if last.bias is not None:  # a last ReLU that begins shut never opens
            nn.init.constant_(last.bias, 0.5)
        self.rest = nn.Sequential(
            nn.Conv2d(features // 2, 32, 3, padding=1), nn.ReLU(), last, nn.ReLU()
        )

    def forward(self, x: Float[Tensor, "b c p q"], size: tuple[int, int]) -> Tensor:
        """Map features to b 1 h w at ``size``."""
        return self.rest(_resize(self.first(x), size))


PERSON_SHARE = 0.1
"""Probability of a person that a fresh network answers with: about what they take of pictures."""


class PersonHead(nn.Module):
    """3x3, batch norm, ReLU, dropout, 1x1, full size; logits.

    Source: Ranftl et al. 2021, supplementary material (semantic segmentation head); Lin et al.
    2017, Focal loss for dense object detection, section 4.1, for the bias that it begins with.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        last = nn.Conv2d(features, 1, 1)
        if last.bias is not None:
            nn.init.constant_(last.bias, math.log(PERSON_SHARE / (1 - PERSON_SHARE)))
        self.body = nn.Sequential(
            nn.Conv2d(features, features, 3, padding=1, bias=False),
            nn.BatchNorm2d(features),
            nn.ReLU(),
            nn.Dropout(0.1),
            last,
        )

    def forward(self, x: Float[Tensor, "b c p q"], size: tuple[int, int]) -> Tensor:
        """Map features to b 1 h w at ``size``."""
        return _resize(self.body(x), size)


_HEADS: dict[Heads, tuple[str, ...]] = {
    "depth": ("depth",),
    "person": ("person",),
    "both": ("depth", "person"),
}


class DPT(nn.Module):
    """Relative disparity, person logits, or both.

    Convention: input b 3 h w RGB in 0..1, sides multiples of the patch (16; 14 for "dinov2", 8 for
    Mi); output {"depth": b 1 h w, >= 0, larger = nearer; "person": b 1 h w logits}, with the keys
    that ``heads`` names.

    Raises:
        UsageError: the sides are no such multiples.

    Source: Ranftl et al. 2021, Vision transformers for dense prediction.
    """

    def __init__(
        self, size: SizeName = "S", heads: Heads = "depth", family: Family | None = None
    ) -> None:
        """Lay the network with fresh weights.

        Args:
            size: Mi, Ti, S, B or L.
            heads: what to answer.
            family: whose ViT the backbone's weights will come from; None takes the size's usual
                one ("dinov2" for S, "vit" else).
        """
        super().__init__()
        sizes = SIZES[size]
        family = family or sizes.family
        half = (0.5, 0.5, 0.5)
        self.standardise = Standardise() if family == "dinov2" else Standardise(half, half)
        self.hooks = sizes.hooks
        self.backbone = ViT(backbone_config(sizes, family))
        self.reassemble = nn.ModuleList(
            Reassemble(sizes.width, channels, sizes.features, level)
            for level, channels in enumerate(sizes.reassemble)
        )
        self.fuse = nn.ModuleList(Fuse(sizes.features, level < 3) for level in range(4))
        makers = {"depth": DepthHead, "person": PersonHead}
        self.heads = nn.ModuleDict({name: makers[name](sizes.features) for name in _HEADS[heads]})

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> dict[str, Float[Tensor, "b 1 h w"]]:
        """Return the heads' answers at the size of the image."""
        patch = self.backbone.config.patch
        check_sides(image, patch)
        height, width = image.shape[-2:]
        rows, columns = height // patch, width // patch
        taps = self.backbone(self.standardise(image), self.hooks)
        maps = [
            lay(tokens, rows, columns) for lay, tokens in zip(self.reassemble, taps, strict=True)
        ]
        sizes = [(times * rows, times * columns) for times in (8, 4, 2, 1)]
        x = self.fuse[3](maps[3], None, sizes[3])
        for level in (2, 1, 0):
            x = self.fuse[level](x, maps[level], sizes[level])
        return {name: head(x, (height, width)) for name, head in self.heads.items()}
