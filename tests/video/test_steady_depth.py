"""Depth over frames: it does not flicker, keeps up with what happens, and forgets at a cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pullfocus.depth import find_card
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.normalise import normalised
from pullfocus.errors import UsageError
from pullfocus.video.temporal_depth.online import LONG_SIDE_PX, SteadyDepth
from pullfocus.video.temporal_depth.optical_flow import flows_between, small_picture

HW = (216, 384)
FRAME_S = 1 / 30


def noise(seed: int, hw: tuple[int, int] = HW) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (*hw, 3), np.uint8)


def run(steady: SteadyDepth, clip) -> list[np.ndarray]:
    return [steady.push(rgb, FRAME_S * t) for t, (rgb, _) in enumerate(clip)]


def test_it_flickers_far_less_than_frame_by_frame_and_is_no_less_right(
    moving_plane, flickering, judged
):
    clip = moving_plane(20)
    estimator = flickering(clip)
    single = judged([normalised(estimator.estimate(rgb).values) for rgb, _ in clip], clip)
    steady = judged(run(SteadyDepth(estimator), clip), clip)
    assert steady.flicker <= 0.6 * single.flicker
    assert steady.error <= single.error


def test_depth_on_every_third_frame_moves_with_the_flow_between(moving_plane, flickering, judged):
    clip = moving_plane(20)
    estimator = flickering(clip, wobble=0.0)
    found = judged(run(SteadyDepth(estimator, every=3), clip), clip)
    assert estimator.calls == 7
    assert found.error < 0.03
    assert found.maps[16][105, 60 + 5 * 16 + 45] == pytest.approx(0.6 + 0.01 * 16, abs=0.05)


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_a_static_shot_is_steady(noise, moving_plane):
    """The embedded network on the same picture again and again, with sensor noise (codes)."""
    rng = np.random.default_rng(0)
    rgb = moving_plane(1)[0][0]
    steady = SteadyDepth()
    frames = [np.clip(rgb + rng.normal(0, 1, rgb.shape) * noise, 0, 255) for _ in range(12)]
    out = [steady.push(frame.astype(np.uint8), FRAME_S * t) for t, frame in enumerate(frames)]
    changes = [np.mean((a - b) ** 2) for a, b in pairwise(out[4:])]
    assert max(changes) <= 10**-4.5


def test_a_cut_begins_another_shot(moving_plane, flickering):
    clip = moving_plane(5) + moving_plane(5, seed=40)
    steady = SteadyDepth(flickering(clip, wobble=0.0))
    cuts = []
    for t, (rgb, _) in enumerate(clip):
        steady.push(rgb, FRAME_S * t)
        cuts.append(steady.cut)
    assert cuts == [t in (0, 5) for t in range(10)]


def test_a_gap_in_time_begins_another_shot(moving_plane, flickering):
    clip = moving_plane(2)
    steady = SteadyDepth(flickering(clip))
    steady.push(clip[0][0], 0.0)
    steady.push(clip[1][0], 5.0)
    assert steady.cut


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="every n-th"):
        SteadyDepth(every=0)


def test_metric_depth_keeps_its_metres():
    class Metres:
        id = "metres"
        card = find_card()

        def estimate(self, rgb):
            return RawDepth(np.full((24, 32), 4.0, np.float32), "metric_depth")

    steady = SteadyDepth(Metres())
    for t in range(3):
        disparity = steady.push(noise(1), FRAME_S * t)
    assert steady.kind == "metric"
    assert disparity == pytest.approx(0.25)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (50, 2), (33, 57)])
def test_frames_of_any_size(size):
    steady = SteadyDepth()
    for t in range(3):
        out = steady.push(noise(t, size), FRAME_S * t)
        assert np.isfinite(out).all()
        assert out.min() >= 0
        assert out.max() <= 1
        assert max(out.shape) == LONG_SIDE_PX
        assert min(out.shape) >= 32  # what DIS flow needs not to read beyond its pictures


def test_memory_does_not_grow_with_the_frames(moving_plane, flickering):
    clip = moving_plane(8)
    steady = SteadyDepth(flickering(clip))
    run(steady, clip)
    held = [value for value in vars(steady).values() if isinstance(value, list | dict | tuple)]
    assert sum(len(value) for value in held) <= 2


def test_flows_of_two_frames_serve_both_ways(moving_plane):
    (before, _), (now, _) = moving_plane(2)
    small = small_picture(before, 128), small_picture(now, 128)
    there, back = flows_between(*small), flows_between(*small[::-1])
    np.testing.assert_array_equal(there.reversed().back, back.back)
    np.testing.assert_array_equal(there.reversed().ahead, back.ahead)
    assert np.abs(there.back).max() > 0.5
