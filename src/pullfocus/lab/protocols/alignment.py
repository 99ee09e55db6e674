"""From what a network said to metres that can be held against truth, with the rule's name.

none              metric models: nothing is fitted
stereo            disparity in shares of the width, times the rig: monodepth's own
median            one factor an image: median truth / median depth
affine-disparity  scale and shift fitted to 1/truth (relative disparity)
affine-depth      scale and shift fitted to truth (relative or metric depth)
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pullfocus.depth.card import OutputKind
from pullfocus.depth.estimator import RawDepth
from pullfocus.errors import UsageError
from pullfocus.lab.protocols import metrics

ALIGNMENTS = ("none", "stereo", "median", "affine-disparity", "affine-depth")
SMALLEST = 1e-6
"""Disparity below is taken as this before it is inverted."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What one image is held against.

    Attributes:
        depth_m: h w, any value where not valid.
        valid: h w, pixels that count (caps and crop applied).
        near_m, far_m: to which predictions are clamped.
        focal_px, baseline_m: of the rig at this size; NaN where there is none.
    """

    depth_m: np.ndarray
    valid: np.ndarray
    near_m: float
    far_m: float
    focal_px: float = float("nan")
    baseline_m: float = float("nan")

    def clamp(self, depth_m: np.ndarray) -> np.ndarray:
        """Return a prediction within the range, as every table clamps it before scoring."""
        return np.clip(depth_m, self.near_m, self.far_m)


def best_alignment(kind: OutputKind, wished: str) -> str:
    """Return the rule for a kind of output where the protocol's own is ``wished``.

    "affine" fits every model; otherwise metric ones are left alone. Depth is not fitted as
    disparity.
    """
    if kind.startswith("metric") and wished != "affine":
        return "none"
    if wished.startswith("affine"):
        return "affine-disparity" if kind.endswith("disparity") else "affine-depth"
    return wished


def resized(values: np.ndarray, hw: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Return a map at another size, bilinearly or by its nearest sample, pixel centres at +0.5."""
    mode = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_LINEAR
    source = np.ascontiguousarray(values, np.float32)
    return np.asarray(cv2.resize(source, hw[::-1], interpolation=mode), np.float64)


def disparity_of(raw: RawDepth, hw: tuple[int, int], nearest: bool = False) -> np.ndarray:
    """Return disparity h w, larger = nearer: resized as disparity, as all protocols do."""
    values = raw.values
    if raw.kind.endswith("depth"):
        values = 1 / np.maximum(values, SMALLEST)
    return resized(values, hw, nearest)


def aligned_depth(raw: RawDepth, truth: Truth, rule: str, nearest: bool = False) -> np.ndarray:
    """Return depth in metres h w, not clamped yet.

    Raises:
        UsageError: a rule that there is not, or that this model or set cannot follow.
    """
    hw = truth.depth_m.shape
    if rule == "affine-disparity":
        disparity = disparity_of(raw, hw, nearest)
        fit = truth.valid & (disparity > 0) if (disparity > 0).any() else truth.valid
        return metrics.affine_depth(disparity, truth.depth_m, fit, np.inf, 0.0)
    if rule == "affine-depth":
        if raw.kind.endswith("disparity"):
            raise UsageError(f"{raw.kind} is fitted with affine-disparity, not affine-depth.")
        depth = resized(raw.values, hw, nearest)
        return metrics.align_least_squares(depth, truth.depth_m, truth.valid)
    return _scaled(1 / np.maximum(disparity_of(raw, hw, nearest), SMALLEST), raw, truth, rule)


def _scaled(depth: np.ndarray, raw: RawDepth, truth: Truth, rule: str) -> np.ndarray:
    if rule == "median":
        return depth * (np.median(truth.depth_m[truth.valid]) / np.median(depth[truth.valid]))
    if rule == "stereo":
        if np.isnan(truth.baseline_m):
            raise UsageError("This set names no rig; take median or affine-disparity.")
        return depth * (truth.focal_px * truth.baseline_m / depth.shape[1])
    if rule == "none":
        if not raw.kind.startswith("metric"):
            raise UsageError(f"A model of {raw.kind} has no metres; take median or another rule.")
        return depth
    raise UsageError(f"There is no alignment {rule!r}; there are: {', '.join(ALIGNMENTS)}.")
