"""What a depth network is taught by: losses on relative disparity and on features.

Shapes: prediction and target b h w, valid b h w bool. All are finite for empty masks.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def _masked_mean(x: Tensor, valid: Tensor) -> Tensor:
    return (x * valid).sum((1, 2)) / valid.sum((1, 2)).clamp(min=1)


def standardise(x: Tensor, valid: Tensor) -> Tensor:
    """Return x with mean 0 and mean absolute deviation 1 over valid, per picture.

    Source: Ranftl et al. 2020 (MiDaS), equation 5, with the mean in place of the median.
    """
    shifted = x - _masked_mean(x, valid)[:, None, None]
    spread = _masked_mean(shifted.abs(), valid)
    return shifted / spread.clamp(min=1e-4)[:, None, None]


def scale_shift_invariant(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return b: mean absolute difference after both sides are standardised.

    Source: Ranftl et al. 2020 (MiDaS), equation 6.
    """
    difference = standardise(prediction, valid) - standardise(target, valid)
    return _masked_mean(difference.abs(), valid)


def gradient_matching(prediction: Tensor, target: Tensor, valid: Tensor, scales: int = 4) -> Tensor:
    """Return b: mean |gradient of the standardised difference|, summed over halved scales.

    Source: Ranftl et al. 2020 (MiDaS), equation 11 (pyramid by subsampling).
    """
    difference = standardise(prediction, valid) - standardise(target, valid)
    total = torch.zeros(len(prediction), device=prediction.device)
    for level in range(scales):
        d, m = difference[:, :: 2**level, :: 2**level], valid[:, :: 2**level, :: 2**level]
        for axis in (1, 2):
            if d.shape[axis] < 2:
                continue
            both = m.narrow(axis, 1, m.shape[axis] - 1) & m.narrow(axis, 0, m.shape[axis] - 1)
            total = total + _masked_mean(d.diff(dim=axis).abs(), both)
    return total / scales


class HintScale:
    """Running mean square of a teacher's channels, by which hint errors are measured."""

    def __init__(self, momentum: float = 0.02) -> None:
        self.momentum = momentum
        self.square: dict[str, Tensor] = {}

    def loss(self, name: str, own: Tensor, hint: Tensor) -> Tensor:
        """Return the squared error (Huber beyond 3) of own's first channels, both b k h w.

        In units of each channel's own power, so 1 = as bad as answering zero.
        """
        now = hint.float().square().mean((0, 2, 3))
        kept = self.square.get(name)
        self.square[name] = now if kept is None else kept.lerp(now, self.momentum)
        power = self.square[name]
        weight = 1 / (power + 0.05 * power.mean() + 1e-6)
        error = (own[:, : hint.shape[1]].float() - hint.float()) * weight.sqrt()[:, None, None]
        return 2 * functional.huber_loss(error, torch.zeros_like(error), delta=3.0)
