"""The depth protocols: align one image's depth, score it, next image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.lab.protocols import depth_sets
from pullfocus.lab.protocols.alignment import SMALLEST, aligned_depth, best_alignment
from pullfocus.lab.protocols.depth_sets import AFFINE, Case, Cases, Range
from pullfocus.lab.protocols.flip import estimate
from pullfocus.lab.protocols.metrics import d1_all, depth_scores
from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.pictures import Look
from pullfocus.lab.protocols.summary import means


@dataclass(frozen=True)
class DepthProtocol:
    """How one set is scored.

    Attributes:
        limits: caps and crop.
        alignment: of relative models; metric ones are left as they are.
        read: the cases of a folder.
        nearest: predictions are resized by nearest sample.
        prints: scores that the protocol's tables print, in their order.
    """

    limits: Range
    alignment: str
    read: Callable[[Path, Options, Range], Cases]
    prints: tuple[str, ...]
    nearest: bool = False
    mean = staticmethod(means)

    def settings(self, options: Options) -> dict[str, str]:
        """Return what makes the figures comparable, in words."""
        limits = self.limits
        if self.read is depth_sets.affine:
            limits = AFFINE.get(options.subset or "folder", (limits,))[0]
        limits = limits.with_options(options)
        said = {"range": f"{limits.near_m:g}..{limits.far_m:g} m", "crop": limits.crop}
        if options.improved is not None:
            said |= {"truth": "accumulated (improved), KB crop"}
        return said | ({"set": options.subset} if options.subset else {})

    def rule(self, model: Estimator, options: Options) -> str:
        """Return the alignment that this model gets."""
        return options.alignment or best_alignment(model.card.output, self.alignment)

    def rows(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        """Yield each image's name, scores and pictures."""
        rule = self.rule(model, options)
        cases = self.read(data, options, self.limits.with_options(options))
        for i in range(len(cases) if options.limit is None else min(options.limit, len(cases))):
            case = cases[i]
            if not case.truth.valid.any():
                continue
            raw = estimate(model, case.rgb, flip=options.flip)
            depth = aligned_depth(raw, case.truth, rule, self.nearest)
            yield case.name, self._scores(depth, case), _look(case.truth.clamp(depth), case)

    def _scores(self, depth: np.ndarray, case: Case) -> dict[str, float]:
        truth = case.truth
        found = depth_scores(truth.clamp(depth), truth.depth_m, truth.valid)
        if case.truth_px is not None:
            disparity = truth.focal_px * truth.baseline_m / np.maximum(depth, SMALLEST)
            found["d1_all"] = d1_all(disparity, case.truth_px, truth.valid)
        return {name: found[name] for name in self.prints}


def _look(depth: np.ndarray, case: Case) -> Look:
    truth, valid = case.truth.depth_m, case.truth.valid
    error = np.where(valid, np.abs(depth - truth) / np.where(valid, truth, 1), np.nan)
    inverse = np.where(valid, 1 / np.where(valid, truth, 1), np.nan)
    return Look(case.rgb, inverse, 1 / depth, error)


_EIGEN = ("abs_rel", "sq_rel", "rmse", "rmse_log", "delta1", "delta2", "delta3", "silog")
DEPTH_PROTOCOLS = {
    "kitti-eigen": DepthProtocol(Range(1e-3, 80, "garg"), "median", depth_sets.kitti_eigen, _EIGEN),
    "kitti-2015": DepthProtocol(
        Range(1e-3, 80), "median", depth_sets.kitti_2015, (*_EIGEN[:4], "d1_all", *_EIGEN[4:])
    ),
    "nyu": DepthProtocol(
        Range(1e-3, 10, "nyu"),
        "affine-disparity",
        depth_sets.nyu,
        ("delta1", "delta2", "delta3", "abs_rel", "rmse", "log10"),
    ),
    "make3d": DepthProtocol(
        Range(1e-3, 70),
        "median",
        depth_sets.make3d,
        ("sq_rel", "abs_rel", "rmse", "log10", "rmse_log10"),
        nearest=True,
    ),
    "affine": DepthProtocol(
        Range(1e-3, 80), "affine", depth_sets.affine, ("abs_rel", "delta1", *_EIGEN[1:4])
    ),
}
"""Source: reference/evaluation-protocols.md."""
