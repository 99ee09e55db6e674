"""Small lights are drawn one by one: sharp rims, no twins, hidden by what is nearer."""

import numpy as np
import pytest

from pullfocus.render.layered.highlight_splats import Lamps, place_lamps
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens

PLAIN = Lens(highlights=0.0)


def _lit(y, x, size_hw=(160, 160)):
    picture = np.zeros((*size_hw, 3), np.float32)
    picture[y, x] = 1000.0
    return picture


def test_the_rim_of_a_large_disc_is_sharp():
    out = render_linear(_lit(80, 80), np.full((160, 160), -40.0, np.float32), PLAIN)[..., 0]
    plateau = 1000.0 / (np.pi * 40**2)
    assert out[80, 42] == pytest.approx(plateau, rel=0.05)
    assert out[80, 38] < 0.05 * plateau


def test_a_lamp_near_the_border_has_no_twin_outside():
    picture = _lit(80, 20)
    out = render_linear(picture, np.full((160, 160), -30.0, np.float32), PLAIN)[..., 0]
    # the part of the disc's area right of a chord at 2/3 of the radius, and half a pixel
    share = 1 - (np.arccos(20.5 / 30) - 20.5 / 30 * np.sqrt(1 - (20.5 / 30) ** 2)) / np.pi
    assert out.sum() == pytest.approx(1000.0 * share, rel=0.02)


def test_what_is_nearer_hides_a_lamp():
    picture, radius = _lit(80, 60), np.full((160, 160), -20.0, np.float32)
    radius[:, 72:88] = 0.0
    out = render_linear(picture, radius, PLAIN)[80, :, 0]
    assert out[74:86].max() < 1e-3
    assert out[68] > 0.5


@pytest.mark.parametrize("lens", [PLAIN, Lens(cats_eye=0.7, squeeze=1.4, highlights=0.0)])
def test_lamps_do_not_depend_on_the_blocks(lens):
    rng = np.random.default_rng(0)
    picture = np.zeros((300, 96, 3), np.float32)
    picture[rng.integers(0, 300, 40), rng.integers(0, 96, 40)] = rng.uniform(2, 30, (40, 3))
    radius = np.tile(np.linspace(-25, 12, 96, dtype=np.float32), (300, 1))
    whole = render_linear(picture, radius, lens)
    assert np.array_equal(whole, render_linear(picture, radius, lens, block_px=64))


def test_a_cats_eye_cuts_lamps_and_keeps_their_energy():
    lens = Lens(cats_eye=1.0, highlights=0.0)
    out = render_linear(_lit(30, 30), np.full((160, 160), -16.0, np.float32), lens)[..., 0]
    assert out.sum() == pytest.approx(1000.0, rel=0.02)
    assert (out > 1000.0 / (np.pi * 16**2)).sum() < 0.75 * np.pi * 16**2


def test_merged_lamps_keep_their_light():
    rng = np.random.default_rng(1)
    y, x = rng.integers(0, 64, 500), rng.integers(0, 64, 500)
    colour = rng.random((500, 3), np.float32)
    lamps = Lamps(y, x, np.ones(500, np.float32), colour)
    place = np.full(500, -31.0, np.float32)  # a radius of 109 px
    discs = place_lamps(lamps, place, (-31, 32), Lens(), (0, 0), (64, 64))
    assert len(discs.y) < 500
    assert discs.colour.sum(axis=0) == pytest.approx(colour.sum(axis=0), rel=1e-4)
    assert discs.start[0] == 0
    assert discs.start[1] == discs.start[-1] == len(discs.y)
