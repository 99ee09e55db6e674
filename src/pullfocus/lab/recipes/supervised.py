"""Learning depth from measured depth: the U-Nets of the CS231N project and Laina's network.

Sources: Gulve and Gupta (CS231N) with the loss of Alhashim and Wonka 2018; Laina et al. 2016;
facts in reference/depth-networks.md, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.data.samples import Frame, LabelledView
from pullfocus.lab.engine import pictures
from pullfocus.lab.engine.recipe import Count, Number, Optimiser, Positive, Recipe, Thin
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, DepthGraph, System
from pullfocus.lab.losses.supervised import berhu, l1_gradient_ssim
from pullfocus.lab.protocols.metrics import depth_scores
from pullfocus.lab.recipes.samples import Depths, Made, needed, split_last
from pullfocus.networks.dpt import DPT
from pullfocus.networks.laina import UpProjection
from pullfocus.networks.registry import build
from pullfocus.networks.unet import ResNetUNet

Frames = Sequence[Frame | LabelledView]
Samples = Literal["rendered", "nyu", "nyu-labelled", "rgbd", "rgbd+rendered"]
ROOMS = ("room",)
RESNET_WAY_UP = (256, 128, 64, 32)
"""Channels of the decoder on the ResNet34, as ``networks.resnet_unet`` has them."""


class SupervisedRecipe(Recipe):
    """Settings of the supervised systems; the defaults are the papers'.

    Attributes:
        network: of the registry, with its widths: of the U-Net, or where Laina's way up begins.
        thin: divides the widths of a ResNet34 with its decoder, or of a ResNet50.
        loss: "l1-gradient-ssim" on far_m / depth, or "berhu" on metres.
        samples: rendered rooms; NYU's list ``nyu2_train.csv`` or labelled .mat (--data is the
            file); folders of RGB-D frames, alone or with as many rendered rooms.
        hw: size in training and measuring.
        near_m, far_m: depth is clipped to these.
        begin_m: depth that the fresh network answers with, about.
        rooms: rendered rooms in an epoch.
        backbone: public encoder weights to begin with, a Hugging Face name (microsoft/resnet-34,
            microsoft/resnet-50) or folder.
    """

    kind: Literal["supervised"] = "supervised"
    epochs: Count = 20
    batch: Count = 8
    optimiser: Optimiser = Optimiser(rate=1e-4)
    network: Literal["unet", "resnet34-unet", "laina"] = "unet"
    unet_widths: tuple[Count, Count, Count, Count] = (64, 128, 256, 512)
    laina_width: Count = 1024
    thin: Thin = 1
    loss: Literal["l1-gradient-ssim", "berhu"] = "l1-gradient-ssim"
    samples: Samples = "nyu"
    hw: tuple[Count, Count] = (240, 320)
    near_m: Positive = 0.4
    far_m: Positive = 10.0
    begin_m: Positive = 2.5
    rooms: Count = 256
    backbone: str | None = None
    workers: Number = 4

    def build(self) -> System:
        """Return the network with its loss."""
        return SupervisedSystem(self)

    def initialise(self, system: System) -> None:
        """Put the backbone's weights in.

        Raises:
            UsageError: the U-Net has no such encoder.
        """
        if self.backbone is not None:
            put_backbone(system, self.backbone)

    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return augmented frames to train on, plain ones to measure with."""
        training, held_out = frames(self.samples, data, self.hw, self.rooms, ROOMS)
        return Depths(training, self.hw, True), Depths(held_out, self.hw, False)


def put_backbone(system: System, source: str) -> None:
    """Put public weights into the encoder of a system's network ``net``.

    Raises:
        UsageError, MissingModelError, UnreadableInputError: see ``load_backbone``.
    """
    from pullfocus.lab.pretrained import load_backbone

    net = system.get_submodule("net")
    if not isinstance(net, (DPT, ResNetUNet, UpProjection)):
        raise UsageError(f"A {type(net).__name__} has no public encoder; leave backbone out.")
    load_backbone(net, source)


