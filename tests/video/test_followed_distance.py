"""A followed subject against exact truth: it comes nearer, is hidden for a second, returns."""

import numpy as np

from pullfocus.focus.script import FocusScript
from pullfocus.types import DepthMap
from pullfocus.video.focus_puller import Puller
from pullfocus.video.tracking.subjects import Subjects

RATE, SECONDS = 12, 5
SIZE = (120, 192)
HIDDEN_S = (2.0, 3.0)
_RNG = np.random.default_rng(3)
GROUND = _RNG.integers(60, 120, (*SIZE, 3)).astype(np.float32)
COAT = np.kron(_RNG.integers(0, 255, (6, 4, 3)), np.ones((8, 8, 1))).astype(np.float32)


def frame(number):
    """Return (rgb, disparity, truth): the subject's disparity, None while it is hidden."""
    time_s = number / RATE
    rgb, disparity = GROUND.copy(), np.full(SIZE, 0.1, np.float32)
    nearness = np.float32(0.35 + 0.08 * time_s)
    left, top = int(16 + 20 * time_s), 36
    rgb[top : top + 48, left : left + 32] = COAT
    disparity[top : top + 48, left : left + 32] = nearness
    hidden = HIDDEN_S[0] <= time_s < HIDDEN_S[1]
    if hidden:  # a near wall passes in front of everything
        rgb[20:, left - 12 : left + 44], disparity[20:, left - 12 : left + 44] = 30, 0.9
    return rgb.astype(np.uint8), disparity, None if hidden else float(nearness)


def test_the_focus_stays_within_5_percent_of_the_range():
    script = FocusScript.parse(
        {
            "subjects": {"coat": {"box": [16 / 192, 36 / 120, 48 / 192, 84 / 120]}},
            "decisions": [{"at_s": 0, "focus": {"subject": "coat"}}],
        }
    )
    puller = Puller(script, Subjects(script.subjects))
    planes, truths = [], []
    for number in range(RATE * SECONDS):
        rgb, disparity, truth = frame(number)
        focus = puller.focus(rgb, DepthMap(disparity), number / RATE, number == 0)
        planes.append(focus.disparity)
        truths.append(truth)
    seen = [
        (plane, truth) for plane, truth in zip(planes, truths, strict=True) if truth is not None
    ]
    errors = np.abs(np.diff(np.array(seen), axis=1)).ravel()
    assert len(seen) == RATE * (SECONDS - 1)
    assert errors.mean() < 0.05 * 0.8  # of the disparity's range
    assert errors[-RATE:].max() < 0.05 * 0.8  # it was found again
    hidden = planes[int(HIDDEN_S[0] * RATE) + 2 : int(HIDDEN_S[1] * RATE)]
    assert max(hidden) < 0.7  # the focus did not jump to the wall
