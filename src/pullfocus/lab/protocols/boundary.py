"""Boundary scores: does depth step where the truth, or the edge of a mask, does?

Depth Pro's measure; MoGe's of the same name allows a radius and is another figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.lab.data.dataset_files import OWN, pictures
from pullfocus.lab.data.rgbd import RgbdFolder
from pullfocus.lab.protocols import metrics
from pullfocus.lab.protocols.alignment import aligned_depth, best_alignment, disparity_of
from pullfocus.lab.protocols.depth_sets import Range
from pullfocus.lab.protocols.flip import estimate
from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.pictures import Look
from pullfocus.lab.protocols.summary import means

MASKS = (("images", "masks"), ("Training_Images", "Ground_Truth"))
"""Names of the folders of pictures and masks (equal file names)."""
ALPHA = 0.1
"""A mask's pixel counts as inside above this. Source: Depth Pro, supplement."""


LIMITS = Range(1e-3, 80)
"""Truth outside has no boundary."""


class Boundary:
    """F1 against dense depth (``--set rgbd``), or recall against masks (``--set masks``)."""

    mean = staticmethod(means)

    def settings(self, options: Options) -> dict[str, str]:
        """Return what makes the figures comparable, in words."""
        return {"measure": "Depth Pro's", "thresholds": "1.05..1.25", "set": _subset(options)}

    def rule(self, model: Estimator, options: Options) -> str:
        """Return the alignment that this model gets; masks need none."""
        if _subset(options) == "masks":
            return "none"
        return options.alignment or best_alignment(model.card.output, "affine")

    def rows(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        """Yield each image's name, scores and pictures."""
        masks = _subset(options) == "masks"
        yield from (self._masks if masks else self._frames)(model, data, options)

    def _frames(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        limits, rule = LIMITS.with_options(options), self.rule(model, options)
        frames = RgbdFolder(data, far_m=limits.far_m)
        for i in range(min(options.limit or len(frames), len(frames))):
            frame = frames[i]
            truth = limits.truth(frame.depth_m, frame.valid)
            raw = estimate(model, frame.rgb, flip=options.flip)
            depth = truth.clamp(aligned_depth(raw, truth, rule))
            inverse = np.where(truth.valid, 1 / np.where(truth.valid, truth.depth_m, 1), 0)
            score = metrics.boundary_f1(1 / depth, inverse, truth.valid)
            shown = np.where(truth.valid, inverse, np.nan)
            yield frame.name, {"boundary_f1": score}, Look(frame.rgb, shown, 1 / depth)

    def _masks(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        for photo, mask_path in _pairs(data)[: options.limit]:
            rgb = OWN.rgb(photo)
            alpha = OWN.raw(mask_path)
            mask = alpha.astype(np.float32) / np.iinfo(alpha.dtype).max > ALPHA
            size = (rgb.shape[1], rgb.shape[0])
            mask = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
            disparity = disparity_of(estimate(model, rgb, flip=options.flip), rgb.shape[:2])
            recall = metrics.mask_boundary_recall(disparity, mask)
            shown = mask.astype(np.float64)
            yield photo.stem, {"boundary_recall": recall}, Look(rgb, shown, disparity)


def _subset(options: Options) -> str:
    return options.subset or "rgbd"


def _pairs(data: Path) -> Sequence[tuple[Path, Path]]:
    """Return pictures with the mask of the same name; pictures without one are passed over."""
    names = next((n for n in MASKS if (data / n[0]).is_dir()), MASKS[0])
    photos = {p.stem: p for p in pictures(data / names[0])}
    masks = pictures(data / names[1])
    found = [(photos[m.stem], m) for m in masks if m.stem in photos]
    OWN.need_any((m for _, m in found), data / names[1] / "*.png")
    return found
