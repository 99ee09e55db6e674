"""The graded style: the classic's six known faults are absent, whatever the method."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullfocus.errors import UsageError
from pullfocus.render.classic import Method, level_map, render_graded
from pullfocus.types import DepthMap, Focus, Photo

METHODS = get_args(Method)
LINEAR_METHODS = ("gaussian", "average", "disc")


def noise(h=60, w=80, seed=0):
    rng = np.random.default_rng(seed)
    return Photo.from_array(rng.random((h, w, 3), np.float32) * 0.8 + 0.1)


def two_planes(h=60, w=80, far=0.1, near=0.9):
    disparity = np.full((h, w), far, np.float32)
    disparity[:, : w // 2] = near
    return DepthMap.from_disparity(disparity)


@pytest.mark.parametrize("method", METHODS)
def test_constant_picture_stays_constant(method):
    photo = Photo.from_array(np.full((50, 70, 3), 0.5, np.float32))
    ramp = np.tile(np.linspace(0, 1, 70, dtype=np.float32), (50, 1))
    image = render_graded(photo, DepthMap.from_disparity(ramp), Focus(0.3), method, 3.0)
    np.testing.assert_allclose(image.linear, photo.linear, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_focused_plane_is_untouched_and_the_rest_is_not(method):
    photo, depth = noise(), two_planes()
    image = render_graded(photo, depth, Focus(0.9), method, 5.0)
    assert np.array_equal(image.linear[:, :40], photo.linear[:, :40])
    assert np.abs(image.linear[:, 40:] - photo.linear[:, 40:]).mean() > 0.01


@pytest.mark.parametrize("method", METHODS)
def test_no_black_pixels_at_the_farthest(method):
    photo = Photo.from_array(np.full((40, 60, 3), 200, np.uint8))
    depth = two_planes(40, 60, far=0.0, near=1.0)
    assert render_graded(photo, depth, Focus(1.0), method, 5.0).encoded.min() >= 199


@pytest.mark.parametrize("method", METHODS)
def test_a_bright_subject_leaves_no_halo(method):
    pixels = np.full((80, 120, 3), 0.1, np.float32)
    pixels[:, :60] = 1.0
    photo = Photo.from_array(pixels, encoded=False)
    depth = two_planes(80, 120, far=0.0, near=1.0)
    image = render_graded(photo, depth, Focus(1.0), method, 5.0)
    assert float(image.linear[:, 60:].max()) < 0.12


@pytest.mark.parametrize("method", METHODS)
def test_no_seams_on_a_slanted_surface(method):
    row = np.linspace(0, 1, 240, dtype=np.float32)
    pixels = np.repeat(np.tile(0.2 + 0.6 * row, (120, 1))[..., None], 3, axis=2)
    depth = DepthMap.from_disparity(np.tile(row, (120, 1)))
    photo = Photo.from_array(pixels, encoded=False)
    image = render_graded(photo, depth, Focus(0.0), method, 3.0).linear[60, 20:-20, 0]
    steps = np.diff(image)
    assert steps.max() < 3 * np.median(steps)


def test_blur_scales_with_the_resolution():
    def spread(scale):
        pixels = np.zeros((100 * scale, 140 * scale, 3), np.float32)
        pixels[50 * scale : 52 * scale, 70 * scale : 72 * scale] = 1.0
        depth = two_planes(100 * scale, 140 * scale, far=0.0, near=1.0)
        flat = DepthMap(np.where(depth.disparity > 0.5, 0, 0).astype(np.float32))
        photo = Photo.from_array(pixels, encoded=False)
        line = render_graded(photo, flat, Focus(1.0), "gaussian", 5.0).linear[51 * scale, :, 0]
        position = np.arange(line.size) / scale
        centre = (line * position).sum() / line.sum()
        return np.sqrt((line * (position - centre) ** 2).sum() / line.sum())

    assert spread(4) == pytest.approx(spread(2), rel=0.08)


def test_strength_does_not_depend_on_the_clicked_point():
    """The same difference in depth gives the same level, wherever the focus lies."""
    row = np.tile(np.linspace(0, 1, 101, dtype=np.float32), (4, 1))
    depth = DepthMap.from_disparity(row)
    here = level_map(depth, Focus(0.0))[0, 30]
    there = level_map(depth, Focus(0.5))[0, 80]
    assert here == pytest.approx(there, abs=1e-4)


def test_sharp_range_is_untouched():
    row = np.tile(np.linspace(0, 1, 80, dtype=np.float32), (60, 1))
    photo = noise()
    focus = Focus(0.5).with_range(0.7, 0.3)
    image = render_graded(photo, DepthMap.from_disparity(row), focus, "disc", 5.0)
    inside = (row[0] >= 0.3) & (row[0] <= 0.7)
    assert np.array_equal(image.linear[:, inside], photo.linear[:, inside])
    assert not np.array_equal(image.linear, photo.linear)


def test_mixed_is_the_near_method_near_and_disc_far():
    photo, far = noise(), two_planes(far=0.0, near=1.0)
    mixed = render_graded(photo, far, Focus(1.0), "mixed", 5.0).linear
    disc = render_graded(photo, far, Focus(1.0), "disc", 5.0).linear
    np.testing.assert_allclose(mixed, disc, atol=1e-6)
    disparity = np.where(far.disparity > 0.5, 1.0, 0.85).astype(np.float32)
    disparity[0, 0] = 0
    gentle = render_graded(photo, DepthMap(disparity), Focus(1.0), "mixed", 5.0).linear
    bilateral = render_graded(photo, DepthMap(disparity), Focus(1.0), "bilateral", 5.0).linear
    assert np.array_equal(gentle[20:], bilateral[20:])


@pytest.mark.parametrize("method", LINEAR_METHODS)
def test_blur_happens_in_linear_light(method):
    """A fine black and white pattern blurs to half the light, not to half the code."""
    checker = (np.indices((64, 64)).sum(axis=0) % 2).astype(np.float32)
    photo = Photo.from_array(np.repeat(checker[..., None], 3, axis=2))
    flat = DepthMap(np.zeros((64, 64), np.float32))
    image = render_graded(photo, flat, Focus(1.0), method, 5.0)
    assert image.linear[20:-20, 20:-20].mean() == pytest.approx(0.5, abs=0.02)
    assert 183 <= image.encode(8)[32, 32, 0] <= 193


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999),
    plane=st.floats(0, 1),
    method=st.sampled_from(METHODS),
    strength=st.floats(0, 5),
)
def test_flipping_commutes(seed, plane, method, strength):
    photo = noise(32, 48, seed)
    disparity = np.random.default_rng(seed).random((32, 48), np.float32)
    image = render_graded(photo, DepthMap(disparity), Focus(plane), method, strength).linear
    other = render_graded(
        photo.with_linear(photo.linear[:, ::-1]),
        DepthMap(disparity[:, ::-1]),
        Focus(plane),
        method,
        strength,
    ).linear
    np.testing.assert_allclose(other[:, ::-1], image, atol=2e-3)


def test_no_strength_and_flat_focus_return_the_photo():
    photo, depth = noise(), two_planes()
    assert np.array_equal(render_graded(photo, depth, Focus(0.1), "disc", 0.0).linear, photo.linear)
    flat = DepthMap(np.full((60, 80), 0.4, np.float32))
    assert np.array_equal(render_graded(photo, flat, Focus(0.4), "median").linear, photo.linear)


def test_sixteen_bits_stay_sixteen_bits():
    ramp = np.tile(np.arange(4000, dtype=np.uint16)[None, :, None] * 16, (8, 1, 3))
    photo = Photo.from_array(ramp)
    image = render_graded(photo, DepthMap(np.zeros((8, 4000), np.float32)), Focus(1.0), "gaussian")
    assert image.bit_depth == 16
    assert len(np.unique(image.encoded)) > 3000


def test_bad_requests_are_refused():
    photo, depth = noise(), two_planes()
    with pytest.raises(UsageError, match="80x60"):
        render_graded(noise(30, 30), depth, Focus(0.5))
    with pytest.raises(UsageError, match="method"):
        render_graded(photo, depth, Focus(0.5), "box")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="strength"):
        render_graded(photo, depth, Focus(0.5), strength=9)
