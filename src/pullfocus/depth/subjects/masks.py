"""Where people and other subjects are in a picture: the embedded subject network, run twice.

    picture -> 384 px, plain and mirrored -> network -> mean -> SubjectMasks

The network has two answers: `person` (everybody) and `salient` (what a photographer would focus on:
a person, a pet, an object). It is separate from the depth network, so that every depth model gets
the same masks. weights/MODEL_CARD.md has its scores and limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.card import Preprocessing, subjects_path
from pullfocus.depth.onnx_session import open_session, single_map
from pullfocus.depth.preprocess import prepare

PERSON_ODDS = 1.8
"""Factor on the odds of a person: without it arms and hands are lost more often than other things
are taken for a person (measured: limbs .46 to .55, IoU .900 to .902). .36 becomes a half."""
LONG_SIDE_PX = 384
"""Longer side of the picture that the network sees: it was trained for this size."""


@dataclass(frozen=True, slots=True, eq=False)
class SubjectMasks:
    """Probabilities 0..1 at the network's resolution, covering the whole picture.

    person: that a person is seen there. salient: that it belongs to the main subject. Both float32
        (h, w).
    """

    person: Float32[np.ndarray, "h w"]
    salient: Float32[np.ndarray, "h w"]


def find_masks(
    rgb: UInt8[np.ndarray, "h w 3"],
    *,
    flip_averaging: bool = True,
    long_side_px: int = LONG_SIDE_PX,
) -> SubjectMasks:
    """Find people and salient subjects in an upright sRGB-coded picture of any size.

    flip_averaging: average with the answer about the mirrored picture; costs a second run.
    long_side_px: size at which the network looks.

    Raises:
        MissingModelError: the installation lacks the network's file.
    """
    session = open_session(subjects_path())
    rule = Preprocessing((long_side_px, long_side_px), 32, "long_side")
    tensor = prepare(rgb, rule).tensor
    person, salient = _probabilities(session, tensor)
    if flip_averaging:
        mirrored = _probabilities(session, np.ascontiguousarray(tensor[..., ::-1]))
        person, salient = (
            (plain + flipped[:, ::-1]) / 2
            for plain, flipped in zip((person, salient), mirrored, strict=True)
        )
    person = PERSON_ODDS * person / (PERSON_ODDS * person + 1 - person)
    return SubjectMasks(person, salient)


def _probabilities(session: Any, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    person, salient = session.run(["person", "salient"], {"image": tensor})
    origin: Path = subjects_path()
    return single_map(person, origin), single_map(salient, origin)
