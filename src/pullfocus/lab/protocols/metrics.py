"""Scores of a depth map against truth: pure numpy, every formula with its source.

All take a prediction and a truth of one shape h w and a boolean mask of pixels that count.
``disparity`` is larger = nearer; the alignment is named in the function.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

EDGE_RATIOS = np.linspace(1.05, 1.25, 10)
"""Thresholds of boundary F1. Source: Depth Pro (Bochkovskii 2024), section 3.3."""


def align_least_squares(
    prediction: np.ndarray, target: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    """Return ``s * prediction + t`` with s, t of the least squares fit to target over valid.

    Source: Ranftl et al. 2020 (MiDaS), equation 4.
    """
    p = prediction[valid].astype(np.float64)
    t = target[valid].astype(np.float64)
    spread = p.var()
    scale = ((p - p.mean()) * (t - t.mean())).mean() / spread if spread > 1e-12 else 0.0
    return scale * prediction.astype(np.float64) + (t.mean() - scale * p.mean())


def affine_depth(
    disparity: np.ndarray,
    depth_m: np.ndarray,
    valid: np.ndarray,
    far_m: float,
    near_m: float = 1e-3,
) -> np.ndarray:
    """Return depth in metres from relative disparity, fitted to 1/depth, clipped to near..far.

    Source: reference/evaluation-protocols.md, affine-invariant, disparity.
    """
    inverse = np.where(valid, 1.0 / np.where(valid, depth_m, 1.0), 0.0)
    fitted = align_least_squares(disparity, inverse, valid)
    return np.clip(1.0 / np.maximum(fitted, 1e-3), near_m, far_m)


def abs_rel(depth: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    """Return mean |d - g| / g. Source: Eigen et al. 2014, section 4.2."""
    d, g = depth[valid], truth[valid]
    return float(np.mean(np.abs(d - g) / g))


def delta(depth: np.ndarray, truth: np.ndarray, valid: np.ndarray, power: int) -> float:
    """Return the share of pixels with max(d/g, g/d) < 1.25^power. Source: Eigen et al. 2014."""
    d, g = depth[valid], truth[valid]
    return float(np.mean(np.maximum(d / g, g / d) < 1.25**power))


def delta1(depth: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    """Return `delta` with power 1, the one that tables lead with."""
    return delta(depth, truth, valid, 1)


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks 0..n-1 of a vector, ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2.0)[inverse]


def rank_correlation(prediction: np.ndarray, target: np.ndarray, valid: np.ndarray) -> float:
    """Return Spearman's rho in -1..1; 0 where either side is constant.

    Source: Spearman 1904; Pearson correlation of tie-averaged ranks.
    """
    a, b = ranks(prediction[valid]), ranks(target[valid])
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / norm) if norm > 0 else 0.0


def _directional_edges(disparity: np.ndarray, valid: np.ndarray, ratio: float) -> list[np.ndarray]:
    """Return four maps: left, right, up, down neighbour is farther by more than ``ratio``."""
    z = 1.0 / np.maximum(disparity, 1e-6)
    maps = []
    for axis in (1, 0):
        first = [slice(None), slice(None)]
        second = [slice(None), slice(None)]
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        a, b = z[tuple(first)], z[tuple(second)]
        both = valid[tuple(first)] & valid[tuple(second)]
        maps += [(a / b > ratio) & both, (b / a > ratio) & both]
    return maps


def mask_boundary_recall(disparity: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of a mask's edge (h w bool) at which disparity steps, weighted.

    Of each run of neighbouring steps only the largest counts, so that a ramp does not score by
    being wide.

    Source: Depth Pro (Bochkovskii 2024), section 3.3 and its supplement: recall only, weights as
    in `boundary_f1`.
    """
    edges = _mask_edges(mask)
    scores = []
    for ratio in EDGE_RATIOS:
        thinned = _thinned_edges(disparity, ratio)
        hits = [(p & t).sum() / max(t.sum(), 1) for p, t in zip(thinned, edges, strict=True)]
        scores.append(np.mean(hits))
    return float(np.average(scores, weights=EDGE_RATIOS))


def _mask_edges(mask: np.ndarray) -> list[np.ndarray]:
    """Return where the right, left, lower, upper one of two neighbours alone is in the mask."""
    columns = (mask[:, :-1], mask[:, 1:])
    rows = (mask[:-1], mask[1:])
    return [m for a, b in (columns, rows) for m in (~a & b, a & ~b)]


