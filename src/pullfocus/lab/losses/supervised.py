"""Losses against measured depth, b 1 h w each, with its mask; learned weights of several tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pullfocus.lab.losses.image import block_mean, dissimilarity, masked_mean, ssim

Map = Float[Tensor, "b 1 h w"]
Mask = Bool[Tensor, "b 1 h w"]


def _residual(prediction: Map, target: Map, valid: Mask) -> Map:
    """Return prediction - target, 0 where not valid whatever the target holds there."""
    return torch.where(valid, prediction - target, 0)


def masked_gradient(prediction: Map, target: Map, valid: Mask) -> Float[Tensor, ""]:
    """Return mean |dx residual| + mean |dy residual| over pairs of valid neighbours.

    Source: Alhashim and Wonka 2018, High quality monocular depth estimation, equation 3.
    """
    residual = _residual(prediction, target, valid)
    total = torch.zeros((), device=residual.device, dtype=residual.dtype)
    for axis in (2, 3):
        pairs = valid.shape[axis] - 1
        both = valid.narrow(axis, 1, pairs) & valid.narrow(axis, 0, pairs)
        total = total + masked_mean(residual.diff(dim=axis).abs(), both)
    return total


def masked_dissimilarity(
    prediction: Map, target: Map, valid: Mask, value_range: float
) -> Float[Tensor, ""]:
    """Return mean (1 - SSIM) / 2 over 3x3 windows that are valid all over.

    Source: Alhashim and Wonka 2018, equation 4; windows as in ``losses.image.ssim``.
    """
    known = torch.where(valid, target, prediction.detach())
    whole = block_mean(valid.to(prediction.dtype)) > 1 - 1e-4
    return masked_mean(dissimilarity(ssim(prediction, known, value_range)), whole)


def l1_gradient_ssim(
    prediction: Map, target: Map, valid: Mask, value_range: float = 1.0, l1_weight: float = 0.1
) -> dict[str, Tensor]:
    """Return the weighted terms l1, gradient and ssim; their sum is the loss.

    Args:
        prediction: inverse-like depth, ``max_depth / depth``.
        target: the same of the truth.
        valid: where the truth was measured.
        value_range: what the target may reach, max_depth / min_depth; scales SSIM's constants.
        l1_weight: lambda of the paper.

    Source: Alhashim and Wonka 2018, equation 1, as used by Gulve and Gupta (CS231N), equation 1.
    """
    residual = _residual(prediction, target, valid)
    return {
        "l1": l1_weight * masked_mean(residual.abs(), valid),
        "gradient": masked_gradient(prediction, target, valid),
        "ssim": masked_dissimilarity(prediction, target, valid, value_range),
    }


def reverse_huber(residual: Float[Tensor, ...], threshold: Float[Tensor, ""]) -> Float[Tensor, ...]:
    """Return |x| up to the threshold c, (x^2 + c^2) / 2c beyond; c = 0 means |x| everywhere.

    Source: Laina et al. 2016, equation 1.
    """
    size = residual.abs()
    above = (size > threshold) & (threshold > 0)
    c = torch.where(threshold > 0, threshold, 1)
    # The square is taken only where it counts, so that no unused infinity meets a zero gradient.
    outer = torch.where(above, size, 0)
    return torch.where(above, (outer.square() / c + c) / 2, size)


def berhu(prediction: Map, target: Map, valid: Mask) -> Float[Tensor, ""]:
    """Return the mean reverse Huber loss with c = a fifth of the batch's largest |residual|.

    No gradient flows through c.
    Source: Laina et al. 2016, section 3.2.
    """
    residual = _residual(prediction, target, valid)
    threshold = 0.2 * residual.detach().abs().amax()
    return masked_mean(reverse_huber(residual, threshold), valid)


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
