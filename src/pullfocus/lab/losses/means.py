"""Means that stay finite: of nothing they are zero."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, where


def mean(x: Tensor) -> Float[Tensor, ""]:
    """Return the mean of all values; 0 for an empty tensor."""
    return x.sum() / max(1, x.numel())


def masked_mean(
    x: Float[Tensor, ...], valid: Bool[Tensor, ...], dims: tuple[int, ...] | None = None
) -> Tensor:
    """Return the mean over valid along ``dims`` (all when None); 0 where nothing is valid.

    What stands in x outside valid never counts, not even infinity.
    """
    axes = tuple(range(x.ndim)) if dims is None else dims
    return where(valid, x, 0).sum(axes) / valid.sum(axes).clamp(min=1)