def _thinned_edges(disparity: np.ndarray, ratio: float) -> list[np.ndarray]:
    """Return `_directional_edges` with the arg-max of each run along the row (or column) only."""
    valid = np.ones(disparity.shape, bool)
    log = -np.log(np.maximum(disparity, 1e-6))
    out = []
    for number, edges in enumerate(_directional_edges(disparity, valid, ratio)):
        axis = 1 if number < 2 else 0
        step = np.abs(np.diff(log, axis=axis))
        lines = (edges, step) if axis == 1 else (edges.T, step.T)
        kept = _largest_of_runs(*lines)
        out.append(kept if axis == 1 else kept.T)
    return out


def _largest_of_runs(on: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return a map that keeps, of each run of true pixels along a row, the one largest in size."""
    starts = on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]
    index = np.flatnonzero(on)
    run = np.cumsum(starts.ravel())[index]
    order = np.lexsort((index, -size.ravel()[index], run))
    _, first = np.unique(run[order], return_index=True)
    kept = np.zeros(on.size, bool)
    kept[index[order[first]]] = True
    return kept.reshape(on.shape)


def boundary_f1(prediction: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> float:
    """Return the boundary F1 of two positive disparities in 0..1, weighted over thresholds.

    Source: Depth Pro (Bochkovskii 2024), section 3.3: precision and recall are means over four
    directions, weights t / sum t over ``EDGE_RATIOS``.
    """
    scores = []
    for ratio in EDGE_RATIOS:
        pairs = list(
            zip(
                _directional_edges(prediction, valid, ratio),
                _directional_edges(truth, valid, ratio),
                strict=True,
            )
        )
        precision = np.mean([(p & t).sum() / max(p.sum(), 1) for p, t in pairs])
        recall = np.mean([(p & t).sum() / max(t.sum(), 1) for p, t in pairs])
        total = precision + recall
        scores.append(2 * precision * recall / total if total > 0 else 0.0)
    return float(np.average(scores, weights=EDGE_RATIOS))


def ordinal_accuracy(
    disparity: np.ndarray, truth: np.ndarray, valid: np.ndarray, pairs: int = 5000, seed: int = 0
) -> float:
    """Return the share of random pixel pairs (true ratio > 1.1) put in the right order.

    Source: WHDR of Chen et al. 2016 (Depth in the Wild), as an accuracy.
    """
    index = np.flatnonzero(valid)
    rng = np.random.default_rng(seed)
    a, b = rng.choice(index, (2, pairs))
    p, t = disparity.ravel(), truth.ravel()
    ratio = t[a] / t[b]
    clear = (ratio > 1.1) | (ratio < 1 / 1.1)
    if not clear.any():
        return 1.0
    return float(np.mean((p[a] > p[b])[clear] == (ratio > 1)[clear]))


def person_margin(disparity: np.ndarray, mask: np.ndarray) -> float | None:
    """Return how much nearer a person is than the surroundings at the same height.

    The mean over rows of (mean disparity in the mask - mean outside it), over rows that hold at
    least two pixels of both, in units of the map's standard deviation; None without such rows.
    Source: issue 4 (person rank accuracy).
    """
    inside = mask.sum(1)
    outside = mask.shape[1] - inside
    rows = (inside >= 2) & (outside >= 2)
    if not rows.any():
        return None
    d, m = disparity[rows].astype(np.float64), mask[rows]
    near = (d * m).sum(1) / inside[rows]
    far = (d * ~m).sum(1) / outside[rows]
    spread = disparity.std()
    return float((near - far).mean() / spread) if spread > 1e-9 else 0.0


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
        "abs_rel": abs_rel(depth_m, truth_m, valid),
        "sq_rel": float(np.mean((d - g) ** 2 / g)),
        "rmse": _root_mean_square(d - g),
        "rmse_log": _root_mean_square(log),
        "log10": float(np.mean(np.abs(log)) / np.log(10)),
        "silog": float(100 * log.std()),
        "rmse_log10": _root_mean_square(log) / float(np.log(10)),
    } | {f"delta{k}": delta(depth_m, truth_m, valid, k) for k in (1, 2, 3)}


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
