"""Look at a photo twice, the second time mirrored: half of what errs cancels.

A scene has no reason to prefer left to right, but a small network does. The second look may have
another size. lab/recipes/RESULTS.md has what it is worth.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from pullfocus.depth.estimator import Estimator, RawDepth
from pullfocus.depth.onnx_session import OnnxEstimator


def two_looks(estimator: Estimator, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
    """Return the mean of two answers at the first one's resolution.

    Networks whose card asks for no second look (`Preprocessing.second_long_side`) answer once.
    Relative answers are brought to one mean and deviation before they are averaged: a different
    scale is no other opinion. Where people are is the first look's answer alone: the mean of both
    found nobody better.
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
    """Turn left and right round."""
    return np.ascontiguousarray(picture[:, ::-1])


def _like(answer: np.ndarray, shape: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Turn a mirrored answer round again and bring it to another one's resolution."""
    import cv2

    h, w = shape.shape
    return np.asarray(cv2.resize(mirrored(answer), (w, h)))


def _matched(values: np.ndarray, to: np.ndarray) -> Float32[np.ndarray, "h w"]:
    """Give values the mean and deviation of others; a flat answer has no opinion."""
    deviation = float(values.std())
    if deviation < 1e-6 * max(1.0, float(np.abs(values).max())):
        return to
    return (values - values.mean()) * np.float32(to.std() / deviation) + to.mean()
