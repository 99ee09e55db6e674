"""Learning disparity from stereo pairs alone: monodepth, its variants, Deep3D and Deep3Ds.

Source: Godard et al. 2017; facts of the release in reference/depth-networks.md, section 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from pullfocus.errors import UsageError
from pullfocus.lab.data.samples import StereoPair
from pullfocus.lab.engine import pictures
from pullfocus.lab.engine.recipe import Count, Number, Optimiser, Recipe, Thin
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, DepthGraph, System
from pullfocus.lab.geometry.warp import shift_horizontally
from pullfocus.lab.losses.image import photometric
from pullfocus.lab.losses.stereo import deep3d_terms, monodepth_terms
from pullfocus.lab.protocols.flip import merge_mirrored
from pullfocus.lab.recipes.samples import Made, Stereo, needed, split_last
from pullfocus.networks.deep3d import expected_disparity, expected_right
from pullfocus.networks.monodepth import LARGEST_DISPARITY
from pullfocus.networks.registry import build

Loss = Literal["left-right", "no-left-right", "deep3d", "deep3ds"]


class StereoRecipe(Recipe):
    """Settings of the stereo systems; the defaults are the paper's.

    Attributes:
        network: of the registry; ``deep3d`` goes with the losses of that name.
        thin: divides the widths of the VGG.
        norm: batch norm in monodepth's networks; the paper's have none.
        begin: disparity, in units of width, that a fresh monodepth answers with; the paper's is
            the middle of its range. What is known of the rig saves the way down from there.
        views: what the network sees: the left picture, or both ("stereo input").
        loss: "no-left-right" drops the consistency term and rebuilds the left view alone.
        samples: rendered pairs, KITTI raw (--data holds its days), Cityscapes, or a folder.
        hw: size in training; multiples of 128 with the VGG, of 64 with the ResNet50.
        pairs: rendered pairs in an epoch.
    """

    kind: Literal["stereo"] = "stereo"
    epochs: Count = 50
    batch: Count = 8
    optimiser: Optimiser = Optimiser(rate=1e-4, schedule="halve")
    network: Literal["monodepth-vgg", "monodepth-resnet50", "deep3d"] = "monodepth-vgg"
    thin: Thin = 1
    norm: bool = False
    begin: Annotated[float, Field(gt=0, lt=LARGEST_DISPARITY)] = LARGEST_DISPARITY / 2
    views: Literal["left", "both"] = "left"
    loss: Loss = "left-right"
    samples: Literal["rendered", "kitti", "cityscapes", "folder"] = "kitti"
    hw: tuple[Count, Count] = (256, 512)
    pairs: Count = 256
    workers: Number = 4

    def build(self) -> System:
        """Return the network with its loss.

        Raises:
            UsageError: the loss belongs to another network.
        """
        if self.loss.startswith("deep3d") != (self.network == "deep3d"):
            raise UsageError(f"The network {self.network} cannot learn by the loss {self.loss}.")
        return StereoSystem(self)

    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return augmented pairs to train on, plain ones with their truth to measure with."""
        training, held_out = self._pairs(data)
        return Stereo(training, self.hw, True), Stereo(held_out, self.hw, False)

    def _pairs(self, data: Path | None) -> tuple[Sequence[StereoPair], Sequence[StereoPair]]:
        if self.samples == "rendered":
            from pullfocus.lab.scenes import stereo_pair

            held_out = Made(lambda seed: stereo_pair(seed, self.hw), max(8, self.pairs // 8))
            made = Made(lambda seed: stereo_pair(seed, self.hw), self.pairs, first=len(held_out))
            return made, held_out
        return split_last(_read_pairs(self.samples, needed(data, self.samples)))


def _read_pairs(samples: str, data: Path) -> Sequence[StereoPair]:
    if samples == "kitti":
        from pullfocus.lab.data.kitti import KittiStereo, shots_of

        return KittiStereo(data, shots_of(data, "eigen"))
    if samples == "cityscapes":
        from pullfocus.lab.data.cityscapes import CityscapesStereo

        return CityscapesStereo(data)
    from pullfocus.lab.data.stereo_folder import StereoFolder

    return StereoFolder(data)


class StereoSystem(System):
    """Networks that see the left view (or both) and are asked to rebuild the other."""

    def __init__(self, recipe: StereoRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.is_deep3d = recipe.network == "deep3d"
        seen = {
            "stereo_input": recipe.views == "both",
            "norm": recipe.norm,
            "begin": recipe.begin,
        }
        config: dict[str, Any] = {} if self.is_deep3d else seen
        self.net = build(recipe.network, thin=recipe.thin, **config)

    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Return "seen": disparities at four scales, or weights of shifts.

        Raises:
            UsageError: a single pair is to be normalised over the batch.
        """
        if self.training and self.recipe.norm and len(batch["left"]) < 2:
            raise UsageError(
                "Batch norm needs at least two pairs a process; --set a larger batch or norm=false."
            )
        both = [batch["left"], batch["right"]] if self.recipe.views == "both" else [batch["left"]]
        return {"seen": self.net(torch.cat(both, 1))}

    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the terms of the paper's loss."""
        seen, left, right = prediction["seen"], batch["left"], batch["right"]
        if self.is_deep3d:
            smooth = self.recipe.loss == "deep3ds"
            return deep3d_terms(expected_right(left, seen), right, seen, smooth)
        return monodepth_terms(seen, left, right, self.recipe.loss == "left-right")

    def scores(self, batch: Batch) -> dict[str, float]:
        """Return the error of the rebuilt view and, where truth is known, of the disparity.

        error_px is the mean |difference|, rmse_px the root of its mean square, both of disparity;
        flipped_px is error_px after the paper's post-processing with the mirrored view;
        constant_px is that of the best constant answer to this very batch, its median, which
        flatters the constant.
        """
        disparity = self._disparity(batch)
        scores = {"reconstruction": self._reconstruction(batch, disparity)}
        truth = batch["disparity_px"]
        known = torch.isfinite(truth)
        if known.any():
            wanted = truth[known]
            off = (disparity * truth.shape[-1])[known] - wanted
            scores["error_px"] = float(off.abs().mean())
            scores["rmse_px"] = float(off.square().mean().sqrt())
            if self.recipe.views == "left":
                merged = self._post_processed(batch, disparity) * truth.shape[-1]
                scores["flipped_px"] = float((merged[known] - wanted).abs().mean())
            scores["constant_px"] = float((wanted.median() - wanted).abs().mean())
        return scores

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return one row a sample: left view, its disparity and, where known, the truth."""
        disparity = self._disparity(batch) * batch["left"].shape[-1]
        truth = batch["disparity_px"]
        columns = [
            [pictures.photo(image) for image in batch["left"]],
            [pictures.nearness(d[0]) for d in disparity],
        ]
        if torch.isfinite(truth).any():
            columns.append([pictures.nearness(t[0]) for t in truth])
        return {"disparity": pictures.rows(*columns)}

    def depth_graph(self) -> DepthGraph:
        """Return left disparity, of unknown scale without the rig."""
        if self.recipe.views == "both":
            raise UsageError("A network that sees both views cannot be exported: it needs two.")
        multiple = 64 if self.recipe.network == "monodepth-resnet50" else 128
        graph = LeftDisparity(self.net, self.is_deep3d)
        return DepthGraph(graph, "relative disparity", self.recipe.hw, multiple)

    def _disparity(self, batch: Batch) -> Tensor:
        return _finest(self.predict(batch, 0)["seen"], self.is_deep3d)

    def _post_processed(self, batch: Batch, disparity: Tensor) -> Tensor:
        """Return the disparity merged with that of the mirrored view."""
        mirrored = self._disparity(batch | {"left": batch["left"].flip(3)}).flip(3)
        pairs = zip(disparity[:, 0].cpu().numpy(), mirrored[:, 0].cpu().numpy(), strict=True)
        merged = np.stack([merge_mirrored(*pair) for pair in pairs])
        return torch.from_numpy(merged)[:, None].to(disparity)

    def _reconstruction(self, batch: Batch, disparity: Tensor) -> float:
        """Return the photometric error (0.85 SSIM, 0.15 L1) of the view the loss rebuilds."""
        if self.is_deep3d:
            rebuilt, view = expected_right(batch["left"], self.predict(batch, 0)["seen"]), "right"
        else:
            rebuilt, view = shift_horizontally(batch["right"], -disparity), "left"
        return float(photometric(rebuilt, batch[view]))


class LeftDisparity(nn.Module):
    """One picture to one map: the finest left disparity, in units of image width."""

    def __init__(self, net: nn.Module, is_deep3d: bool) -> None:
        super().__init__()
        self.net, self.is_deep3d = net, is_deep3d

    def forward(self, image: Tensor) -> Tensor:
        """Return b 1 h w for b 3 h w."""
        return _finest(self.net(image), self.is_deep3d)


def _finest(seen: Any, is_deep3d: bool) -> Tensor:
    return expected_disparity(seen) if is_deep3d else seen[0][:, :1]


_TINY = StereoRecipe(
    thin=8,
    norm=True,
    begin=0.03,
    hw=(128, 128),
    samples="rendered",
    pairs=320,
    batch=4,
    epochs=50,
    measure_every=10,
    workers=0,
    log_every=10,
    optimiser=Optimiser(rate=1e-3, schedule="halve", warmup_steps=50, clip_norm=1.0),
)
RECIPES = {
    "monodepth-vgg": StereoRecipe(),
    "monodepth-resnet50": StereoRecipe(network="monodepth-resnet50"),
    "monodepth-stereo": StereoRecipe(views="both"),
    "monodepth-no-lr": StereoRecipe(loss="no-left-right"),
    "deep3d": StereoRecipe(network="deep3d", loss="deep3d"),
    "deep3ds": StereoRecipe(network="deep3d", loss="deep3ds"),
    "monodepth-tiny": _TINY,
    "monodepth-no-lr-tiny": _TINY.but(loss="no-left-right"),
    "monodepth-kitti-tiny": _TINY.but(
        samples="folder", hw=(128, 256), epochs=240, measure_every=20
    ),
}
