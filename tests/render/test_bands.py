"""The ladder of radii."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pullfocus.render.bands import ladder_index, rung_level, rung_radius_px


def test_rungs_and_places_are_inverse():
    rungs = np.arange(0, 60)
    radii = np.array([rung_radius_px(int(r)) for r in rungs])
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
