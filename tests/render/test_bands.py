"""The ladder of radii."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullfocus.lens.aperture import aperture_kernel
from pullfocus.render.layered.blur_levels import (
    aperture_only,
    column_sum_taps,
    ladder_index,
    rung_level,
    rung_radius_px,
)
from pullfocus.types import Lens


def test_rungs_and_places_are_inverse():
    rungs = np.arange(0, 60, 0.125)
    radii = np.array([rung_radius_px(float(r)) for r in rungs])
    assert np.allclose(ladder_index(radii), rungs, atol=1e-3)


@given(st.floats(0, 400), st.floats(0, 400))
def test_places_keep_the_order_of_radii(a, b):
    low, high = sorted((a, b))
    assert ladder_index(np.array(low)) <= ladder_index(np.array(high)) + 1e-4


def test_steps_are_one_pixel_then_twelve_percent():
    radii = np.array([rung_radius_px(r) for r in range(60)])
    steps = np.diff(radii)
    assert np.all(steps <= np.maximum(1.0, 0.121 * radii[1:]) + 0.35)


def test_every_rung_is_blurred_at_four_to_eight_reduced_pixels():
    for rung in range(9, 60):
        reduced = rung_radius_px(rung) / 2 ** rung_level(rung)
        assert 4.0 <= reduced <= 8.0


@pytest.mark.parametrize("lens", [Lens(), Lens(blades=5, ring=0.4), Lens(edge_softness=0.5)])
def test_taps_for_column_sums_blur_as_the_kernel_does(lens):
    kernel = aperture_kernel(6.3, lens)
    half = kernel.shape[0] // 2
    dy, dx, weight = column_sum_taps(kernel)
    picture = np.random.default_rng(1).random((60, 50)).astype(np.float32)
    sums = picture.cumsum(axis=0)
    at = 2 * half
    found = sum(w * sums[at + y, at + x] for y, x, w in zip(dy, dx, weight, strict=True))
    window = picture[at - half : at + half + 1, at - half : at + half + 1]
    assert found == pytest.approx(float((window * kernel).sum()), abs=1e-4)


def test_a_disc_costs_its_rim():
    kernel = aperture_kernel(7.5, Lens())
    assert len(column_sum_taps(kernel)[0]) < 0.5 * np.count_nonzero(kernel)


def test_one_kernel_serves_every_f_number_and_keeps_the_shape():
    lens = Lens(2.0, blades=5, rotation_deg=9, roundness=0.3, squeeze=1.3, ring=0.2)
    shape = aperture_only(lens)
    assert shape == aperture_only(Lens(8.0, 85.0, 24.0, 5, 9, 0.3, 0.5, 1.3, 0.2, highlights=1.0))
    assert np.array_equal(aperture_kernel(6.0, shape), aperture_kernel(6.0, lens))
    assert shape != aperture_only(Lens(2.0, blades=5))
