"""Which clipped pixels are lamps, and how much light they get back."""

import numpy as np

from pullfocus.render.layered.highlight_recovery import LARGEST_BOOST, find_lights
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens


def _spot(around=0.02, side=4, size=96):
    picture = np.full((size, size, 3), around, np.float32)
    picture[40 : 40 + side, 40 : 40 + side] = 1.0
    return picture


def test_a_lamp_in_the_dark_is_not_dimmed_by_its_own_light():
    lights = find_lights(_spot(around=0.0), 1.0)
    share = 16 / 8**2  # in so small a picture the window is one cell
    assert lights is not None
    assert abs(lights.gain[5, 5] - (1 + LARGEST_BOOST * (1 - share / 0.5))) < 1e-2


def test_glints_on_something_bright_and_large_areas_get_little():
    lamp, glint, sky = (find_lights(p, 1.0) for p in (_spot(), _spot(0.4), _spot(0.02, 40)))
    assert lamp is not None
    assert glint is not None
    assert sky is not None
    assert glint.gain[5, 5] < lamp.gain[5, 5] / 3
    assert sky.gain[7, 7] == 1.0
    assert not sky.spots[7, 7]


def test_values_above_white_are_known_and_not_estimated():
    lights = find_lights(_spot() * 3, 1.0)
    assert lights is not None
    assert (lights.gain == 1.0).all()
    assert lights.spots[5, 5]


def test_nothing_is_found_where_nothing_is_clipped_or_asked_for():
    assert find_lights(_spot() * 0.5, 1.0) is None
    assert find_lights(_spot(), 0.0) is None


def test_what_clips_in_some_channels_only_keeps_its_hue():
    chrome = _spot()
    chrome[40:44, 40:44] = (1.0, 0.9, 1.0)
    radius = np.full((96, 96), -8.0, np.float32)
    lifted, plain = (render_linear(chrome, radius, Lens(highlights=s)) for s in (1.0, 0.0))
    assert np.abs(lifted - plain).max() < 1e-4
