"""The embedded network as a system of the engine: hints and forcing by a teacher, truth beside.

Early in training the teacher's features stand in for the network's own ("forcing"), so that all
stages learn at once, each on inputs that are already right; at every stage the network's features
are compared with the teacher's ("hints").
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pullfocus.lab.engine import pictures
from pullfocus.lab.engine.system import Batch, DepthGraph, System
from pullfocus.lab.losses import HintScale, gradient_matching, scale_shift_invariant
from pullfocus.lab.losses.segmentation import known_mask_terms
from pullfocus.lab.recipes.distill_settings import DistillSettings
from pullfocus.lab.recipes.two_heads import iou
from pullfocus.networks.compact import Compact, Hints

HINTED = ("e2", "e3", "e4", "d3", "d2")
"""Stages at which the teacher hints; stem and last join are short enough to learn without."""
HINT = "hint_"
"""A batch holds the teacher's features of a stage under this and the stage's name."""
EXPORT_HW = (256, 256)
MULTIPLE = 32
LEAST_KNOWN = 0.1
"""Share of a view's disparity that must be known for the view to count."""


class CompactSystem(System):
    """The embedded network with its losses.

    A batch has image b 3 h w, disparity and person b h/2 w/2 (NaN = unknown), is_truth b bool, and
    the teacher's features where it hints.
    """

    def __init__(self, recipe: DistillSettings) -> None:
        super().__init__()
        self.recipe = recipe
        self.net = Compact(recipe.network)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if recipe.only:
            self.net.requires_grad_(False)
        for name in recipe.only:
            self.net.get_submodule(name).requires_grad_(True)
        _, w2, w3, w4, _ = recipe.network.widths
        _, d2, d3 = recipe.network.decoder
        channels = {"e2": w2, "e3": w3, "e4": w4, "d3": d3, "d2": d2}
        self.scale = HintScale(channels)

    def train(self, mode: bool = True) -> CompactSystem:
        """Let norms follow the batch only in what is trained."""
        super().train(mode)
        if mode and self.recipe.only:
            self.net.eval()
            for name in self.recipe.only:
                self.net.get_submodule(name).train()
        return self

    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Return disparity and person logits b 1 h w, and the features of every hinted stage."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        forced = self._forced(batch, step) if self.training else {}
        estimates, seen = self.net.stages(image, forced)
        stages = {name: seen[name] for name in hints_of(batch)}
        return {"disparity": estimates.disparity, "person": estimates.person, "stages": stages}

    def run_as_used(self, batch: Batch, step: int) -> None:
        """Run the network on its own features alone."""
        self.net.stages(batch["image"].contiguous(memory_format=torch.channels_last), {})

    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return one term a hinted stage, two each on photos' and true disparity, one on people."""
        weight = self.recipe.hint_weight_at(step)
        hints = self._hint_terms(prediction["stages"], batch)
        terms = {name: weight * value for name, value in hints.items()}
        terms |= disparity_terms(halved(prediction["disparity"])[:, 0], batch)
        people = known_mask_terms(halved(prediction["person"]), batch["person"][:, None])
        return terms | {"person": self.recipe.person_weight * (people["bce"] + people["dice"])}

    def scores(self, batch: Batch) -> dict[str, float]:
        """Return the error up to scale and shift (all; true disparity alone) and the mask's IoU."""
        answers = self.net(batch["image"])
        error, counts = invariant_error(halved(answers.disparity)[:, 0], batch)
        scores = {}
        if counts.any():
            scores["ssi"] = float(error[counts].mean())
        if (counts & batch["is_truth"]).any():
            scores["ssi_truth"] = float(error[counts & batch["is_truth"]].mean())
        known = torch.isfinite(batch["person"])
        if known.any():
            own = halved(answers.person)[:, 0][known] > 0.5
            scores["person_iou"] = iou(own, batch["person"][known] > 0.5)
        return scores

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return one row a sample: picture, nearness, its label, people."""
        answers = self.net(batch["image"])
        sharp = batch["image"].shape[-2:]
        labels = functional.interpolate(batch["disparity"][:, None], sharp, mode="nearest")
        columns = (
            [pictures.photo(image) for image in batch["image"]],
            [pictures.nearness(own[0]) for own in answers.disparity],
            [pictures.nearness(label[0]) for label in labels],
            [pictures.share(own[0]) for own in answers.person],
        )
        return {"depth": pictures.rows(*columns)}

    def depth_graph(self) -> DepthGraph:
        """Return relative disparity and the probability of a person."""
        outputs = ("disparity", "person")
        return DepthGraph(self.net, "relative disparity", EXPORT_HW, MULTIPLE, outputs)

    def _hint_terms(self, seen: Hints, batch: Batch) -> Hints:
        """Return the hint losses; where truth is known, the decoder is taught by truth alone."""
        terms = {}
        for name, hint in hints_of(batch).items():
            counts = batch["is_truth"].logical_not() if name.startswith("d") else None
            terms[name] = self.scale.loss(name, seen[name], hint, counts)
        return terms

    def _forced(self, batch: Batch, step: int) -> Hints:
        """Return, for each stage, hints for a random share of the pictures.

        Convention: NaN marks a picture that keeps its own features (``Compact.stages``).
        """
        share = self.recipe.forced_share(step)
        if share == 0.0:
            return {}
        forced = {}
        for name, hint in hints_of(batch).items():
            keep_own = torch.rand(len(hint)) >= share  # on the CPU: the same on every device
            forced[name] = hint.masked_fill(
                keep_own.to(hint.device)[:, None, None, None], torch.nan
            )
        return forced


def hints_of(batch: Batch) -> Hints:
    """Return the teacher's features in a batch by stage."""
    return {
        name.removeprefix(HINT): value for name, value in batch.items() if name.startswith(HINT)
    }


def halved(values: Tensor) -> Tensor:
    """Return b c h w at half the size, float32, as labels are."""
    return functional.avg_pool2d(values.float(), 2)


def disparity_terms(own: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return the losses on disparity b h w, apart for the teacher's labels and for truth."""
    target, valid, weight = _targets(batch)
    errors = {
        "ssi": scale_shift_invariant(own, target, valid) * weight,
        "grad": gradient_matching(own, target, valid) * weight,
    }
    truth = batch["is_truth"]
    terms = {}
    for name, value in errors.items():
        terms[f"{name}_photo"] = value[~truth].sum() / len(truth)
        terms[f"{name}_truth"] = value[truth].sum() / len(truth)
    return terms


def invariant_error(own: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the error of each picture's disparity b h w, and which pictures are known enough."""
    target, valid, weight = _targets(batch)
    return scale_shift_invariant(own, target, valid), weight > 0


def _targets(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    valid = torch.isfinite(batch["disparity"])
    weight = (valid.float().mean((1, 2)) > LEAST_KNOWN).float()
    return batch["disparity"].nan_to_num(0.0), valid, weight
