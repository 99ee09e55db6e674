"""Several tasks, one sum: weights that training itself settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class UncertaintyWeights(nn.Module):
    """Weigh each task by exp(-s) and charge s for it; s = log variance is learned, from 0.

    Give its parameters to the optimiser beside the network's.
    Source: Kendall et al. 2018, Multi-task learning using uncertainty, equation 7, without the
    halves.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.log_variance = nn.ParameterDict({task: torch.zeros(()) for task in tasks})

    def forward(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weighted losses by task; their sum is the loss."""
        return {
            task: torch.exp(-self.log_variance[task]) * loss + self.log_variance[task]
            for task, loss in losses.items()
        }
