"""The running average of a system's weights, and norms measured for it before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from pullfocus.lab.engine.system import Batch, System

NORM_STEPS = 8
"""Steps whose batches the norms of averaged weights are measured on."""


class WeightAverage:
    """Exponential moving average of the weights that learn.

    Buffers are not averaged: the running statistics of batch norms belong to other weights, so
    ``measure_norms`` computes those of the averaged ones.

    Source: Tarvainen and Valpola 2017, section 2; the decay grows as (1 + n) / (10 + n).
    """

    def __init__(self, system: System, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights = {name: value.detach().clone() for name, value in _learning(system)}

    @torch.no_grad()
    def update(self, system: System) -> None:
        """Move towards the weights as they are now."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in _learning(system):
            self.weights[name].lerp_(value.detach(), 1 - decay)

    @contextmanager
    def in_place(self, system: System, batches: Iterable[Batch], step: int) -> Iterator[None]:
        """Give the system the averaged weights with norms of their own; undone on leaving."""
        parameters = dict(system.named_parameters())
        own = {name: parameters[name].detach().clone() for name in self.weights}
        buffers = {name: value.detach().clone() for name, value in system.named_buffers()}
        _fill(parameters, self.weights)
        measure_norms(system, batches, step)
        try:
            yield
        finally:
            _fill(parameters, own)
            _fill(dict(system.named_buffers()), buffers)

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` takes."""
        return {"updates": self.updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        self.updates = state["updates"]
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)


@torch.no_grad()
def measure_norms(system: System, batches: Iterable[Batch], step: int) -> None:
    """Replace the running statistics of batch norms by their means over some batches.

    Only norms in training mode are measured; the frozen part of a network keeps its own. Without
    any batch all stay as they are.

    Source: Izmailov et al. 2018, Averaging weights leads to wider optima, section 3.2.
    """
    norms = [m for m in system.modules() if isinstance(m, _BatchNorm) and m.training]
    norms = [norm for norm in norms if norm.running_mean is not None]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for number, batch in enumerate(batches):
        for norm in norms:
            if number == 0:
                norm.reset_running_stats()
            norm.momentum = None  # torch's word for a mean over all batches since the reset
        system.run_as_used(batch, step)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def kept_buffers(system: System) -> dict[str, Tensor]:
    """Return a copy of the buffers that a state dict holds."""
    names = {name for name, _ in system.named_buffers()}
    return {n: v.detach().clone() for n, v in system.state_dict().items() if n in names}


def _learning(system: System) -> Iterator[tuple[str, Tensor]]:
    return ((name, value) for name, value in system.named_parameters() if value.requires_grad)


@torch.no_grad()
def _fill(own: dict[str, Any], values: dict[str, Tensor]) -> None:
    for name, value in values.items():
        own[name].copy_(value)
