"""Augmentations: pictures and geometry stay together, ranges are the papers'."""

import numpy as np
import pytest

from pullfocus.lab.data import augment
from pullfocus.lab.data.samples import Clip


def _rngs(count=60):
    return (np.random.default_rng(n) for n in range(count))


def _clip(hw=(20, 40), count=2):
    columns = np.broadcast_to(np.arange(hw[1], dtype=np.uint8)[:, None], (*hw, 3))
    frames = np.stack([columns * 5 + n for n in range(count)])
    intrinsics = np.array([[30.0, 0, 20], [0, 30, 10], [0, 0, 1]])
    return Clip("c", frames, np.arange(count) / 10, intrinsics)


def test_flipping_a_pair_swaps_it_so_that_disparity_stays_positive():
    left, right = np.zeros((4, 9, 3)), np.zeros((4, 9, 3))
    left[:, 6], right[:, 4] = 1, 1  # disparity 2
    seen = set()
    for rng in _rngs():
        a, b = augment.flip_and_swap(left, right, rng)
        at_a, at_b = a[0, :, 0].argmax(), b[0, :, 0].argmax()
        assert at_a - at_b == 2
        seen.add(int(at_a))
    assert seen == {6, 4}


def test_colours_shift_alike_in_both_pictures_and_half_the_time():
    grey = np.full((2, 2, 3), 0.25, np.float32)
    changed = 0
    for rng in _rngs(200):
        a, b = augment.shift_colours([grey, grey], rng)
        np.testing.assert_array_equal(a, b)
        low, high = 0.25**1.2 * 0.8 * 0.5, min(1.0, 0.25**0.8 * 1.2 * 2)
        assert low - 1e-6 <= a.min() <= a.max() <= high + 1e-6
        changed += bool((a != grey).any())
    assert 70 < changed < 130


def test_a_monodepth_pair_is_float_in_unit_range():
    rgb = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    for rng in _rngs(10):
        for picture in augment.monodepth(rgb, rgb, rng):
            assert picture.dtype == np.float32
            assert 0 <= picture.min() <= picture.max() <= 1


def test_intrinsics_follow_crop_resize_and_flip():
    clip = _clip()
    for rng in _rngs():
        out = augment.crop_resize_flip(clip, (10, 16), rng)
        assert out.frames.shape == (2, 10, 16, 3)
        # the ray through a pixel still sees the column that it saw before
        sign = -1 if out.frames[0, 5, 0, 0] > out.frames[0, 5, -1, 0] else 1
        x = (8.5 - out.intrinsics[0, 2]) / out.intrinsics[0, 0]
        column = sign * x * 30 + 20 - 0.5
        assert out.frames[0, 5, 8, 0] == pytest.approx(column * 5, abs=6)


def test_pairs_without_motion_are_told():
    still = np.full((4, 4, 3), 100, np.uint8)
    assert not augment.has_motion(still, still + 2)
    assert augment.has_motion(still, still + 3)


def test_swap_and_mirror_move_target_and_picture_alike():
    columns = np.arange(6, dtype=np.float32)
    rgb = np.broadcast_to(columns[:, None], (3, 6, 3)) * np.array([1, 10, 100], np.float32)
    target = np.broadcast_to(columns, (3, 6))
    orders = set()
    for rng in _rngs():
        picture, depth = augment.swap_and_mirror(rgb, target, rng)
        np.testing.assert_allclose(np.sort(picture, 2)[..., 0], depth)
        orders.add((*picture[0, -1 if depth[0, -1] else 0].tolist(), bool(depth[0, 0])))
    assert len(orders) == 12


def test_resizing_a_clip_keeps_its_truth_in_place():
    depth = np.full((2, 20, 40), 2.0, np.float32)
    depth[:, :, 20:] = 4
    clip = Clip("c", _clip().frames, np.arange(2.0), _clip().intrinsics, depth_m=depth)
    out = augment.resized(clip, (10, 20))
    assert out.frames.shape == (2, 10, 20, 3)
    assert out.depth_m[0, 0, 9] == 2
    assert out.depth_m[0, 0, 10] == 4
    assert out.intrinsics[0, 0] == 15
    assert out.moving is None


def test_the_hood_is_a_fifth_of_the_picture():
    assert augment.without_hood(np.zeros((100, 4, 3))).shape[0] == 80
