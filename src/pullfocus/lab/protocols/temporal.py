"""TAE: does depth agree with itself from frame to frame once the camera's motion is undone?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.errors import UsageError
from pullfocus.lab.data.rgbd import read_rgbd_video
from pullfocus.lab.data.samples import Clip
from pullfocus.lab.protocols import metrics
from pullfocus.lab.protocols.alignment import SMALLEST, best_alignment, disparity_of
from pullfocus.lab.protocols.flip import estimate
from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.pictures import Look
from pullfocus.lab.protocols.summary import means


@dataclass(frozen=True)
class Temporal:
    """Temporal alignment error of a video with poses and depth.

    One least squares fit in disparity for the whole video; the depth of frame i is carried into
    frame i + 1 and the other way; the mean relative difference to the depth that is there, x 100.

    Source: Video Depth Anything (Chen 2025), section 4.1; reference/evaluation-protocols.md.
    """

    far_m: float = 10.0
    mean = staticmethod(means)

    def settings(self, options: Options) -> dict[str, str]:
        """Return what makes the figures comparable, in words."""
        return {"range": f"..{options.far_m or self.far_m:g} m", "fit": "one a video"}

    def rule(self, model: Estimator, options: Options) -> str:
        """Return the alignment that this model gets."""
        rule = options.alignment or best_alignment(model.card.output, "affine-disparity")
        if rule not in ("affine-disparity", "affine-depth", "none"):
            raise UsageError(f"A video is fitted with affine-disparity or not at all, not {rule}.")
        return "none" if rule == "none" else "affine-disparity"

    def rows(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        """Yield each pair of neighbouring frames: its name, scores and pictures."""
        clip = read_rgbd_video(data, options.far_m or self.far_m, options.limit)
        answers = [estimate(model, frame, flip=options.flip) for frame in clip.frames]
        hw = clip.frames.shape[1:3]
        disparity = np.stack([disparity_of(answer, hw) for answer in answers])
        if self.rule(model, options) == "affine-disparity":
            disparity = _fitted(disparity, clip)
        depth = 1 / np.maximum(disparity, SMALLEST)
        depth = np.clip(depth, 1e-3, options.far_m or self.far_m)
        for i in range(len(clip) - 1):
            score = 100 * (_error(depth, clip, i, i + 1) + _error(depth, clip, i + 1, i)) / 2
            yield f"{i:05d}", {"tae": score}, Look(clip.frames[i], None, 1 / depth[i])


def carried(
    depth_m: np.ndarray, intrinsics: np.ndarray, first_to_second: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column (whole pixels) and depth in the second frame of the first's pixels.

    Pixels that leave the second picture are dropped, so all three are vectors.
    """
    h, w = depth_m.shape
    rows, columns = np.mgrid[:h, :w] + 0.5
    rays = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(intrinsics).T
    points = rays * depth_m[..., None] @ first_to_second[:3, :3].T + first_to_second[:3, 3]
    points = points.reshape(-1, 3)
    points = points[points[:, 2] > 1e-3]  # also drops unknown depth (0)
    x, y = ((points @ intrinsics.T)[:, :2] / points[:, 2:]).T
    inside = (x >= 0) & (y >= 0) & (x < w) & (y < h)
    return y[inside].astype(int), x[inside].astype(int), points[inside, 2]


def _error(depth: np.ndarray, clip: Clip, first: int, second: int) -> float:
    if clip.poses is None:
        raise UsageError(f"{clip.name} has no poses, without which frames cannot be compared.")
    move = np.linalg.inv(clip.poses[second]) @ clip.poses[first]
    rows, columns, moved = carried(depth[first], clip.intrinsics, move)
    if not len(rows):
        return float("nan")
    there = depth[second][rows, columns]
    return float(np.mean(np.abs(moved - there) / there))


def _fitted(disparity: np.ndarray, clip: Clip) -> np.ndarray:
    """Fit scale and shift of a whole video at once."""
    if clip.depth_m is None:
        raise UsageError(f"{clip.name} has no depth to fit a relative model to.")
    known = np.isfinite(clip.depth_m) & (clip.depth_m > 0)
    inverse = np.where(known, 1 / np.where(known, clip.depth_m, 1), 0)
    return metrics.align_least_squares(disparity, inverse, known)
