"""Several single-threaded processes on one machine, each with its share of every batch.

On cores that other work uses too, threads inside one step wait for the slowest at every layer
(measured here: 2 threads 10x slower than 1); processes wait once a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn


def join_group(rank: int, count: int, meeting: Path) -> None:
    """Make this process number ``rank`` of ``count`` that meet at a file (gloo)."""
    torch.set_num_threads(1)
    if count > 1:
        distributed.init_process_group(
            "gloo",
            init_method=f"file://{meeting}",
            rank=rank,
            world_size=count,
            timeout=timedelta(hours=1),
        )


def group_size() -> int:
    """Return how many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Tell whether this process is the one that logs and saves."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes."""
    if group_size() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    distributed.all_reduce(flat)
    flat /= group_size()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def fresh_meeting(folder: Path) -> Path:
    """Return a path for ``join_group`` that no earlier run has used."""
    path = folder / f".meeting-{os.getpid()}"
    path.unlink(missing_ok=True)
    return path
