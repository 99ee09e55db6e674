"""Depth over frames: it does not flicker, keeps up with what happens, and forgets at a cut."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from pullfocus.depth import find_card
from pullfocus.depth.estimator import RawDepth
from pullfocus.depth.normalise import normalised
from pullfocus.errors import UsageError
from pullfocus.video.steady_depth import LONG_SIDE_PX, SteadyDepth

HW = (216, 384)
FRAME_S = 1 / 30


def texture(seed: int, hw: tuple[int, int] = HW) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(*hw, 3)), (0, 0), 2)
    return np.clip(128 + 220 * noise / np.abs(noise).max(), 0, 255).astype(np.uint8)


def moving_plane(
    count: int, seed: int = 0, panel_from: int = 0, nearness: float = 0.6, nearer: float = 0.01
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return frames and exact disparity: a panel comes nearer, and larger, before a wall."""
    wall, panel = texture(seed, (HW[0], HW[1] + 100)), texture(seed + 1, (90, 90))
    slant = np.repeat(np.linspace(0.1, 0.5, HW[0], dtype=np.float32)[:, None], HW[1], axis=1)
    out = []
    for t in range(count):
        rgb, disparity = wall[:, t : t + HW[1]].copy(), slant.copy()
        if t >= panel_from:
            near = nearness + nearer * t
            half = round(45 * near / nearness)
            x = 105 + 5 * t
            place = (slice(105 - half, 105 + half), slice(x - half, x + half))
            rgb[place] = cv2.resize(panel, (2 * half, 2 * half), interpolation=cv2.INTER_AREA)
            disparity[place] = near
        out.append((rgb, disparity))
    return out


class Flickering:
    """An estimator that knows the truth but changes its scale, shift and mood every frame."""

    id = "flickering"
    card = find_card()

    def __init__(self, clip: list[tuple[np.ndarray, np.ndarray]], wobble: float = 0.1) -> None:
        self._truth = {rgb.tobytes(): (t, truth) for t, (rgb, truth) in enumerate(clip)}
        self._wobble = wobble
        self.calls = 0

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        self.calls += 1
        t, truth = self._truth[rgb.tobytes()]
        rng = np.random.default_rng(t)
        blotches = cv2.resize(rng.normal(size=(9, 16)), HW[::-1], interpolation=cv2.INTER_CUBIC)
        gain, shift = 1 + self._wobble * rng.uniform(-1, 1, 2)
        values = gain * truth + shift - 1 + 0.2 * self._wobble * blotches
        return RawDepth(values.astype(np.float32), "relative_disparity")


def run(steady: SteadyDepth, clip) -> list[np.ndarray]:
    return [steady.push(rgb, FRAME_S * t) for t, (rgb, _) in enumerate(clip)]


def fitted(outputs, clip) -> list[np.ndarray]:
    """Fit one scale and shift for the whole clip to the truth (the protocols' TAE does)."""
    x, y = np.stack(outputs).ravel(), np.stack([truth for _, truth in clip]).ravel()
    gain, shift = np.polyfit(x.astype(np.float64), y, 1)
    return [gain * out + shift for out in outputs]


def flicker(outputs, clip) -> float:
    """Mean change from frame to frame that the truth does not have."""
    truths = [truth for _, truth in clip]
    wrong = [
        np.abs((b - a) - (q - p)).mean()
        for a, b, p, q in zip(outputs, outputs[1:], truths, truths[1:], strict=False)
    ]
    return float(np.mean(wrong))


def error(outputs, clip) -> float:
    return float(
        np.mean([np.abs(out - t).mean() for out, (_, t) in zip(outputs, clip, strict=True)])
    )


@pytest.mark.parametrize("mode", ["causal", "two-pass"])
def test_it_flickers_far_less_than_frame_by_frame_and_is_no_less_right(mode):
    clip = moving_plane(20)
    estimator = Flickering(clip)
    single = fitted([normalised(estimator.estimate(rgb).values) for rgb, _ in clip], clip)
    steady = SteadyDepth(estimator, mode)
    if mode == "two-pass":
        steady.survey((rgb, FRAME_S * t) for t, (rgb, _) in enumerate(clip))
    outputs = fitted(run(steady, clip), clip)
    assert flicker(outputs, clip) <= 0.6 * flicker(single, clip)
    assert error(outputs, clip) <= error(single, clip)


