"""Rendered scenes: exact disparity, upright, the same for the same seed."""

import numpy as np
import pytest

from pullfocus.lab.scenes.furniture import Shop
from pullfocus.lab.scenes.generate import draw_layout, is_telling
from pullfocus.lab.scenes.layouts import LAYOUTS
from pullfocus.lab.scenes.parts import Camera, Part, Scene, placed, view_matrix
from pullfocus.lab.scenes.textures import SIDE, build_stack

SKY = (np.array([0.2, 0.4, 0.9]), np.array([0.8, 0.8, 0.8]))


def _stand(parts, pitch=0.0, at=(0.0, 0.0, 0.0)):
    camera = Camera(at, 0.0, pitch, 0.0, 60.0)
    return Scene(parts, camera, SKY, np.array([0.0, 1.0, 0.0]))


@pytest.fixture(scope="module")
def stack():
    return build_stack(None, None, 0)


@pytest.fixture(scope="module")
def renderer(stack):
    pytest.importorskip("moderngl")
    from pullfocus.lab.scenes.render import Renderer

    try:
        return Renderer(stack.rgba, (48, 64))
    except Exception as error:  # noqa: BLE001 - moderngl raises bare Exception
        pytest.skip(f"no EGL driver: {error}")


def test_convention_camera_looks_along_minus_z_and_down_is_negative_pitch():
    ahead = view_matrix(Camera((0, 1, 0), 0, 0, 0, 60)) @ [0, 1, -5, 1]
    np.testing.assert_allclose(ahead, [0, 0, -5, 1], atol=1e-12)
    below = view_matrix(Camera((0, 1, 0), 0, -45, 0, 60)) @ [0, 0, -1, 1]
    np.testing.assert_allclose(below[:2], 0, atol=1e-12)


def test_a_wall_at_four_metres_has_disparity_one_quarter(renderer):
    wall = Part("box", placed((0, 0, -4.5), (50, 50, 1)), 0)
    _, disparity = renderer(_stand([wall]))
    np.testing.assert_allclose(disparity, 0.25, rtol=1e-4)


def test_the_ground_is_nearer_below_and_the_sky_is_at_zero(renderer):
    ground = Part("box", placed((0, -0.5, 0), (500, 1, 500)), 0)
    rgb, disparity = renderer(_stand([ground], at=(0.0, 1.5, 0.0)))
    column = disparity[:, 32]
    assert column[0] == 0
    assert rgb[0, 0, 2] > rgb[0, 0, 0]
    assert (np.diff(column[28:]) > 0).all()
    row, half = 40, 24
    angle = (row + 0.5 - half) / half * np.tan(np.deg2rad(30))
    assert column[row] == pytest.approx(angle / 1.5, rel=1e-3)


def test_nearer_parts_hide_farther_ones(renderer):
    parts = [
        Part("box", placed((0, 0, -10), (50, 50, 1)), 0),
        Part("ball", placed((0, 0, -3), (1, 1, 1)), 1),
        Part("pole", placed((1.2, 0, -3), (0.4, 9, 0.4)), 2),
    ]
    _, disparity = renderer(_stand(parts))
    assert disparity[24, 32] == pytest.approx(1 / 2.5, rel=0.02)
    assert disparity[2, 2] == pytest.approx(1 / 9.5, rel=1e-3)
    assert disparity[2].max() > 0.3


def test_every_layout_is_drawn_and_deterministic(renderer, stack):
    kinds = set()
    for seed in range(40):
        name, scene = draw_layout(stack, seed)
        if name not in kinds:
            kinds.add(name)
            first, again = renderer(scene)[1], renderer(draw_layout(stack, seed)[1])[1]
            np.testing.assert_array_equal(first, again)
            assert np.isfinite(first).all()
    assert kinds == {name for name, (_, share) in LAYOUTS.items() if share > 0}


def test_a_corner_of_a_room_has_no_sky_and_things_within_reach(renderer, stack):
    for seed in range(6):
        name, scene = draw_layout(stack, seed, "corner")
        _, disparity = renderer(scene)
        assert name == "corner"
        assert (disparity > 1 / 12).all()
        assert disparity.max() > 0.5
        np.testing.assert_array_equal(disparity, renderer(draw_layout(stack, seed, "corner")[1])[1])


def test_counters_stand_in_front_of_their_wall(stack):
    for turn, inwards in ((0.0, (0, 1)), (90.0, (1, 0)), (-90.0, (-1, 0))):
        shop = Shop(stack, np.random.default_rng(3))
        shop.counter((0.0, 0.0, 0.0), 2.0, turn)
        middles = np.array([part.matrix[:3, 3] for part in shop.parts])
        assert (middles[:, [0, 2]] @ inwards > 0).all()
        along = middles[:, [0, 2]] @ (inwards[1], -inwards[0])
        assert np.abs(along).max() < 1.05


def test_plain_surfaces_have_the_least_contrast(stack):
    spread = {i: stack.rgba[i, ..., :3].std((0, 1)).mean() for i in stack.kinds["surface"]}
    others = set(spread) - set(stack.plain.tolist())
    assert max(spread[i] for i in stack.plain) <= min(spread[i] for i in others)


def test_textures_are_full_size_and_flat_views_are_refused(stack):
    assert stack.rgba.shape[1:] == (SIDE, SIDE, 4)
    assert not is_telling(np.full((8, 8), 0.5, np.float32))
    assert is_telling(np.linspace(0.1, 1, 64, dtype=np.float32).reshape(8, 8))
