"""The network inside the wheel: one RGB picture in, relative disparity and people out.

    image 3 h w -> stem 1/2 -> stage 1/4 -> 1/8 -> 1/16 (+ position, context) -> 1/32 context
                      |          |      |      |
       disparity <- head 1/2 <- join 1/4 <- join 1/8 <- join 1/16
          person <- head 1/2 <- join 1/4 <- join 1/8 <----'

Every stage's first channels can be made to imitate a teacher's stage (``Hints``); the lab trains
with them, the exported graph holds nothing of it but the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.blocks import BlockKind, Context, ConvNorm, stack

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
STAGES = ("e1", "e2", "e3", "e4", "d3", "d2", "d1")
"""Names of the seven places where a teacher may hint: encoder 1/2..1/16, decoder 1/8..1/2."""

Hints = dict[str, Tensor]


@dataclass(frozen=True)
class CompactConfig:
    """Sizes of a Compact network; ``widths`` are channels at strides 2, 4, 8, 16, 32."""

    block: BlockKind = "residual"
    widths: tuple[int, int, int, int, int] = (32, 64, 128, 192, 192)
    depths: tuple[int, int, int, int] = (2, 3, 3, 1)
    decoder: tuple[int, int, int] = (24, 48, 96)
    """Channels at strides 2, 4, 8 on the way up."""
    person: tuple[int, int, int] = (16, 32, 48)
    """The same on the way up to the person mask."""


class Estimates(NamedTuple):
    """What the network says of b pictures: disparity b 1 h w and where people are, b 1 h w."""

    disparity: Tensor
    person: Tensor


def position_planes(x: Tensor) -> Tensor:
    """Return b 2 h w planes of row and column in -1..1 for features b c h w.

    Convention: plane 0 grows downwards, plane 1 to the right; cell centres.
    """
    one = torch.ones_like(x[:, :1])
    planes = []
    for axis in (2, 3):
        along = one.cumsum(axis)
        planes.append((2 * along - 1) / x.shape[axis] - 1)
    return torch.cat(planes, 1)


class Join(nn.Module):
    """Upsample coarse features by 2, join the skip, convolve: one step of the decoder."""

    def __init__(self, c_coarse: int, c_skip: int, c_out: int) -> None:
        super().__init__()
        self.coarse = ConvNorm(c_coarse, c_out, 1, act=False)
        self.skip = ConvNorm(c_skip, c_out, 1, act=False)
        self.body = nn.Sequential(ConvNorm(c_out, c_out), ConvNorm(c_out, c_out))

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Join b c h/2 w/2 and b k h w into b d h w, non-negative."""
        up = functional.interpolate(self.coarse(coarse), scale_factor=2.0, mode="bilinear")
        return self.body(torch.relu(up + self.skip(skip)))


class Compact(nn.Module):
    """Relative disparity and people from one picture, dynamic size in multiples of 32.

    Convention: input b 3 h w RGB in 0..1 (sRGB-encoded); disparity >= 0, larger = nearer; person
    is a probability in 0..1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CompactConfig()
        w1, w2, w3, w4, w5 = config.widths
        n2, n3, n4, n5 = config.depths
        d1, d2, d3 = config.decoder
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        kind = config.block
        self.e1 = ConvNorm(3, w1, stride=2)
        self.e2 = nn.Sequential(ConvNorm(w1, w2, stride=2), stack(kind, w2, n2))
        self.e3 = nn.Sequential(ConvNorm(w2, w3, stride=2), stack(kind, w3, n3))
        self.e4 = nn.Sequential(ConvNorm(w3, w4, stride=2), stack(kind, w4, n4))
        self.e5 = nn.Sequential(ConvNorm(w4 + 2, w5, stride=2), stack(kind, w5, n5), Context(w5))
        self.j4 = Join(w5, w4, w4)
        self.d3 = Join(w4, w3, d3)
        self.d2 = Join(d3, w2, d2)
        self.d1 = Join(d2, w1, d1)
        self.out = nn.Conv2d(d1, 1, 3, padding=1)
        if self.out.bias is not None:
            nn.init.constant_(self.out.bias, 0.5)
        p1, p2, p3 = config.person
        self.p3 = Join(w4, w3, p3)
        self.p2 = Join(p3, w2, p2)
        self.p1 = Join(p2, w1, p1)
        self.person = nn.Conv2d(p1, 1, 3, padding=1)

    def forward(self, image: Tensor) -> Estimates:
        """Return disparity and the probability of a person for an image b 3 h w."""
        disparity, person = self.stages(image, {})[0]
        return Estimates(disparity, person.sigmoid())

    def stages(self, image: Tensor, forced: Hints) -> tuple[Estimates, Hints]:
        """Return the estimates and the features at ``STAGES``; forced features replace own ones.

        ``person`` is given as logits here. A forced tensor b k h w takes the place of the first k
        channels of that stage for all that follows, except in pictures where it is NaN; the
        returned features are the network's own, before replacement.
        """
        seen: Hints = {}

        def place(name: str, x: Tensor) -> Tensor:
            seen[name] = x
            hint = forced.get(name)
            if hint is None:
                return x
            own = x[:, : hint.shape[1]]
            hint = torch.where(hint.isnan(), own, hint.to(own.dtype))
            return torch.cat([hint, x[:, hint.shape[1] :]], 1)

        e1 = place("e1", self.e1((image - self.mean) / self.std))
        e2 = place("e2", self.e2(e1))
        e3 = place("e3", self.e3(e2))
        e4 = place("e4", self.e4(e3))
        e5 = self.e5(torch.cat([e4, position_planes(e4)], 1))
        j4 = self.j4(e5, e4)
        d3 = place("d3", self.d3(j4, e3))
        d2 = place("d2", self.d2(d3, e2))
        d1 = place("d1", self.d1(d2, e1))
        disparity = functional.softplus(self.out(d1).float(), beta=4.0)
        person = self.person(self.p1(self.p2(self.p3(j4, e3), e2), e1)).float()
        return Estimates(_doubled(disparity), _doubled(person)), seen


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear")
