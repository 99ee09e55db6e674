"""Flip averaging (test-time augmentation): the mean with the answer about the mirrored picture.

It cancels what a network gets wrong in one horizontal direction only. The second run may have
another size. Networks ask for it in their card (`Preprocessing.second_long_side`); the embedded
one does not: one run at 384 px scores the same (weights/MODEL_CARD.md).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from pullfocus.depth.estimator import Estimator, RawDepth
from pullfocus.depth.onnx_session import OnnxEstimator


def flip_averaged(estimator: Estimator, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
    """Return the mean of both answers at the first one's resolution.

    Networks whose card asks for no second run (`Preprocessing.second_long_side` 0) answer once.
    Relative answers are brought to one mean and deviation before they are averaged. `person` is
    the first answer's alone.
    """
    first = estimator.estimate(rgb)
    side = estimator.card.preprocessing.second_long_side
    if not side or not isinstance(estimator, OnnxEstimator):
        return first
    second = estimator.at_long_side(side).estimate(mirrored(rgb))
    values = _like(second.values, first.values)
    if not first.kind.startswith("metric"):
        values = _matched(values, first.values)
    return RawDepth((first.values + values) / 2, first.kind, first.person)


def mirrored(picture: Shaped[np.ndarray, "h w *c"]) -> Shaped[np.ndarray, "h w *c"]:
    """Swap left and right."""
    return np.ascontiguousarray(picture[:, ::-1])


def _like(answer: np.ndarray, shape: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Undo the mirroring of an answer and bring it to another one's resolution."""
    import cv2

    h, w = shape.shape
    return np.asarray(cv2.resize(mirrored(answer), (w, h)))


def _matched(values: np.ndarray, to: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Give values the mean and deviation of others; a constant answer is ignored."""
    deviation = float(values.std())
    if deviation < 1e-6 * max(1.0, float(np.abs(values).max())):
        return to
    return (values - values.mean()) * np.float32(to.std() / deviation) + to.mean()
