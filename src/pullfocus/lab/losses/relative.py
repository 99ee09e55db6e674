"""Losses on relative disparity, blind to its scale and shift.

Shapes: prediction and target b h w, valid b h w bool. All are finite for empty masks.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pullfocus.lab.losses.means import masked_mean

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
