"""Say how far a depth map is to be trusted: ask the network again about changed pictures.

    spread = sqrt(deviation over five changed pictures ^2 + edge ambiguity ^2)

A network that answers differently when the picture is mirrored or its colours shift does not know.
Edges between like colours are ambiguous whatever the network says: refinement has nothing there to
hold on to.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.estimator import Estimator
from pullfocus.depth.normalise import to_disparity
from pullfocus.types import DepthKind

ALIKE = 0.1
"""Difference of sRGB codes (0..1) across an edge below which its two sides look alike."""
_CHANGES: tuple[tuple[bool, float, float, tuple[float, float, float]], ...] = (
    (True, 1.0, 1.0, (1.0, 1.0, 1.0)),
    (False, 0.8, 1.0, (1.1, 1.0, 0.9)),
    (True, 1.2, 0.8, (0.9, 1.0, 1.1)),
    (False, 1.0, 0.7, (1.0, 0.9, 1.1)),
    (True, 0.9, 1.3, (1.0, 1.1, 0.9)),
)
"""(mirrored, gamma, brightness, colour gains): inside monodepth's ranges of augmentation.

Source: Godard et al. 2017, section 4.1: gamma 0.8..1.2, brightness 0.5..2, colour 0.8..1.2.
"""


def spread_of(
    estimator: Estimator,
    rgb: UInt8[np.ndarray, "m n 3"],
    disparity: Float32[np.ndarray, "a b"],
    kind: DepthKind,
) -> Float32[np.ndarray, "a b"]:
    """Estimate one standard deviation of `disparity`, in its own unit.

    disparity: what the estimator said about `rgb` unchanged, as `to_disparity` gives it.

    Answers about changed pictures are aligned to it by least squares first when it is relative: a
    different scale is no doubt about the order.
    """
    total = np.zeros(disparity.shape, np.float64)
    for changed, mirrored in _changed(rgb):
        answer, _ = to_disparity(estimator.estimate(changed))
        answer = answer[:, ::-1] if mirrored else answer
        if kind == "relative":
            answer = _aligned(answer, disparity)
        total += (answer - disparity) ** 2
    ambiguity = _edge_ambiguity(rgb, disparity)
    return np.sqrt(total / len(_CHANGES) + ambiguity**2).astype(np.float32)


def _changed(rgb: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    import cv2

    codes = np.arange(256, dtype=np.float64) / 255
    for mirrored, gamma, brightness, gains in _CHANGES:
        tables = [np.clip(gain * brightness * codes**gamma, 0, 1) for gain in gains]
        table = np.round(255 * np.stack(tables, axis=-1)).astype(np.uint8)
        out = cv2.LUT(rgb, table[:, None])
        yield np.ascontiguousarray(out[:, ::-1] if mirrored else out), mirrored


def _aligned(answer: np.ndarray, disparity: np.ndarray) -> np.ndarray:
    """Fit scale and shift. Source: Ranftl et al. 2020 (MiDaS), equation 4."""
    x, y = answer.astype(np.float64), disparity.astype(np.float64)
    variance = x.var()
    if variance < 1e-12:
        return np.full_like(disparity, y.mean())
    scale = ((x - x.mean()) * (y - y.mean())).mean() / variance
    return np.asarray(scale * (x - x.mean()) + y.mean())


def _edge_ambiguity(rgb: np.ndarray, disparity: np.ndarray) -> np.ndarray:
    """Half the local range of disparity where the picture's local contrast is small."""
    import cv2

    h, w = disparity.shape
    small = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA)
    kernel = np.ones((5, 5), np.uint8)
    contrast = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, kernel).max(axis=2) / 255.0
    step = cv2.morphologyEx(np.ascontiguousarray(disparity), cv2.MORPH_GRADIENT, kernel)
    out: np.ndarray = 0.5 * step * np.exp(-0.5 * (contrast / ALIKE) ** 2)
    return out
