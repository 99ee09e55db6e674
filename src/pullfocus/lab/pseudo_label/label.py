"""One photo's label: what an estimator says about it at several sizes and mirrored, merged."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.estimator import Estimator
from pullfocus.lab.protocols import metrics
from pullfocus.lab.protocols.alignment import disparity_of

SCALES = (1.0, 0.8, 1.25)
"""Input sizes as multiples of the network's own, around which it sees best; the first is what the
others are fitted to, so that global order comes from one answer and detail from all."""
DOUBT = 0.1
"""Spread of the answers, in standard deviations of the label, that halves the confidence."""


@dataclass(frozen=True, eq=False)
class Label:
    """Disparity that several answers agree on.

    Attributes:
        disparity: relative, larger = nearer, median 0 and mean absolute deviation 1 (MiDaS).
        confidence: 0..1, 1 where all answers agree.
    """

    disparity: Float32[np.ndarray, "h w"]
    confidence: Float32[np.ndarray, "h w"]

    @property
    def score(self) -> float:
        """Mean confidence: how far the photo's label is to be trusted."""
        return float(self.confidence.mean())


def label_photo(
    rgb: UInt8[np.ndarray, "h w 3"],
    model: Estimator,
    scales: tuple[float, ...] = SCALES,
    long_side: int | None = None,
) -> Label:
    """Return the label of a photo, at its size or, with ``long_side``, shrunk to that.

    The network looks at every scale that it can, at the photo as it is and mirrored. Every answer
    is fitted to the first by least squares (scale and shift); the label is their mean, the doubt
    their deviation.

    Source: auto-focus proposal, section 3 (build the data set with existing networks); the merge
        as in MiDaS (Ranftl 2020), equation 4.
    """
    hw = labelled_hw(rgb, long_side)
    networks = [network for scale in scales if (network := at_scale(model, scale)) is not None]
    answers = [answer for network in networks for answer in _both_ways(network, rgb, hw)]
    everywhere = np.ones(hw, bool)
    fitted = [metrics.align_least_squares(a, answers[0], everywhere) for a in answers]
    stack = np.stack([_standard(answer, answers[0]) for answer in fitted])
    doubt = stack.std(0) / max(float(stack.mean(0).std()), 1e-6)
    confidence = 1 / (1 + (doubt / DOUBT) ** 2)
    return Label(stack.mean(0).astype(np.float32), confidence.astype(np.float32))


def labelled_hw(rgb: np.ndarray, long_side: int | None) -> tuple[int, int]:
    """Return the size of a photo's label: the photo's, or smaller with ``long_side``."""
    h, w = rgb.shape[:2]
    scale = 1.0 if long_side is None else min(1.0, long_side / max(h, w))
    return max(1, round(h * scale)), max(1, round(w * scale))


def at_scale(model: Estimator, scale: float) -> Estimator | None:
    """Return the network with an input so many times its own; None where its size is fixed.

    Estimators that are dataclasses resize by their card, as all of the registry do.
    """
    if scale == 1:
        return model
    rule = model.card.preprocessing
    if rule.rule == "fixed" or not is_dataclass(model):
        return None
    h, w = rule.size_hw
    bigger = replace(rule, size_hw=(round(h * scale), round(w * scale)))
    return replace(model, card=replace(model.card, preprocessing=bigger))  # type: ignore[call-arg]


def _both_ways(model: Estimator, rgb: np.ndarray, hw: tuple[int, int]) -> list[np.ndarray]:
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    direct = disparity_of(model.estimate(rgb), hw)
    return [direct, disparity_of(model.estimate(mirrored), hw)[:, ::-1]]


def _standard(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Shift and scale by the reference's median and mean absolute deviation from it."""
    middle = np.median(reference)
    spread = np.abs(reference - middle).mean()
    return (values - middle) / max(float(spread), 1e-6)
