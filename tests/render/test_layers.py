"""Both surfaces of every pixel: what is split on an edge still adds up to the pixel."""

import numpy as np

from pullfocus.render.layered.layers import find_hidden_surface, make_block
from pullfocus.render.layered.renderer import read_only

STEP = 0.05


def _block():
    """A near box before a far wall, both textured, with mixed pixels round the box."""
    picture = 0.3 + 0.2 * np.random.default_rng(0).random((64, 64, 3), np.float32)
    picture[16:48, 16:48] += 0.3
    picture[16:48, 16] = 0.5 * (picture[16:48, 15] + picture[16:48, 17])
    disparity = np.full((64, 64), 0.1, np.float32)
    disparity[16:48, 16:48] = 0.8
    linear, disparity = read_only(picture), read_only(disparity)
    hidden = find_hidden_surface(linear, disparity, STEP, 20.0)
    return picture, make_block(linear, disparity, hidden, None, STEP, (0, 0), (64, 64), 0)


def test_the_two_sides_of_a_split_pixel_add_up_to_it():
    picture, block = _block()
    alpha = block.planes[3]
    split = (alpha > 0) & (alpha < 1)
    assert split[17:47, 16].mean() > 0.5
    both = alpha * block.planes[:3] + (1 - alpha) * block.planes[4:7]
    assert np.abs(both.transpose(1, 2, 0) - picture)[split].max() < 1e-5


def test_a_split_pixel_keeps_its_own_side_for_the_greater_part():
    _, block = _block()
    alpha = block.planes[3]
    assert alpha[17:47, 17:47].min() >= 0.5
    split = alpha < 1
    assert np.all(block.disparity1[split] > block.disparity2[split])


def test_behind_the_near_box_lies_the_wall():
    _, block = _block()
    middle = block.disparity2[20:44, 20:44]
    assert np.abs(middle - 0.1).max() < 0.02
    assert np.all(block.planes[7, 20:44, 20:44] == 1)