def frames(
    samples: Samples, data: Path | None, hw: tuple[int, int], count: int, kinds: tuple[str, ...]
) -> tuple[Frames, Frames]:
    """Return frames to train on and held-out ones.

    Raises:
        UsageError, UnreadableInputError: no folder was given, or it holds nothing.
    """
    if samples == "rendered":
        return rendered(hw, count, kinds)
    folder = needed(data, samples)
    if samples == "nyu":
        from pullfocus.lab.data.nyu import NyuCsv

        return split_last(NyuCsv(folder))
    if samples == "nyu-labelled":
        from pullfocus.lab.data.nyu import NyuLabelled

        return NyuLabelled(folder, "train"), NyuLabelled(folder, "test")
    training, held_out = _rgbd(folder)
    if samples == "rgbd":
        return training, held_out
    made, made_held_out = rendered(hw, len(training), kinds)
    return [*training, *made], [*held_out, *made_held_out]


def rendered(
    hw: tuple[int, int], count: int, kinds: tuple[str, ...]
) -> tuple[Made[LabelledView], Made[LabelledView]]:
    """Return rendered views: ``count`` to train on, an eighth (at least 8) of other seeds."""
    from pullfocus.lab.scenes import labelled_view

    def shoot(seed: int) -> LabelledView:
        return labelled_view(seed, hw, kinds)

    held_out = max(8, count // 8)
    return Made(shoot, count, first=held_out), Made(shoot, held_out)


def _rgbd(folder: Path) -> tuple[list[Frame], list[Frame]]:
    """Return the first three quarters and the last quarter of every set in a folder.

    Sets are sequences in time, so that what is held out was taken later.
    """
    halves = [split_last(found, 1 / 4) for found in _sets(folder)]
    return list(chain(*(first for first, _ in halves))), list(chain(*(last for _, last in halves)))


def _sets(folder: Path) -> list[Sequence[Frame]]:
    """Return the folders inside that hold RGB-D frames, or the folder itself."""
    from pullfocus.lab.data.rgbd import RgbdFolder

    found: list[Sequence[Frame]] = []
    for place in sorted(p for p in folder.glob("*") if p.is_dir()):
        try:
            found.append(RgbdFolder(place))
        except UnreadableInputError:
            continue  # a folder without depth beside folders with it
    return found or [RgbdFolder(folder)]


class SupervisedSystem(System):
    """A network that is told the depth of every pixel that was measured."""

    def __init__(self, recipe: SupervisedRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        way_up = tuple(width // recipe.thin for width in RESNET_WAY_UP)
        config: dict[str, dict[str, Any]] = {
            "unet": {"widths": recipe.unet_widths},
            "laina": {"width": recipe.laina_width, "thin": recipe.thin},
            "resnet34-unet": {"widths": way_up, "thin": recipe.thin},
        }
        self.net = build(recipe.network, **config[recipe.network])
        self.is_inverse = recipe.loss == "l1-gradient-ssim"
        last = [m for m in self.net.modules() if isinstance(m, nn.Conv2d)][-1]
        if last.bias is not None:  # softplus, which ends Laina's, hardly changes such a value
            value = recipe.far_m / recipe.begin_m if self.is_inverse else recipe.begin_m
            nn.init.constant_(last.bias, value)

    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Return "seen" at the network's own output size: far_m / depth, or depth in metres."""
        return {"seen": self.net(batch["image"])}

    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the terms of the paper's loss at the network's output size."""
        seen, recipe = prediction["seen"], self.recipe
        depth = functional.interpolate(batch["depth_m"], seen.shape[-2:], mode="nearest-exact")
        valid = torch.isfinite(depth)
        target = depth.nan_to_num(recipe.far_m).clamp(recipe.near_m, recipe.far_m)
        if self.is_inverse:
            reach = recipe.far_m / recipe.near_m
            return l1_gradient_ssim(seen, recipe.far_m / target, valid, reach)
        return {"berhu": berhu(seen, target, valid)}

    def scores(self, batch: Batch) -> dict[str, float]:
        """Return abs_rel, rmse and delta1..3 in metres, without any alignment."""
        return scores_in_metres(self._depth(batch), batch["depth_m"], self.recipe.far_m)

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return one row a sample: picture, estimate and truth as nearness on one scale."""
        return {"depth": depth_picture(batch, 1 / self._depth(batch))}

    def depth_graph(self) -> DepthGraph:
        """Return metric disparity (1/m) or metric depth, at the size of the picture."""
        recipe = self.recipe
        graph = InMetres(self.net, recipe.far_m if self.is_inverse else None)
        kind = "metric disparity" if self.is_inverse else "metric depth"
        return DepthGraph(graph, kind, recipe.hw, 32)

    def _depth(self, batch: Batch) -> Tensor:
        seen = InMetres(self.net, self.recipe.far_m if self.is_inverse else None)(batch["image"])
        depth = 1 / seen.clamp(min=1e-3) if self.is_inverse else seen
        return depth.clamp(self.recipe.near_m, self.recipe.far_m)


class InMetres(nn.Module):
    """One picture to one map of its size: 1/m of a network taught far_m / depth, else metres."""

    def __init__(self, net: nn.Module, far_m: float | None) -> None:
        super().__init__()
        self.net, self.far_m = net, far_m

    def forward(self, image: Tensor) -> Tensor:
        """Return b 1 h w for b 3 h w."""
        seen = self.net(image)
        seen = functional.interpolate(seen, image.shape[-2:], mode="bilinear")
        return seen if self.far_m is None else torch.relu(seen) / self.far_m


def scores_in_metres(depth: Tensor, truth: Tensor, far_m: float) -> dict[str, float]:
    """Return the mean scores of pictures b 1 h w, and those of a constant answer.

    The constant is the median of all truth in this batch, which flatters it.
    """
    known = torch.isfinite(truth) & (truth < far_m)
    constant = truth[known].median() if known.any() else torch.tensor(1.0)
    rows = []
    for own, wanted, valid in zip(depth, truth, known, strict=True):
        if not valid.any():
            continue
        arrays = [x[0].cpu().numpy() for x in (own, wanted, valid)]
        still = np.full_like(arrays[0], float(constant))
        row = depth_scores(*arrays)
        flat = depth_scores(still, *arrays[1:])
        names = ("abs_rel", "rmse", "delta1", "delta2", "delta3")
        ours = {name: row[name] for name in names}
        rows.append(ours | {f"constant_{name}": flat[name] for name in names[:3]})
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}


def depth_picture(batch: Batch, disparity: Tensor) -> np.ndarray:
    """Return picture, estimate and truth side by side, nearness on the truth's scale."""
    columns: tuple[list[np.ndarray], ...] = ([], [], [])
    for image, own, depth in zip(batch["image"], disparity, batch["depth_m"], strict=True):
        truth = 1 / depth[0]
        known = truth[torch.isfinite(truth)]
        low, high = (known.min().item(), known.max().item()) if known.numel() else (None, None)
        columns[0].append(pictures.photo(image))
        columns[1].append(pictures.nearness(own[0], low, high))
        columns[2].append(pictures.nearness(truth, low, high))
    return pictures.rows(*columns)


_TINY = SupervisedRecipe(
    samples="rgbd+rendered",
    hw=(64, 96),
    epochs=60,
    measure_every=10,
    workers=0,
    log_every=5,
    optimiser=Optimiser(rate=2e-3, schedule="cosine", warmup_steps=30, clip_norm=5.0),
)
RECIPES = {
    "unet": SupervisedRecipe(),
    "resnet34-unet": SupervisedRecipe(network="resnet34-unet"),
    "laina": SupervisedRecipe(network="laina", loss="berhu"),
    "unet-tiny": _TINY.but(unet_widths=(8, 16, 32, 64), epochs=80),
    "resnet34-unet-tiny": _TINY.but(network="resnet34-unet", thin=4),
    "laina-tiny": _TINY.but(network="laina", loss="berhu", laina_width=128, thin=4),
}
