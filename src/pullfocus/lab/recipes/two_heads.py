"""One transformer for depth and people: DPT with a depth head, a person head, or both.

Sources: Ranftl et al. 2021 (DPT), Ranftl et al. 2020 (the loss on depth), reference/
depth-networks.md, section 4.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from pullfocus.errors import UsageError
from pullfocus.lab.engine import pictures
from pullfocus.lab.engine.recipe import Count, Number, Optimiser, Positive, Recipe, Weight
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, DepthGraph, System
from pullfocus.lab.losses.relative import gradient_matching, scale_shift_invariant
from pullfocus.lab.losses.segmentation import known_mask_terms
from pullfocus.lab.losses.supervised import UncertaintyWeights
from pullfocus.lab.protocols.metrics import affine_depth
from pullfocus.lab.recipes.samples import Depths
from pullfocus.lab.recipes.supervised import (
    Samples,
    depth_picture,
    frames,
    put_backbone,
    scores_in_metres,
)
from pullfocus.networks.dpt import DPT
from pullfocus.networks.registry import build

Place = Literal["room", "street", "road", "landscape", "table", "crowd", "portrait"]


class TwoHeadsRecipe(Recipe):
    """Settings of DPT.

    Attributes:
        size: of the transformer; "mi" is for pictures of 64x96 on a few cores.
        heads: what is taught: depth, person, or both at once.
        alignment: before depths are compared.
        gradient_weight: of the multi-scale gradient term; 2 x the mean of four scales is MiDaS's
            half of their sum.
        person_weight: of the person loss beside depth's; ignored when ``uncertainty`` settles it.
        uncertainty: learn the weights of both tasks.
        samples: as for the supervised recipes; only rendered views say where people are.
        rooms: rendered views in an epoch.
        places: kinds of place that are rendered; people fill crowds and portraits most.
        backbone: public ViT or DINOv2 weights to begin with, a Hugging Face name
            (google/vit-base-patch16-384, facebook/dinov2-small) or folder.
    """

    kind: Literal["two-heads"] = "two-heads"
    epochs: Count = 60
    batch: Count = 16
    optimiser: Optimiser = Optimiser(rate=1e-4, schedule="cosine", warmup_steps=500, clip_norm=1)
    size: Literal["mi", "ti", "s", "b", "l"] = "b"
    heads: Literal["depth", "person", "both"] = "both"
    alignment: Literal["mean", "median", "least-squares"] = "median"
    gradient_weight: Weight = 2.0
    person_weight: Weight = 1.0
    uncertainty: bool = False
    samples: Samples = "rendered"
    hw: tuple[Count, Count] = (384, 384)
    far_m: Positive = 80.0
    rooms: Count = 4096
    places: tuple[Place, ...] = ("room", "crowd", "portrait", "street")
    backbone: str | None = None
    workers: Number = 4

    def build(self) -> System:
        """Return the network with its losses."""
        return TwoHeads(self)

    def initialise(self, system: System) -> None:
        """Put the backbone's weights in."""
        if self.backbone is not None:
            put_backbone(system, self.backbone)

    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return augmented frames to train on, plain ones to measure with."""
        training, held_out = frames(self.samples, data, self.hw, self.rooms, self.places)
        return Depths(training, self.hw, True), Depths(held_out, self.hw, False)


class TwoHeads(System):
    """DPT; where a frame lacks one truth, its other head alone learns from it."""

    def __init__(self, recipe: TwoHeadsRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.net = cast(DPT, build(f"dpt-{recipe.size}", heads=recipe.heads))
        tasks = ("depth", "person") if recipe.heads == "both" else (recipe.heads,)
        self.settle = UncertaintyWeights(tasks) if recipe.uncertainty else None

    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Return "depth" (relative disparity) and "person" (logits), as the heads are."""
        return self.net(batch["image"])

    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return ssi and gradient on disparity, bce and dice on people; or settled task sums."""
        tasks: dict[str, dict[str, Tensor]] = {}
        if "depth" in prediction:
            tasks["depth"] = self._depth_terms(prediction["depth"], batch["depth_m"])
        if "person" in prediction:
            tasks["person"] = known_mask_terms(prediction["person"], batch["person"])
        if self.settle is not None:
            return self.settle({name: sum_of(terms) for name, terms in tasks.items()})
        weight = self.recipe.person_weight if "depth" in tasks else 1.0
        people = {name: weight * value for name, value in tasks.get("person", {}).items()}
        return tasks.get("depth", {}) | people

    def scores(self, batch: Batch) -> dict[str, float]:
        """Return depth scores after least squares in disparity, and the mask's IoU."""
        answers = self.net(batch["image"])
        scores: dict[str, float] = {}
        if "depth" in answers:
            scores |= scores_in_metres(*self._aligned(answers["depth"], batch), self.recipe.far_m)
        known = torch.isfinite(batch["person"])
        if "person" in answers and known.any():
            scores["person_iou"] = iou(answers["person"][known] > 0, batch["person"][known] > 0.5)
        return scores

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return depth (picture, estimate, truth) and person (picture, probability, truth)."""
        answers = self.net(batch["image"])
        drawn = {}
        if "depth" in answers:
            aligned, _ = self._aligned(answers["depth"], batch)
            drawn["depth"] = depth_picture(batch, 1 / aligned)
        if "person" in answers:
            drawn["person"] = pictures.rows(
                [pictures.photo(image) for image in batch["image"]],
                [pictures.share(p[0].sigmoid()) for p in answers["person"]],
                [pictures.share(p[0].nan_to_num()) for p in batch["person"]],
            )
        return drawn

    def depth_graph(self) -> DepthGraph:
        """Return relative disparity and, with that head, the probability of a person."""
        if self.recipe.heads == "person":
            raise UsageError("A network with the person head alone knows no depth to export.")
        multiple = self.net.backbone.config.patch
        outputs = ("depth", "person") if self.recipe.heads == "both" else ("depth",)
        graph = Answers(self.net, outputs)
        return DepthGraph(graph, "relative disparity", self.recipe.hw, multiple, outputs)

    def _depth_terms(self, seen: Tensor, depth: Tensor) -> dict[str, Tensor]:
        recipe = self.recipe
        valid = torch.isfinite(depth)[:, 0]
        target = (1 / depth.nan_to_num(1.0))[:, 0]
        pair = (seen[:, 0], target, valid)
        rough = gradient_matching(*pair, alignment=recipe.alignment)
        return {
            "ssi": scale_shift_invariant(*pair, recipe.alignment).mean(),
            "gradient": recipe.gradient_weight * rough.mean(),
        }

    def _aligned(self, seen: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return depth in metres, fitted to every picture's truth, and the truth."""
        far_m = self.recipe.far_m
        truth = torch.where(batch["depth_m"] < far_m, batch["depth_m"], torch.nan)
        rows = []
        for own, wanted in zip(seen[:, 0].cpu().numpy(), truth[:, 0].cpu().numpy(), strict=True):
            rows.append(affine_depth(own, wanted, np.isfinite(wanted), far_m))
        return torch.from_numpy(np.stack(rows))[:, None].float().to(truth), truth


