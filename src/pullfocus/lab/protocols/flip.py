"""Flip post-processing: a network's answers about a picture and its mirror image, made into one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pullfocus.depth.estimator import Estimator, RawDepth


def merge_mirrored(
    direct: Float[np.ndarray, "h w"], mirrored_back: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w"]:
    """Return the mirrored answer at the left border, the direct one at the right, else their mean.

    The weights fall from 1 to 0 over columns 5 % to 10 % of the width.

    Source: Godard et al. 2017, supplement section 2 (whose formula exchanges i and j), as in
        reference/depth-networks.md.
    """
    x = np.linspace(0, 1, direct.shape[1])
    left = 1 - np.clip(20 * (x - 0.05), 0, 1)
    right = left[::-1]
    mean = (direct + mirrored_back) / 2
    return right * direct + left * mirrored_back + (1 - left - right) * mean


def estimate(model: Estimator, rgb: np.ndarray, *, flip: bool) -> RawDepth:
    """Ask a model about a picture, and about its mirror image too if ``flip``."""
    direct = model.estimate(rgb)
    if not flip:
        return direct
    mirrored = model.estimate(np.ascontiguousarray(rgb[:, ::-1]))
    merged = merge_mirrored(direct.values, mirrored.values[:, ::-1])
    return RawDepth(merged.astype(np.float32), direct.kind)
