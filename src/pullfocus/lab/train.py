"""The training loop: distil a teacher and learn from truth, resumable after a kill.

Per batch: the teacher looks at the same views as the student and hints at every stage; early in
training its features also stand in for the student's own ("forcing"), so that all stages learn
at once, each on inputs that are already right.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from pullfocus.lab.checkpoint import Averaged, load_checkpoint, save_checkpoint
from pullfocus.lab.data.crops import Batch, CropConfig
from pullfocus.lab.engine.recipe import Settings
from pullfocus.lab.losses import HintScale, gradient_matching, scale_shift_invariant
from pullfocus.lab.losses.segmentation import known_mask_terms
from pullfocus.lab.parallel import average_gradients, group_size, is_first
from pullfocus.lab.teacher import Teacher
from pullfocus.networks.compact import Compact, CompactConfig, Hints

HINTED = ("e2", "e3", "e4", "d3", "d2")
"""Stages at which the teacher hints; stem and last join are short enough to learn without."""


class TrainConfig(Settings):
    """One run's settings; every count is in crops, so that runs compare at equal work."""

    network: CompactConfig = CompactConfig()
    crops: CropConfig = CropConfig()
    late_crops: CropConfig | None = None
    """Larger views for the last part of the run, from ``late_from`` crops on."""
    late_from: int = 0
    photos_per_batch: int = 16
    people_per_batch: int = 0
    """So many of the photos show people, if any do."""
    truths_per_batch: dict[str, int] = Field(default_factory=dict)
    """Pack name -> views a batch."""
    total_crops: int = 400_000
    warmup_crops: int = 3_000
    forcing_crops: int = 60_000
    """Crops over which forcing falls from .9 to 0."""
    rate: float = 2e-3
    final_rate: float = 2e-5
    weight_decay: float = 0.02
    hint_weight: float = 1.0
    person_weight: float = 1.0
    only: tuple[str, ...] = ()
    """Modules of the network to train while the rest stays as it is; none named: all."""
    seed: int = 1
    save_every_s: float = 240.0


def learning_rate(config: TrainConfig, crops: int) -> float:
    """Return the rate after so many crops: linear warm-up, then half a cosine."""
    warm = min(1.0, (crops + 1) / config.warmup_crops)
    share = min(1.0, crops / config.total_crops)
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return warm * (config.final_rate + (config.rate - config.final_rate) * cosine)


def hint_weight(config: TrainConfig, crops: int) -> float:
    """Return the weight of the hints: whole while forcing lasts, then falling to a tenth."""
    after = max(0, crops - config.forcing_crops)
    left = max(1, config.total_crops - config.forcing_crops)
    return config.hint_weight * (1 - 0.9 * min(1.0, after / left))


def crop_config(config: TrainConfig, crops: int) -> CropConfig:
    """Return how views are drawn after so many crops."""
    if config.late_crops is None or crops < config.late_from:
        return config.crops
    return config.late_crops