class Answers(nn.Module):
    """One picture to the network's answers in a fixed order; people as a probability."""

    def __init__(self, net: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.net, self.names = net, names

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return one b 1 h w for each name."""
        seen = self.net(image)
        return tuple(seen[n].sigmoid() if n == "person" else seen[n] for n in self.names)


def iou(own: Tensor, wanted: Tensor) -> float:
    """Return intersection over union of two boolean masks; 1 where both are empty."""
    either = int((own | wanted).sum())
    return int((own & wanted).sum()) / either if either else 1.0


def sum_of(terms: dict[str, Tensor]) -> Tensor:
    """Return the sum of scalar terms."""
    return torch.stack(list(terms.values())).sum()


_TINY = TwoHeadsRecipe(
    size="mi",
    hw=(64, 96),
    samples="rendered",
    far_m=20.0,
    rooms=320,
    places=("crowd", "portrait"),
    epochs=25,
    measure_every=5,
    batch=8,
    alignment="mean",
    workers=0,
    log_every=5,
    optimiser=Optimiser(rate=1e-3, schedule="cosine", warmup_steps=50, clip_norm=1.0),
)
RECIPES = {
    "dpt-depth": TwoHeadsRecipe(heads="depth"),
    "dpt-person": TwoHeadsRecipe(heads="person"),
    "dpt-both": TwoHeadsRecipe(),
    "dpt-rgbd-tiny": _TINY.but(
        heads="depth", samples="rgbd+rendered", far_m=10.0, places=("room",), epochs=30
    ),
    "dpt-depth-tiny": _TINY.but(heads="depth"),
    "dpt-person-tiny": _TINY.but(heads="person"),
    "dpt-both-tiny": _TINY,
}
