"""Motion between two frames: how the camera moved, and what moved besides.

[rgb1, depth1, rgb2, depth2] -> conv 1/2 .. 1/128 -> mean -> rotation, camera's translation
                                     |                            |
residual translation  <- refine .. refine (one for every conv) <- 1x1
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.dynamic_depth import begin_for_relu

WIDTHS = (16, 32, 64, 128, 256, 512, 1024)
BURN_IN_STEPS = 20_000
SMALL = 0.003
"""Deviation of the kernels that tell the residual: let in, it begins at next to nothing."""


class Motion(NamedTuple):
    """What takes points of the first frame to the second: p2 = R p1 + background + residual."""

    rotation_rad: Float[Tensor, "b 3"]
    """Angles about x, y, z; R = Rx Ry Rz."""
    background: Float[Tensor, "b 3 1 1"]
    """Translation that the camera's own motion gives to everything, in units of depth."""
    residual: Float[Tensor, "b 3 h w"]
    """What objects move besides, in units of depth."""
    intrinsics: Float[Tensor, "b 3 3"] | None
    """In px, pixel centres at +0.5; only with the intrinsics head."""


def _begin_small(conv: nn.Conv2d) -> None:
    nn.init.normal_(conv.weight, std=SMALL)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def burn_in(step: int) -> float:
    """Return the share of the residual that counts after so many steps: 0, then up to 1.

    Source: Li et al. 2020, release: clip(2 step / 20000 - 1, 0, 1).
    """
    return min(max(2 * step / BURN_IN_STEPS - 1, 0.0), 1.0)


class Scale(nn.Module):
    """A learned positive factor that starts at 0.01 and never falls below 0.001.

    The release clips the parameter at its floor, where no gradient passes any more: ten of Adam's
    steps of 1e-3 lead there, and turns are never found. Here the floor reflects.

    Source: Gordon et al. 2019, release.
    """

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.01))

    def forward(self, x: Tensor) -> Tensor:
        """Return x times the factor."""
        return x * ((self.value - 0.001).abs() + 0.001)


class Refine(nn.Module):
    """Upsample a field to a layer's size and correct it by what the layer saw.

    Source: Gordon et al. 2019, release: towers of one and of two 3x3, as wide as the layer.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = max(4, channels)

        def conv(c_in: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU())

        self.short = conv(3 + channels)
        self.long = nn.Sequential(conv(3 + channels), conv(width))
        self.short.apply(begin_for_relu)
        self.long.apply(begin_for_relu)
        self.correct = nn.Conv2d(2 * width, 3, 1, bias=False)
        _begin_small(self.correct)

    def forward(
        self, field: Float[Tensor, "b 3 p q"], layer: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b 3 h w"]:
        """Return the field at the layer's size."""
        up = functional.interpolate(field, size=layer.shape[-2:], mode="bilinear")
        both = torch.cat([up, layer], 1)
        return up + self.correct(torch.cat([self.short(both), self.long(both)], 1))


class IntrinsicsHead(nn.Module):
    """Focal lengths and principal point from the whole pair.

    Source: Gordon et al. 2019, section 3.2 and release: focal = softplus * (w, h), centre =
    (offset + .5) * (w, h).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.focal = nn.Conv2d(channels, 2, 1)
        self.offset = nn.Conv2d(channels, 2, 1, bias=False)

    def forward(self, whole: Float[Tensor, "b c 1 1"], width: int, height: int) -> Tensor:
        """Return b 3 3 in px."""
        size = torch.tensor([width, height], device=whole.device, dtype=whole.dtype)
        focal = functional.softplus(self.focal(whole).flatten(1)) * size
        centre = (self.offset(whole).flatten(1) + 0.5) * size
        corner = torch.tensor([0.0, 0.0, 1.0], device=whole.device, dtype=whole.dtype)
        top = torch.cat([torch.diag_embed(focal), centre[:, :, None]], 2)
        return torch.cat([top, corner.expand(len(whole), 1, 3)], 1)


def mask_small(residual: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return the residual where its norm exceeds the picture's mean norm, 0 elsewhere.

    Source: Li et al. 2020, release, but with the mean of each picture for that of the batch:
    a picture's mask must not hang on its neighbours.
    """
    norm = residual.detach().norm(dim=1, keepdim=True)
    return residual * (norm > norm.mean((2, 3), keepdim=True))