def test_depth_on_every_third_frame_moves_with_the_flow_between():
    clip = moving_plane(20)
    estimator = Flickering(clip, wobble=0.0)
    outputs = fitted(run(SteadyDepth(estimator, every=3), clip), clip)
    assert estimator.calls == 7
    assert error(outputs, clip) < 0.03
    assert outputs[16][105, 60 + 5 * 16 + 45] == pytest.approx(0.6 + 0.01 * 16, abs=0.05)


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_a_static_shot_is_steady(noise):
    """The embedded network on the same picture again and again, with sensor noise (codes)."""
    rng = np.random.default_rng(0)
    rgb = moving_plane(1)[0][0]
    steady = SteadyDepth()
    frames = [np.clip(rgb + rng.normal(0, 1, rgb.shape) * noise, 0, 255) for _ in range(12)]
    out = [steady.push(frame.astype(np.uint8), FRAME_S * t) for t, frame in enumerate(frames)]
    changes = [np.mean((a - b) ** 2) for a, b in pairwise(out[4:])]
    assert max(changes) <= 10**-4.5


def test_a_cut_begins_another_shot():
    clip = moving_plane(5) + moving_plane(5, seed=40)
    steady = SteadyDepth(Flickering(clip, wobble=0.0))
    cuts = []
    for t, (rgb, _) in enumerate(clip):
        steady.push(rgb, FRAME_S * t)
        cuts.append(steady.cut)
    assert cuts == [t in (0, 5) for t in range(10)]


def test_a_gap_in_time_begins_another_shot():
    clip = moving_plane(2)
    steady = SteadyDepth(Flickering(clip))
    steady.push(clip[0][0], 0.0)
    steady.push(clip[1][0], 5.0)
    assert steady.cut


def test_two_passes_tell_near_from_nearer_where_one_has_no_room_left():
    """In the first frame there is only the wall; the panel comes far nearer than that."""
    clip = moving_plane(12, panel_from=1, nearness=2.0, nearer=0.05)
    estimator = Flickering(clip, wobble=0.0)
    steady = SteadyDepth(estimator, "two-pass")
    steady.survey((rgb, FRAME_S * t) for t, (rgb, _) in enumerate(clip))
    gained = [
        out[-1][105, 160] - out[2][105, 120]
        for out in (run(SteadyDepth(estimator), clip), run(steady, clip))
    ]
    assert gained[0] < 0.001
    assert gained[1] > 0.01


def test_two_passes_ask_for_the_first():
    with pytest.raises(UsageError, match="survey"):
        SteadyDepth(Flickering(moving_plane(1)), "two-pass").push(moving_plane(1)[0][0], 0.0)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="every n-th"):
        SteadyDepth(every=0)
    with pytest.raises(UsageError, match="two-pass"):
        SteadyDepth(mode="sideways")


def test_metric_depth_keeps_its_metres():
    class Metres:
        id = "metres"
        card = find_card()

        def estimate(self, rgb):
            return RawDepth(np.full((24, 32), 4.0, np.float32), "metric_depth")

    steady = SteadyDepth(Metres())
    for t in range(3):
        disparity = steady.push(texture(1), FRAME_S * t)
    assert steady.kind == "metric"
    assert disparity == pytest.approx(0.25)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (50, 2), (33, 57)])
def test_frames_of_any_size(size):
    steady = SteadyDepth()
    for t in range(3):
        out = steady.push(texture(t, size), FRAME_S * t)
        assert np.isfinite(out).all()
        assert out.min() >= 0
        assert out.max() <= 1
        assert max(out.shape) == LONG_SIDE_PX


def test_memory_does_not_grow_with_the_frames():
    clip = moving_plane(8)
    steady = SteadyDepth(Flickering(clip))
    run(steady, clip)
    held = [value for value in vars(steady).values() if isinstance(value, list | dict | tuple)]
    assert sum(len(value) for value in held) <= 2
