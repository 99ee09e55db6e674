"""The scores of the depth tables, all of one image at once: what Eigen 2014 and its heirs print."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from pullfocus.lab import metrics


def depth_scores(
    depth_m: Float[np.ndarray, "h w"],
    truth_m: Float[np.ndarray, "h w"],
    valid: Bool[np.ndarray, "h w"],
) -> dict[str, float]:
    """Return the scores of one image over its valid pixels; both depths positive there.

    abs_rel, sq_rel, rmse, rmse_log (natural), log10, silog (times 100), delta1..3, rmse_log10.

    Convention: a table's figure is the mean of these over images, each image counting once
        (DenseDepth alone pools all pixels).

    Source: Eigen et al. 2014, section 4.2; reference/evaluation-protocols.md.
    """
    d, g = depth_m[valid].astype(np.float64), truth_m[valid].astype(np.float64)
    log = np.log(d) - np.log(g)
    return {
        "abs_rel": metrics.abs_rel(depth_m, truth_m, valid),
        "sq_rel": float(np.mean((d - g) ** 2 / g)),
        "rmse": _root_mean_square(d - g),
        "rmse_log": _root_mean_square(log),
        "log10": float(np.mean(np.abs(log)) / np.log(10)),
        "silog": float(100 * log.std()),
        "rmse_log10": _root_mean_square(log) / float(np.log(10)),
    } | {f"delta{k}": metrics.delta(depth_m, truth_m, valid, k) for k in (1, 2, 3)}


def d1_all(
    disparity_px: Float[np.ndarray, "h w"],
    truth_px: Float[np.ndarray, "h w"],
    valid: Bool[np.ndarray, "h w"],
) -> float:
    """Return the percentage of pixels wrong by at least 3 px and 5 % of the truth.

    Source: Menze and Geiger 2015 (KITTI 2015), section 5.
    """
    truth = truth_px[valid]
    error = np.abs(disparity_px[valid] - truth)
    return float(100 * np.mean((error >= 3) & (error >= 0.05 * truth)))


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))
