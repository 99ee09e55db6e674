"""Following a subject: where it is, when it is lost, when it is back, how near it is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.focus import focus_on_box
from pullfocus.focus.box import Box
from pullfocus.types import DepthMap
from pullfocus.video.tracking.tracker import Lost, Seen, Tracker

HW = (180, 320)
RATE = 12
"""Frames per second of the clips: an occlusion of one second takes so many frames."""


@dataclass(frozen=True)
class Frame:
    """A frame with its exact truth; box is None while nothing of the subject can be seen."""

    rgb: np.ndarray
    disparity: np.ndarray
    box: Box | None
    visible: float


def cloth(seed: int, hw: tuple[int, int], tint: tuple[int, int, int], grain: float) -> np.ndarray:
    """Return a smooth random texture around a colour."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(*hw, 3)), (0, 0), grain)
    return np.clip(np.array(tint) + 70 * noise / noise.std() / 2, 0, 255).astype(np.uint8)


def clip(middles, sizes, pole: tuple[int, int] | None = None, noise: float = 2.0) -> list[Frame]:
    """Paint a subject (a coloured cloth) on a wall; `pole` hides columns from..to, it is nearer.

    middles: (x, y) in px for each frame; sizes: side in px. Disparity grows with the size.
    """
    wall = cloth(1, HW, (120, 120, 110), 6)
    subject = cloth(2, (64, 48), (150, 60, 50), 5)
    rng = np.random.default_rng(3)
    frames = []
    for (x, y), side in zip(middles, sizes, strict=True):
        rgb, disparity = wall.copy(), np.full(HW, 0.1, np.float32)
        mask = np.zeros(HW, bool)
        w, h = round(0.75 * side), round(side)
        left, top = round(x - w / 2), round(y - h / 2)
        rows, columns = slice(max(top, 0), max(top + h, 0)), slice(max(left, 0), max(left + w, 0))
        seen = cv2.resize(subject, (w, h), interpolation=cv2.INTER_AREA)
        piece = rgb[rows, columns]
        piece[:] = seen[max(-top, 0) :, max(-left, 0) :][: piece.shape[0], : piece.shape[1]]
        disparity[rows, columns] = side / 150
        mask[rows, columns] = True
        if pole is not None:
            rgb[:, pole[0] : pole[1]] = (60, 90, 60)
            disparity[:, pole[0] : pole[1]] = 0.9
            mask[:, pole[0] : pole[1]] = False
        visible = mask.sum() / (w * h)
        box = Box(left / HW[1], top / HW[0], (left + w) / HW[1], (top + h) / HW[0])
        whole = box.common(Box(0.0, 0.0, 1.0, 1.0)) if visible > 0 else None
        rgb = np.clip(rgb + rng.normal(0, noise, rgb.shape), 0, 255).astype(np.uint8)
        frames.append(Frame(rgb, disparity, whole, float(visible)))
    return frames


def follow(frames: list[Frame]) -> list[Seen | Lost]:
    tracker = Tracker()
    tracker.start(frames[0].rgb, frames[0].box)
    return [tracker.update(frame.rgb) for frame in frames[1:]]


def walk(count: int, first: tuple[float, float], last: tuple[float, float]):
    return np.linspace(first, last, count)


def test_it_stays_on_a_subject_that_moves_and_comes_nearer():
    frames = clip(walk(24, (60, 80), (200, 100)), np.linspace(44, 64, 24))
    answers = follow(frames)
    assert all(isinstance(answer, Seen) for answer in answers)
    overlaps = [a.box.overlap(frame.box) for a, frame in zip(answers, frames[1:], strict=True)]
    assert np.mean(overlaps) >= 0.75
    assert min(overlaps) >= 0.6


def test_the_focus_distance_of_a_followed_subject_is_right():
    """At most 5 % of the disparity's range, in every frame in which it is seen."""
    frames = clip(walk(24, (60, 80), (200, 100)), np.linspace(44, 64, 24))
    for answer, frame in zip(follow(frames), frames[1:], strict=True):
        truth = np.median(frame.disparity[frame.box.slices(HW)])
        focus = focus_on_box(DepthMap.from_disparity(frame.disparity), *answer.box)
        assert abs(focus.disparity - truth) <= 0.05 * np.ptp(frame.disparity)


def test_hidden_for_a_second_it_is_lost_and_found_again():
    out, back = walk(10, (60, 90), (160, 90)), walk(10, (160, 90), (260, 90))
    stay = [(160, 90)] * RATE
    frames = clip([*out, *stay, *back], [56] * (20 + RATE), pole=(130, 190))
    answers = follow(frames)
    for answer, frame in zip(answers, frames[1:], strict=True):
        if frame.visible == 0:
            assert isinstance(answer, Lost)
        if frame.visible == 1:
            assert isinstance(answer, Seen)
            assert answer.box.overlap(frame.box) >= 0.5


def test_a_lost_subject_says_where_and_how_long_ago():
    frames = clip([(60, 90)] * 5 + [(-100, 90)] * 6, [56] * 11)
    answers = follow(frames)
    lost = [answer for answer in answers if isinstance(answer, Lost)]
    assert [answer.frames for answer in lost] == [1, 2, 3, 4, 5, 6]
    assert lost[-1].box.overlap(frames[0].box) > 0.6


def test_left_on_one_side_and_back_on_the_other():
    out, back = walk(10, (60, 90), (-40, 90)), walk(10, (360, 60), (250, 60))
    frames = clip([*out, *[(-60, 90)] * RATE, *back], [56] * (20 + RATE))
    answers = follow(frames)
    gone = [answer for answer, f in zip(answers, frames[1:], strict=True) if f.visible == 0]
    assert all(isinstance(answer, Lost) for answer in gone)
    assert isinstance(answers[-1], Seen)
    assert answers[-1].box.overlap(frames[-1].box) >= 0.6


def test_a_person_is_not_where_the_mask_sees_nobody():
    frames = clip([(100, 90)] * 6, [60] * 6)
    person = np.zeros(HW, np.float32)
    person[frames[0].box.slices(HW)] = 1.0
    tracker = Tracker()
    tracker.start(frames[0].rgb, frames[0].box, person)
    assert isinstance(tracker.update(frames[1].rgb, person), Seen)
    assert isinstance(tracker.update(frames[2].rgb, np.zeros(HW, np.float32)), Lost)
    assert isinstance(tracker.update(frames[3].rgb, person), Seen)


@pytest.mark.parametrize("size", [(20, 30), (33, 57), (720, 400), (60, 1920)])
def test_frames_of_any_size_and_tiny_boxes(size):
    rgb = cloth(4, size, (120, 120, 120), 3)
    tracker = Tracker()
    tracker.start(rgb, (0.5, 0.5, 0.501, 0.501))
    answer = tracker.update(rgb)
    assert isinstance(answer, Seen)
    assert answer.box.holds(0.5, 0.5)


@pytest.mark.parametrize("box", [(0.5, 0.2, 0.4, 0.8), (0.2, 0.5, 0.4, 0.5), (1.2, 0, 1.5, 1)])
def test_impossible_boxes_are_refused(box):
    with pytest.raises(UsageError, match="left < right"):
        Tracker().start(cloth(4, HW, (120, 120, 120), 3), box)


def test_nothing_is_followed_before_the_start():
    with pytest.raises(UsageError, match="start"):
        Tracker().update(cloth(4, HW, (120, 120, 120), 3))
