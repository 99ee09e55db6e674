"""Flip averaging (test-time augmentation): the mean with the answer about the mirrored picture.

It cancels what a network gets wrong in one horizontal direction only. Averaged is the layout, which
is all that such errors change; detail stays that of the first run, since two answers never have
their edges in quite the same place. So the second run may be smaller. Networks ask for it in their
card (`Preprocessing.second_long_side`). What it is worth: weights/MODEL_CARD.md.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from pullfocus.depth.estimator import Estimator, RawDepth
from pullfocus.depth.onnx_session import OnnxEstimator

LAYOUT_SHARE = 0.05
"""Blur of the difference between both answers, as a share of the longer side: what is finer than
this is detail. Averaging everything loses .02 to .03 of edge F1 and no less error."""


def flip_averaged(estimator: Estimator, rgb: UInt8[np.ndarray, "h w 3"]) -> RawDepth:
    """Return the first answer with the layout of the mean of both, at its resolution.

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
    layout = _blurred((values - first.values) / 2)
    return RawDepth(first.values + layout, first.kind, first.person)


def _blurred(difference: np.ndarray) -> Float32[np.ndarray, "h w"]:
    import cv2

    sigma_px = LAYOUT_SHARE * max(difference.shape)
    return np.asarray(cv2.GaussianBlur(difference, (0, 0), sigma_px), np.float32)


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
