"""Two passes: what comes later counts as well, and the maps wait on the disk meanwhile."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError
from pullfocus.video.temporal_depth import two_pass
from pullfocus.video.temporal_depth.disk_buffer import DepthTape
from pullfocus.video.temporal_depth.online import LONG_SIDE_PX, SteadyDepth
from pullfocus.video.temporal_depth.two_pass import SurveyedDepth

FRAME_S = 1 / 30


def timed(clip):
    return [(rgb, FRAME_S * t) for t, (rgb, _) in enumerate(clip)]


def in_two_passes(clip, estimator, every=1) -> tuple[list[np.ndarray], list[bool]]:
    looks = timed(clip)
    with closing(SurveyedDepth(looks, estimator, every, LONG_SIDE_PX)) as depth:
        found = [(depth.push(*look), depth.cut) for look in looks]
    return [disparity for disparity, _ in found], [cut for _, cut in found]


def in_one_pass(clip, estimator, every=1) -> list[np.ndarray]:
    steady = SteadyDepth(estimator, every)
    return [steady.push(*look) for look in timed(clip)]


def test_it_flickers_less_than_in_one_pass_and_is_no_less_right(
    monkeypatch, moving_plane, flickering, judged
):
    monkeypatch.setattr(two_pass, "STRETCH", 6)
    monkeypatch.setattr(two_pass, "AHEAD", 5)
    clip = moving_plane(14)  # two stretches and what is left
    one = judged(in_one_pass(clip, flickering(clip)), clip)
    two = judged(in_two_passes(clip, flickering(clip))[0], clip)
    assert two.flicker < 0.8 * one.flicker
    assert two.error <= one.error


def test_what_comes_into_sight_is_known_from_later(moving_plane, flickering):
    """The first frame of a shot is an estimate alone in one pass; in two the others speak too."""
    clip = moving_plane(8)
    truth = clip[0][1]
    estimator = flickering(clip, wobble=0.3)
    firsts = in_one_pass(clip, estimator)[0], in_two_passes(clip, estimator)[0][0]
    fits = [(first, np.polyfit(first.ravel(), truth.ravel(), 1)) for first in firsts]
    wrong = [np.abs(gain * first + shift - truth).mean() for first, (gain, shift) in fits]
    assert wrong[1] < 0.8 * wrong[0]


def test_near_is_told_from_nearer_where_one_pass_has_no_room_left(moving_plane, flickering):
    """In the first frame there is only the wall; the panel comes far nearer than that."""
    clip = moving_plane(12, panel_from=1, nearness=2.0, nearer=0.05)
    estimator = flickering(clip, wobble=0.0)
    one, (two, _) = in_one_pass(clip, estimator), in_two_passes(clip, estimator)
    gained = [out[-1][105, 160] - out[2][105, 120] for out in (one, two)]
    assert gained[0] < 0.001
    assert gained[1] > 0.01


def test_every_shot_stands_alone(moving_plane, flickering):
    clip = moving_plane(5) + moving_plane(4, seed=40)
    disparity, cuts = in_two_passes(clip, flickering(clip, wobble=0.0))
    assert cuts == [t in (0, 5) for t in range(9)]
    alone = in_two_passes(clip[5:], flickering(clip[5:], wobble=0.0))[0]
    assert disparity[5] == pytest.approx(alone[0], abs=0.02)


def test_the_network_is_asked_once_for_each_estimate(moving_plane, flickering):
    clip = moving_plane(9)
    estimator = flickering(clip)
    in_two_passes(clip, estimator, every=3)
    assert estimator.calls == 3


def test_a_tape_gives_back_what_was_put_on_it():
    rng = np.random.default_rng(0)
    maps = [rng.random((9, 16), np.float32) * 3 - 1 for _ in range(3)]
    person = rng.random((9, 16), np.float32)
    with closing(DepthTape()) as tape:
        for number, disparity in enumerate(maps):
            tape.append(disparity, person if number else None, cut=number == 0)
        tape.rewind()
        for number, disparity in enumerate(maps):
            found, people, cut = tape.read()
            assert found == pytest.approx(disparity, abs=3 / 1023 / 2 + 1e-6)
            assert cut == (number == 0)
            assert (people is None) == (number == 0)
        assert people == pytest.approx(person, abs=1 / 255)
        with pytest.raises(UnreadableInputError, match="fewer frames"):
            tape.read()


def test_a_flat_map_stays_flat():
    with closing(DepthTape()) as tape:
        tape.append(np.full((4, 6), 0.25, np.float32), None, cut=True)
        tape.rewind()
        assert tape.read()[0] == pytest.approx(0.25)
