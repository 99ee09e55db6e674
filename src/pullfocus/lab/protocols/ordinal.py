"""DA-2K: pairs of points of which people said which one is closer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.protocols.alignment import disparity_of
from pullfocus.lab.protocols.flip import estimate
from pullfocus.lab.protocols.options import Options
from pullfocus.lab.protocols.pictures import Look

DA_2K = Origin(
    "DA-2K",
    "https://huggingface.co/datasets/depth-anything/DA-2K",
    "DA-2K.zip (annotations.json and images/)",
)
Pair = dict[str, list[int]]


@dataclass(frozen=True)
class Da2k:
    """Accuracy: the share of pairs whose first point, always the closer one, is the nearer.

    Convention: points are [row, column] in pixels of the picture.

    Source: Depth Anything V2 (Yang 2024), section 6; reference/evaluation-protocols.md.
    """

    def settings(self, _options: Options) -> dict[str, str]:
        """Return what makes the figures comparable, in words."""
        return {"averaged": "over pairs"}

    def rule(self, _model: Estimator, _options: Options) -> str:
        """Return "none": an order needs no metres."""
        return "none"

    def rows(
        self, model: Estimator, data: Path, options: Options
    ) -> Iterator[tuple[str, dict[str, float], Look]]:
        """Yield each image's name, scores and pictures."""
        for name, pairs in list(_annotations(data).items())[: options.limit]:
            rgb = DA_2K.rgb(data / name)
            disparity = disparity_of(estimate(model, rgb, flip=options.flip), rgb.shape[:2])
            right = [_value(disparity, p["point1"]) > _value(disparity, p["point2"]) for p in pairs]
            scores = {"accuracy": float(np.mean(right)), "pairs": float(len(pairs))}
            yield name, scores, Look(_marked(rgb, pairs), None, disparity)

    def mean(self, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Return the benchmark's own figure: each pair counting once."""
        pairs = sum(row["pairs"] for row in rows)
        return {"accuracy": sum(row["accuracy"] * row["pairs"] for row in rows) / pairs}


def _annotations(data: Path) -> dict[str, list[Pair]]:
    path = DA_2K.need(data / "annotations.json")
    try:
        said = json.loads(path.read_text())
        pairs = {n: [{k: p[k] for k in ("point1", "point2")} for p in v] for n, v in said.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DA_2K.damaged(path, "no lists of point1 and point2") from None
    return {name: found for name, found in pairs.items() if found}


def _value(disparity: np.ndarray, point: list[int]) -> float:
    row, column = (min(max(int(v), 0), n - 1) for v, n in zip(point, disparity.shape, strict=True))
    return float(disparity[row, column])


def _marked(rgb: np.ndarray, pairs: list[Pair]) -> np.ndarray:
    """Return the picture with closer points in green and farther ones in red."""
    out = rgb.copy()
    radius = max(3, max(rgb.shape[:2]) // 60)
    for pair in pairs:
        for key, colour in (("point1", (0, 220, 0)), ("point2", (230, 0, 0))):
            row, column = pair[key]
            cv2.circle(out, (int(column), int(row)), radius, colour, -1)
    return out