class Trainer:
    """A student, its optimiser, its running average and where it stands."""

    def __init__(self, config: TrainConfig, teacher: Teacher | None, out: Path) -> None:
        torch.manual_seed(config.seed)
        self.config, self.teacher, self.out = config, teacher, out
        self.net = Compact(config.network)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.only:
            self.net.requires_grad_(False)
        for name in config.only:
            self.net.get_submodule(name).requires_grad_(True)
        self.optimiser = torch.optim.AdamW(
            _groups(self.net, config.weight_decay), lr=config.rate, betas=(0.9, 0.98), fused=True
        )
        self.average = Averaged(self.net)
        self.scale = HintScale()
        self.crops, self.seconds, self.steps = 0, 0.0, 0
        out.mkdir(parents=True, exist_ok=True)
        load_checkpoint(self, out / "checkpoint.pt")

    def start_from(self, exported: Path, batch: Batch) -> None:
        """Take the weights of an exported file of the same network; norms measured on a batch."""
        from pullfocus.lab.warm_start import start_from_onnx

        image = torch.from_numpy(batch.rgb).permute(0, 3, 1, 2).float() / 255
        start_from_onnx(exported, self.net, image).train()
        self.average = Averaged(self.net)

    def step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch; return its losses (1-R2 of each hint under its stage's name)."""
        image = torch.from_numpy(batch.rgb).permute(0, 3, 1, 2).float() / 255
        hints = self._hints(image)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.config, self.crops)
        image = image.contiguous(memory_format=torch.channels_last)
        self._set_modes()
        with torch.autocast("cpu", torch.bfloat16, enabled=_has_fast_bf16()):
            estimates, seen = self.net.stages(image, self._forced(hints, image))
        losses = self._hint_losses(seen, hints, torch.from_numpy(batch.is_truth))
        total = hint_weight(self.config, self.crops) * sum(losses.values(), torch.zeros(()))
        answers = _disparity_losses(estimates.disparity, batch)
        answers["person"] = self.config.person_weight * _person_loss(estimates.person, batch)
        total = total + sum(answers.values())
        losses |= answers
        if not torch.isfinite(total):
            raise FloatingPointError(f"loss is not finite after {self.crops} crops")
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        average_gradients(self.net.parameters())
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.crops += len(image) * group_size()
        self.steps += 1
        if self.steps % 4 == 0:
            self.average.update(self.net)
        return {name: float(value.detach()) for name, value in losses.items()}

    def _set_modes(self) -> None:
        """Let norms follow the batch only in what is trained."""
        self.net.train(not self.config.only)
        for name in self.config.only:
            self.net.get_submodule(name).train()

    def _hint_losses(self, seen: Hints, hints: Hints, truth: Tensor) -> Hints:
        """Return the hint losses; where truth is known, the decoder answers to it alone."""
        losses = {}
        for name, hint in hints.items():
            those = ~truth if name.startswith("d") else torch.ones_like(truth)
            losses[name] = self.scale.loss(name, seen[name][those], hint[those])
        return losses

    def _hints(self, image: Tensor) -> Hints:
        if self.teacher is None:
            return {}
        stages = self.teacher.stages(image.numpy())[1]
        return {name: torch.from_numpy(stages[name]) for name in HINTED}

    def _forced(self, hints: Hints, image: Tensor) -> Hints:
        """Return, for each stage, hints for a random share of the pictures (own values elsewhere).

        Values are only put in where drawn: NaN marks a picture that keeps its own.
        """
        share = 0.9 * max(0.0, 1 - self.crops / max(1, self.config.forcing_crops))
        if share == 0.0:
            return {}
        forced = {}
        for name, hint in hints.items():
            keep_own = torch.rand(len(image)) >= share
            chosen = hint.clone()
            chosen[keep_own] = float("nan")
            forced[name] = chosen
        return forced


def _has_fast_bf16() -> bool:
    """Tell whether this machine gains by bfloat16; cores with AVX2 only lose tenfold."""
    return torch.backends.cpu.get_cpu_capability() not in ("DEFAULT", "AVX2")


def _groups(net: nn.Module, decay: float) -> list[dict[str, object]]:
    """Decay convolution weights only."""
    kernels = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def _disparity_losses(disparity: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return the losses on disparity b 1 h w (compared at half size)."""
    target = torch.from_numpy(batch.disparity)
    valid = torch.isfinite(target)
    target = torch.where(valid, target, torch.zeros(()))
    own = nn.functional.avg_pool2d(disparity.float(), 2)[:, 0]
    per_picture = {
        "ssi": scale_shift_invariant(own, target, valid),
        "grad": gradient_matching(own, target, valid),
    }
    weight = (valid.float().mean((1, 2)) > 0.1).float()
    truth = torch.from_numpy(batch.is_truth)
    losses = {}
    for name, value in per_picture.items():
        for kind, mask in (("photo", ~truth), ("truth", truth)):
            if mask.any():
                losses[f"{name}_{kind}"] = (value * weight)[mask].sum() / len(truth)
    return losses


def _person_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Return cross entropy and Dice of person logits b 1 h w, at half size, where all is known."""
    own = nn.functional.avg_pool2d(logits.float(), 2)
    terms = known_mask_terms(own, torch.from_numpy(batch.person)[:, None])
    return sum(terms.values(), torch.zeros(()))


def run(trainer: Trainer, stream: Iterable[Batch], log_every: int = 25) -> None:
    """Train on an iterator of batches until the configured crops are seen, logging JSONL."""
    config, log = trainer.config, trainer.out / "log.jsonl"
    last_save, mark = time.monotonic(), time.monotonic()
    sums: dict[str, list[float]] = {}
    for step, batch in enumerate(stream, 1):
        if trainer.crops >= config.total_crops:
            break
        for name, value in trainer.step(batch).items():
            sums.setdefault(name, []).append(value)
        if step % log_every == 0:
            now = time.monotonic()
            trainer.seconds += now - mark
            speed = log_every * len(batch.rgb) * group_size() / (now - mark)
            mark = now
            row = {"crops": trainer.crops, "s": round(trainer.seconds), "per_s": round(speed, 1)}
            row |= {name: round(float(np.mean(v)), 4) for name, v in sums.items()}
            sums.clear()
            if is_first():
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
        if is_first() and time.monotonic() - last_save > config.save_every_s:
            save_checkpoint(trainer, trainer.out / "checkpoint.pt")
            last_save = time.monotonic()
    if is_first():
        save_checkpoint(trainer, trainer.out / "checkpoint.pt")