class DynamicMotion(nn.Module):
    """Camera and object motion from the first frame to the second.

    Call it once in each order; with ``intrinsics``, average the two matrices.

    Convention: images b 3 h w RGB in 0..1, depths b 1 h w; any size. ``step`` counts training
    steps: the residual is held at zero for the first 10,000 and let in over the next 10,000.
    In evaluation all of it counts.

    Source: Li et al. 2020, Unsupervised monocular depth learning in dynamic scenes, section 3.1;
    Gordon et al. 2019, figure 4; their releases for what the papers leave open.
    """

    def __init__(
        self,
        residual: bool = True,
        auto_mask: bool = True,
        intrinsics: bool = False,
        thin: int = 1,
        finest: int = 1,
    ) -> None:
        """Lay the network.

        Args:
            residual: False leaves all motion to the camera (the ablation).
            auto_mask: keep the residual only where it exceeds its mean.
            intrinsics: estimate the camera matrix too.
            thin: divides every width, for runs on two cores.
            finest: 1, 2, 4 ..: the residual is told at this share of the picture's size and
                enlarged; the paper's is 1.
        """
        super().__init__()
        self.auto_mask = auto_mask
        self.convs = nn.ModuleList()
        widths = [width // thin for width in WIDTHS]
        c_ins = [8, *widths]
        for c_in, c_out in pairwise(c_ins):
            self.convs.append(nn.Sequential(nn.Conv2d(c_in, c_out, 3, 2, 1), nn.ReLU()))
        self.convs.apply(begin_for_relu)
        self.ego = nn.Conv2d(widths[-1], 6, 1, bias=False)
        self.coarse = nn.Conv2d(6, 3, 1) if residual else None
        if self.coarse is not None:
            _begin_small(self.coarse)
        refined = reversed(c_ins[finest.bit_length() - 1 :]) if residual else ()
        self.refine = nn.ModuleList(Refine(channels) for channels in refined)
        self.rotation_scale, self.translation_scale = Scale(), Scale()
        self.intrinsics = IntrinsicsHead(widths[-1]) if intrinsics else None

    def forward(
        self,
        image1: Float[Tensor, "b 3 h w"],
        depth1: Float[Tensor, "b 1 h w"],
        image2: Float[Tensor, "b 3 h w"],
        depth2: Float[Tensor, "b 1 h w"],
        step: int = 0,
    ) -> Motion:
        """Return the motion from frame 1 to frame 2."""
        layers = [torch.cat([image1, depth1, image2, depth2], 1)]
        for conv in self.convs:
            layers.append(conv(layers[-1]))
        whole = layers[-1].mean((2, 3), keepdim=True)
        ego = self.ego(whole)
        height, width = image1.shape[-2:]
        return Motion(
            self.rotation_scale(ego[:, :3].flatten(1)),
            self.translation_scale(ego[:, 3:]),
            self._residual(ego, layers, burn_in(step) if self.training else 1.0),
            None if self.intrinsics is None else self.intrinsics(whole, width, height),
        )

    def _residual(self, ego: Tensor, layers: list[Tensor], share: float) -> Tensor:
        if self.coarse is None:
            return torch.zeros_like(layers[0][:, :3])
        field = self.coarse(ego)
        for refine, layer in zip(self.refine, reversed(layers), strict=False):
            field = refine(field, layer)
        field = functional.interpolate(field, size=layers[0].shape[-2:], mode="bilinear")
        field = self.translation_scale(field)
        return share * (mask_small(field) if self.auto_mask else field)
