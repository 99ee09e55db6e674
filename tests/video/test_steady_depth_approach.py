"""The camera comes nearer: carried disparity grows as the exact one does, and only then."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pullfocus.video.temporal_depth.camera_motion import camera_move, come_nearer, still_followed
from pullfocus.video.temporal_depth.optical_flow import Motion, pixel_grid, sampled

HW = (96, 160)


def scene():
    """Exact inverse depth: a ground that comes nearer downwards, and a wall on the left."""
    disparity = np.repeat(np.linspace(0.05, 0.7, HW[0])[:, None], HW[1], axis=1)
    disparity[20:80, 20:70] = 0.55
    return disparity.astype(np.float32)


def driven(now, forward, pan=0.0, seed=0):
    """Return the motion to `now` and inverse depth before it, for a way forward and a turn."""
    y, x = np.mgrid[: HW[0], : HW[1]].astype(np.float64)
    middle = (HW[1] - 1) / 2, (HW[0] - 1) / 2
    grown = 1 / (1 - forward * now / (1 + forward * now))  # depth before / depth now
    before = np.stack([middle[0] + (x - middle[0]) / grown, middle[1] + (y - middle[1]) / grown], 2)
    before[..., 0] -= pan * HW[1]
    seen = np.random.default_rng(seed).random(HW) > 0.2
    return Motion(before.astype(np.float32), seen), (now / grown).astype(np.float32)


def nearer(carried, motion, metric):
    return come_nearer(carried, motion, camera_move(carried, motion), metric)


@pytest.mark.parametrize("pan", [0.0, 0.01])
@pytest.mark.parametrize("forward", [0.06, -0.06])
def test_what_the_camera_drives_towards_comes_nearer_by_as_much(forward, pan):
    now = scene()
    motion, before = driven(now, forward, pan)
    left = np.abs(nearer(before, motion, metric=True) - now).mean()
    assert left < 0.25 * np.abs(before - now).mean()


def test_the_zero_of_relative_disparity_is_found():
    """Half the true inverse depth less 0.1, as a network may see it."""
    now = scene()
    motion, before = driven(now, 0.06)
    left = np.abs(nearer(0.5 * before - 0.1, motion, metric=False) - (0.5 * now - 0.1))
    assert left.mean() < 0.25 * 0.5 * np.abs(before - now).mean()


def test_a_third_that_moves_by_itself_misleads_nobody():
    now = scene()
    motion, before = driven(now, 0.06)
    motion.grid[:, 110:, 0] += 3
    left = np.abs(nearer(before, motion, metric=True) - now)[:, :110].mean()
    assert left < 0.4 * np.abs(before - now)[:, :110].mean()


def test_a_camera_that_only_turns_changes_nothing():
    now = scene()
    motion, before = driven(now, 0.0, pan=0.02)
    assert nearer(before, motion, metric=False) == pytest.approx(now, abs=2e-3)


def test_little_that_could_be_followed_changes_nothing():
    now = scene()
    motion, before = driven(now, 0.06)
    motion.seen[:] = False
    assert nearer(before, motion, metric=False) is before


def test_what_flow_loses_is_followed_by_the_camera_and_what_moves_by_itself_is_not():
    """Flow sees the upper part only; below, the ground stands still and a cart moves."""
    now_disparity = scene()
    motion, before_disparity = driven(now_disparity, 0.06)
    before_disparity = sampled(before_disparity, 2 * pixel_grid(*HW) - motion.grid)
    truth = motion.grid.copy()
    rng = np.random.default_rng(1)
    before = cv2.resize(rng.integers(0, 255, (24, 40, 3), np.uint8), HW[::-1])
    now = sampled(before, truth)
    cart = np.s_[70:85, 60:80]
    now[cart] = 255 - now[cart]
    motion.grid[60:] += 9.0
    motion.seen[60:] = False
    move = camera_move(sampled(before_disparity, truth), Motion(truth, motion.seen))
    found = still_followed(motion, move, before_disparity, before, now)
    ground = np.ones(HW, bool)
    ground[:60] = ground[62:93, 52:88] = False
    ground[:, :4] = ground[:, -4:] = ground[-4:] = False
    assert found.seen[ground].mean() > 0.95
    assert np.abs(found.grid - truth)[ground & found.seen].mean() < 0.5
    assert not found.seen[72:83, 62:78].any()
