"""Losses and gradients that are not finite stop the training; the batch is saved to look at."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from pullfocus.errors import PullfocusError
from pullfocus.lab.engine.system import Batch


class NotFiniteError(PullfocusError):
    """Report a loss or gradient that is NaN or infinite, and the file that holds its batch."""


def require_finite(terms: dict[str, Tensor], batch: Batch, step: int, path: Path) -> None:
    """Check a step's loss terms.

    Raises:
        NotFiniteError: names the terms and ``path``, which then holds the batch, its terms and
            the step, to be read with ``torch.load``.
    """
    bad = [name for name, value in terms.items() if not bool(torch.isfinite(value).all())]
    if not bad:
        return
    torch.save(
        {
            "step": step,
            "terms": {name: value.detach().cpu() for name, value in terms.items()},
            "batch": {name: value.cpu() for name, value in batch.items()},
        },
        path,
    )
    raise NotFiniteError(
        f"{', '.join(bad)} of step {step} {'is' if len(bad) == 1 else 'are'} not finite; the batch "
        f"is in {path}. Try a lower optimiser.rate, an optimiser.clip_norm or precision=no."
    )
