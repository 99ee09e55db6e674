"""The camera comes nearer: carried disparity grows as the exact one does, and only then."""

from __future__ import annotations

import numpy as np
import pytest

from pullfocus.video.steady_depth_approach import come_nearer
from pullfocus.video.steady_depth_motion import Motion

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


@pytest.mark.parametrize("pan", [0.0, 0.01])
@pytest.mark.parametrize("forward", [0.06, -0.06])
def test_what_the_camera_drives_towards_comes_nearer_by_as_much(forward, pan):
    now = scene()
    motion, before = driven(now, forward, pan)
    left = np.abs(come_nearer(before, motion, metric=True) - now).mean()
    assert left < 0.25 * np.abs(before - now).mean()


def test_the_zero_of_relative_disparity_is_found():
    """Half the true inverse depth less 0.1, as a network may see it."""
    now = scene()
    motion, before = driven(now, 0.06)
    left = np.abs(come_nearer(0.5 * before - 0.1, motion, metric=False) - (0.5 * now - 0.1))
    assert left.mean() < 0.25 * 0.5 * np.abs(before - now).mean()


def test_a_third_that_moves_by_itself_misleads_nobody():
    now = scene()
    motion, before = driven(now, 0.06)
    motion.grid[:, 110:, 0] += 3
    left = np.abs(come_nearer(before, motion, metric=True) - now)[:, :110].mean()
    assert left < 0.4 * np.abs(before - now)[:, :110].mean()


def test_a_camera_that_only_turns_changes_nothing():
    now = scene()
    motion, before = driven(now, 0.0, pan=0.02)
    assert come_nearer(before, motion, metric=False) == pytest.approx(now, abs=2e-3)


def test_little_that_could_be_followed_changes_nothing():
    now = scene()
    motion, before = driven(now, 0.06)
    motion.seen[:] = False
    assert come_nearer(before, motion, metric=False) is before
