"""Depth estimators beside each other on every measured set: one row a set, one table a run.

An estimator is a function from rgb (h w 3 uint8) to disparity h w (relative, larger = nearer).
Alignment of all depth scores: least squares in disparity (metrics.affine_depth).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth.flip_averaging import flip_averaged
from pullfocus.depth.normalise import unscaled_disparity
from pullfocus.depth.onnx_card import card_of_onnx
from pullfocus.depth.onnx_session import OnnxEstimator
from pullfocus.lab.data.photos import as_input
from pullfocus.lab.data.truth import MEASURED, Frame, people
from pullfocus.lab.protocols import metrics
from pullfocus.lab.scenes.generate import rendered

Estimator = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Scores:
    """Means over the frames of a set (or over sets); ``boundary_f1`` is 0 for sparse truth."""

    rank: float
    abs_rel: float
    delta1: float
    ordinal: float
    boundary_f1: float

    def row(self) -> str:
        """Return the scores as cells of a Markdown table."""
        values = (self.rank, self.abs_rel, self.delta1, self.ordinal, self.boundary_f1)
        return " | ".join(f"{v:.3f}" for v in values)


HEADER = (
    "| set | estimator | rank | AbsRel | delta1 | ordinal | boundary F1 |\n"
    "|---|---|---|---|---|---|---|"
)


def lower_row_is_nearer(rgb: np.ndarray) -> np.ndarray:
    """Return disparity that grows with the row, the baseline to beat."""
    h, w = rgb.shape[:2]
    return np.repeat(np.linspace(0, 1, h, dtype=np.float32)[:, None], w, 1)


def onnx_estimator(path: Path, long_side: int | None = None) -> Estimator:
    """Return the estimator of an ONNX file: as photos get it, or one look at one long side."""
    network = OnnxEstimator(card_of_onnx(path), path)
    if long_side is not None:
        network = network.at_long_side(long_side)

    def estimate(rgb: np.ndarray) -> np.ndarray:
        disparity, _ = unscaled_disparity(flip_averaged(network, rgb))
        return cv2.resize(disparity, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    return estimate


def teacher_estimator(path: Path) -> Estimator:
    """Return the public teacher as it was published: every picture as 192x320."""
    from pullfocus.lab.teachers import Teacher

    teacher = Teacher(path, threads=2)

    def estimate(rgb: np.ndarray) -> np.ndarray:
        disparity = teacher(as_input(rgb, (192, 320)))[0]
        return cv2.resize(disparity, (rgb.shape[1], rgb.shape[0]))

    return estimate


def score_frame(disparity: np.ndarray, frame: Frame) -> Scores:
    """Return the scores of one estimate against one frame."""
    truth, valid = frame.depth_m, frame.valid
    inverse = np.where(valid, 1 / np.maximum(truth, 1e-3), 0)
    depth = metrics.affine_depth(disparity, truth, valid, frame.far_m)
    dense = valid.mean() > 0.5
    return Scores(
        metrics.rank_correlation(disparity, inverse, valid),
        metrics.abs_rel(depth, truth, valid),
        metrics.delta1(depth, truth, valid),
        metrics.ordinal_accuracy(disparity, inverse, valid),
        metrics.boundary_f1(1 / depth, inverse, valid) if dense else 0.0,
    )


def mean_scores(scores: Iterable[Scores]) -> Scores:
    """Return the field-wise mean."""
    rows = [list(vars(s).values()) for s in scores]
    return Scores(*np.mean(rows, 0).tolist())


def person_rank_accuracy(estimate: Estimator, data: Path) -> float:
    """Return the share of people photos whose person is nearer than its surroundings."""
    margins = [metrics.person_margin(estimate(rgb), mask) for _, rgb, mask in people(data)]
    return float(np.mean([m > 0 for m in margins if m is not None]))


def evaluate(estimators: dict[str, Estimator], data: Path) -> dict[str, dict[str, Scores]]:
    """Return scores[set][estimator] for every measured set that is there.

    "mean of sets" is the mean over the six sets of real pictures; "scenes" stands apart.
    """
    table: dict[str, dict[str, Scores]] = {}
    for name, frames in (MEASURED | {"scenes": rendered}).items():
        seen = list(frames(data))
        if seen:
            table[name] = {
                label: mean_scores(score_frame(estimate(f.rgb), f) for f in seen)
                for label, estimate in estimators.items()
            }
    table["mean of sets"] = {
        label: mean_scores(row[label] for name, row in table.items() if name != "scenes")
        for label in estimators
    }
    return table


def markdown(table: dict[str, dict[str, Scores]]) -> str:
    """Return the table of ``evaluate`` as Markdown."""
    lines = [HEADER]
    for name, row in table.items():
        lines += [f"| {name} | {label} | {scores.row()} |" for label, scores in row.items()]
    return "\n".join(lines)
