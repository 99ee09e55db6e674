"""From a recipe's optimiser settings to torch's optimiser and its rate at every step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from pullfocus.lab.engine.recipe import Optimiser


def build_optimiser(config: Optimiser, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return Adam or AdamW over the parameters that learn."""
    learning = [p for p in parameters if p.requires_grad]
    if config.name == "adamw":
        return torch.optim.AdamW(learning, lr=config.rate, weight_decay=config.weight_decay)
    return torch.optim.Adam(learning, lr=config.rate, weight_decay=config.weight_decay)


def rate(config: Optimiser, step: int, steps: int) -> float:
    """Return the learning rate of a step out of ``steps``.

    Source: "halve", Godard 2017 section 4.1 (30th and 40th of 50 epochs); "cosine", Loshchilov
    and Hutter 2017, equation 5 without restarts, ending at a hundredth.
    """
    share = step / max(1, steps)
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    factors = {
        "constant": 1.0,
        "halve": 0.5 ** ((share >= 3 / 5) + (share >= 4 / 5)),
        "cosine": 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)),
    }
    return config.rate * warm * factors[config.schedule]
