"""Held-out scores of a system, and which state of a run was the best by one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from pullfocus.errors import UsageError
from pullfocus.lab.engine.recipe import Recipe
from pullfocus.lab.engine.sampler import SampleSource, held_out_batches
from pullfocus.lab.engine.system import Batch, System


@torch.no_grad()
def score(
    system: System, source: SampleSource, batch: int, device: torch.device
) -> dict[str, float]:
    """Return the mean of a system's scores over every sample of a source."""
    sums: dict[str, list[tuple[float, int]]] = {}
    for held_out in held_out_batches(source, batch):
        size = len(next(iter(held_out.values())))
        for name, value in system.scores(on(held_out, device)).items():
            sums.setdefault(name, []).append((value, size))
    return {name: _weighted_mean(pairs) for name, pairs in sums.items()}


def is_better(recipe: Recipe, scores: Mapping[str, float], best: float | None) -> bool:
    """Tell whether scores beat the best so far by the recipe's ``best_score``.

    Raises:
        UsageError: the system has no such score.
    """
    if recipe.best_score is None:
        return False
    if recipe.best_score not in scores:
        raise UsageError(
            f"best_score = {recipe.best_score!r} is no score of this run; there are: "
            f"{', '.join(scores)}."
        )
    value = scores[recipe.best_score]
    if math.isnan(value) or best is None:
        return not math.isnan(value)
    return value < best if recipe.best_is == "smallest" else value > best


def on(batch: Batch, device: torch.device) -> Batch:
    """Return a batch on a device."""
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _weighted_mean(pairs: list[tuple[float, int]]) -> float:
    values, sizes = zip(*pairs, strict=True)
    return float(np.average(values, weights=sizes))
