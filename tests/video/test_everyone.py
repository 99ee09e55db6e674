"""`--all-people-sharp` in video: everybody is in the range, and the range does not pump."""

from __future__ import annotations

import numpy as np
import pytest

from pullfocus.cli.video_focus import script_from
from pullfocus.focus.box import Box
from pullfocus.focus.faces import Face
from pullfocus.focus.script import FocusScript
from pullfocus.pipeline import Settings
from pullfocus.types import DepthMap
from pullfocus.video.focus_puller import Puller
from pullfocus.video.tracking import people_range
from pullfocus.video.tracking.subjects import Subjects

RATE = 25
HW = (72, 128)
RGB = np.zeros((*HW, 3), np.uint8)
ANNA, BEN = Box(0.1, 0.2, 0.3, 0.95), Box(0.6, 0.3, 0.75, 0.8)
SCRIPT = FocusScript.parse({"decisions": [{"at_s": 0, "focus": {"disparity": 0.5}}]})


def frame(number: int, ben: bool = True) -> tuple[DepthMap, float, float]:
    """Return the depth, and where Anna (who comes nearer) and Ben (whose estimate trembles) are."""
    rng = np.random.default_rng(number)
    anna, ben_at = 0.6 + 0.004 * number, 0.3 + 0.03 * rng.uniform(-1, 1)
    disparity, person = np.full(HW, 0.1, np.float32), np.zeros(HW, np.float32)
    disparity[ANNA.slices(HW)], person[ANNA.slices(HW)] = anna, 0.95
    disparity[BEN.slices(HW)] = ben_at
    if ben:
        person[BEN.slices(HW)] = 0.95
    return DepthMap(disparity, person=person), anna, ben_at


@pytest.fixture(autouse=True)
def faces(monkeypatch):
    found: list[Face] = []
    monkeypatch.setattr(people_range, "find_faces", lambda _: found)
    return found


def pulled(frames) -> np.ndarray:
    """Return the range of every frame."""
    script = SCRIPT.with_sharp(None, everyone=True)
    puller = Puller(script, Subjects({}))
    focuses = [puller.focus(RGB, depth, n / RATE, n == 0) for n, (depth, *_) in enumerate(frames)]
    return np.array([(focus.near_disparity, focus.far_disparity) for focus in focuses])


def test_everybody_lies_in_the_range_all_the_time():
    frames = [frame(n) for n in range(60)]
    ends = pulled(frames)
    anna, ben = (np.array([each[i] for each in frames]) for i in (1, 2))
    assert (ends[:, 0] >= anna - 0.02).all()
    assert (ends[:, 1] <= ben + 0.02).all()
    assert ends[-1, 0] < anna[-1] + 0.02  # no wider than it must be
    assert ends[-1, 1] > 0.25


def test_the_range_does_not_pump_with_the_estimate_nor_with_who_is_missed_now_and_then():
    frames = [frame(n, ben=n % 4 != 0) for n in range(60)]
    far = pulled(frames)[10:, 1]
    raw = np.array([ben if n % 4 else 0.5 for n, (_, _, ben) in enumerate(frames)])[10:]
    assert np.abs(np.diff(far)).mean() < 0.1 * np.abs(np.diff(raw)).mean()
    assert far.max() < 0.36


def test_a_face_without_a_mask_is_kept_sharp_too(faces):
    disparity = np.full(HW, 0.1, np.float32)
    box = Box(0.4, 0.3, 0.6, 0.7)
    disparity[box.slices(HW)] = 0.8
    faces.append(Face(box, 3))
    near, far = pulled([(DepthMap(disparity),)])[0]
    assert near == pytest.approx(0.8, abs=0.02)
    assert far == pytest.approx(0.5, abs=0.02)


def test_a_cut_takes_the_range_over_at_once():
    both, alone = frame(0)[0], frame(0, ben=False)[0]
    script = SCRIPT.with_sharp(None, everyone=True)
    puller = Puller(script, Subjects({}))
    assert puller.focus(RGB, both, 0.0, True).far_disparity < 0.35
    assert puller.focus(RGB, alone, 0.04, False).far_disparity < 0.35
    assert puller.focus(RGB, alone, 0.08, True).far_disparity == pytest.approx(0.5)


def test_the_flag_is_for_every_decision():
    script = script_from("0.5,0.5", None, None, Settings(all_people_sharp=True))
    assert [row.everyone for row in script.decisions] == [True]
    assert not script_from("0.5,0.5", None, None, Settings()).decisions[0].everyone
