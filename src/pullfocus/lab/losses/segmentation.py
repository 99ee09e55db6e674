"""Losses on a person mask: logits b 1 h w against a target b 1 h w in 0..1 (soft edges allowed)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pullfocus.lab.losses.image import mean

Logits = Float[Tensor, "b 1 h w"]
Target = Float[Tensor, "b 1 h w"]


def dice(logits: Logits, target: Target) -> Float[Tensor, ""]:
    """Return 1 - (2 sum p t + 1) / (sum p + sum t + 1) per picture, averaged.

    The ones let a picture without a person score 0 for an empty answer.
    Source: Milletari et al. 2016, V-Net, section 3, with plain sums below and smoothed by one.
    """
    own = logits.sigmoid()
    both, either = (own * target).sum((1, 2, 3)), (own + target).sum((1, 2, 3))
    return mean(1 - (2 * both + 1) / (either + 1))


def mask_terms(logits: Logits, target: Target) -> dict[str, Tensor]:
    """Return binary cross-entropy and Dice by name; their sum is the loss."""
    entropy = functional.binary_cross_entropy_with_logits(logits, target)
    return {"bce": entropy, "dice": dice(logits, target)}


def known_mask_terms(logits: Logits, target: Target) -> dict[str, Tensor]:
    """Return `mask_terms` of the pictures whose target is known everywhere (NaN = unknown).

    Without any, both are 0 and reach the logits, so that a step can still be taken.
    """
    known = torch.isfinite(target).all(3).all(2)[:, 0]
    if not known.any():
        return {name: logits.sum() * 0 for name in ("bce", "dice")}
    return mask_terms(logits[known], target[known])
