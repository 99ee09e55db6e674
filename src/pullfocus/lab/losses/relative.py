"""Losses relative to a scale: on disparity up to scale and shift, on features up to their power.

Shapes: prediction and target b h w, valid b h w bool. All are finite for empty masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.lab.losses.image import masked_mean

Map = Float[Tensor, "b h w"]
Mask = Bool[Tensor, "b h w"]
Alignment = Literal["mean", "median", "least-squares"]
"""What makes two maps comparable: centre and spread by means or medians, or the best line."""

_SMALLEST_SPREAD = 1e-4


def _per_picture(x: Map, valid: Mask) -> Float[Tensor, " b"]:
    return masked_mean(x, valid, (1, 2))


def standardise(x: Map, valid: Mask) -> Map:
    """Return x with mean 0 and mean absolute deviation 1 over valid, per picture.

    Source: Ranftl et al. 2020 (MiDaS), equation 5, with the mean in place of the median.
    """
    shifted = x - _per_picture(x, valid)[:, None, None]
    spread = _per_picture(shifted.abs(), valid)
    return shifted / spread.clamp(min=_SMALLEST_SPREAD)[:, None, None]


def standardise_by_median(x: Map, valid: Mask) -> Map:
    """Return x with median 0 and mean absolute deviation from it 1 over valid, per picture.

    Source: Ranftl et al. 2020 (MiDaS), equation 5.
    """
    inside = torch.where(valid, x, torch.nan).flatten(1)
    shifted = x - inside.nanmedian(1).values.nan_to_num()[:, None, None]
    spread = _per_picture(shifted.abs(), valid)
    return shifted / spread.clamp(min=_SMALLEST_SPREAD)[:, None, None]


def fit_line(prediction: Map, target: Map, valid: Mask) -> Map:
    """Return scale * prediction + shift, the closest to the target over valid, per picture.

    A prediction without contrast is met with the target's mean.
    Source: Ranftl et al. 2020 (MiDaS), equations 2 to 4, solved through moments about the means.
    """
    own, wanted = (x - _per_picture(x, valid)[:, None, None] for x in (prediction, target))
    variance = _per_picture(own.square(), valid)
    scale = _per_picture(own * wanted, valid) / variance.clamp(min=_SMALLEST_SPREAD**2)
    return scale[:, None, None] * own + (target - wanted)


def aligned_difference(
    prediction: Map, target: Map, valid: Mask, alignment: Alignment = "mean"
) -> Map:
    """Return prediction minus target after both are made comparable; 0 where not valid."""
    if alignment == "least-squares":
        difference = fit_line(prediction, target, valid) - target
    else:
        normal = standardise if alignment == "mean" else standardise_by_median
        difference = normal(prediction, valid) - normal(target, valid)
    return torch.where(valid, difference, 0)


def scale_shift_invariant(
    prediction: Map, target: Map, valid: Mask, alignment: Alignment = "mean"
) -> Float[Tensor, " b"]:
    """Return b: mean absolute difference after alignment.

    Source: Ranftl et al. 2020 (MiDaS), equation 6.
    """
    return _per_picture(aligned_difference(prediction, target, valid, alignment).abs(), valid)


def gradient_matching(
    prediction: Map, target: Map, valid: Mask, scales: int = 4, alignment: Alignment = "mean"
) -> Float[Tensor, " b"]:
    """Return b: mean |gradient of the aligned difference|, averaged over halved scales.

    Source: Ranftl et al. 2020 (MiDaS), equation 11 (pyramid by subsampling).
    """
    difference = aligned_difference(prediction, target, valid, alignment)
    total = torch.zeros_like(difference[:, 0, 0])
    for level in range(scales):
        d, m = difference[:, :: 2**level, :: 2**level], valid[:, :: 2**level, :: 2**level]
        for axis in (1, 2):
            both = m.narrow(axis, 1, m.shape[axis] - 1) & m.narrow(axis, 0, m.shape[axis] - 1)
            total = total + _per_picture(d.diff(dim=axis).abs(), both)
    return total / scales


class HintScale(nn.Module):
    """Errors of features against a teacher's, in units of each teacher channel's running power.

    The mean squares are buffers, so that they are saved with the system that has this.

    Args:
        channels: of the network's own features, by the stage's name.
        momentum: of the running mean.
    """

    def __init__(self, channels: Mapping[str, int], momentum: float = 0.02) -> None:
        super().__init__()
        self.momentum = momentum
        for name, count in channels.items():
            self.register_buffer(name, torch.full((count,), torch.nan))

    def loss(self, name: str, own: Tensor, hint: Tensor, counts: Tensor | None = None) -> Tensor:
        """Return the squared error (Huber beyond 3) of own's first channels, both b k h w.

        In units of each channel's own power, so 1 = as bad as answering zero. ``counts`` b bool:
        pictures that count; without any the loss is 0.
        """
        if counts is not None:
            own, hint = own[counts], hint[counts]
        if len(own) == 0:
            return own.sum()
        hint = hint.float()
        power = self._power(name, hint.square().mean((0, 2, 3)))
        weight = 1 / (power + 0.05 * power.mean() + 1e-6)
        error = (own[:, : hint.shape[1]].float() - hint) * weight.sqrt()[:, None, None]
        return 2 * functional.huber_loss(error, torch.zeros_like(error), delta=3.0)

    @torch.no_grad()
    def _power(self, name: str, now: Tensor) -> Tensor:
        """Return a stage's running mean square, brought up to date."""
        kept = self.get_buffer(name)[: len(now)]
        kept.copy_(torch.where(kept.isnan(), now, kept.lerp(now, self.momentum)))
        return kept.clone()
