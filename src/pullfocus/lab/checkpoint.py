"""Where a run stands, on disk: written whole or not at all, read back after a kill."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pullfocus.networks.compact import Compact, CompactConfig

if TYPE_CHECKING:
    from pullfocus.lab.train import Trainer


class Averaged:
    """Exponential moving average of a network's weights and buffers.

    Source: Tarvainen and Valpola 2017, section 2; the decay grows as (1 + n) / (10 + n).
    """

    def __init__(self, net: nn.Module, decay: float = 0.99) -> None:
        self.decay, self.updates = decay, 0
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the network as it is now."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in net.state_dict().items():
            kept = self.state[name]
            if value.is_floating_point():
                kept.lerp_(value, 1 - decay)
            else:
                kept.copy_(value)


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write everything a run needs to go on; the old file stays until the new one is whole."""
    state = {
        "config": trainer.config.network.__dict__,
        "net": trainer.net.state_dict(),
        "average": trainer.average.state,
        "updates": trainer.average.updates,
        "optimiser": trainer.optimiser.state_dict(),
        "hint_scale": trainer.scale.square,
        "crops": trainer.crops,
        "seconds": trainer.seconds,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(trainer: Trainer, path: Path) -> bool:
    """Put a trainer where its checkpoint stood; return False when there is none."""
    if not path.exists():
        return False
    state = torch.load(path, weights_only=True)
    trainer.net.load_state_dict(state["net"])
    trainer.average.state = state["average"]
    trainer.average.updates = state["updates"]
    trainer.optimiser.load_state_dict(state["optimiser"])
    for group in trainer.optimiser.param_groups:
        group["fused"] = True
    trainer.scale.square = state["hint_scale"]
    trainer.crops, trainer.seconds = state["crops"], state["seconds"]
    return True


def averaged_network(path: Path) -> Compact:
    """Return the averaged network of a checkpoint, in evaluation mode."""
    state: dict[str, Any] = torch.load(path, weights_only=True)
    net = Compact(CompactConfig(**state["config"]))
    net.load_state_dict(state["average"])
    return net.eval()
