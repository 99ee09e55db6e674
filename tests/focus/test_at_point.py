"""Focus by hand: point, box, range, distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullfocus.errors import UsageError
from pullfocus.focus import check_focus, focus_at, focus_on_box, sharp_range
from pullfocus.types import DepthMap, Focus


def two_halves(h: int = 200, w: int = 300) -> DepthMap:
    """Return near (0.8) on the left, far (0.2) on the right."""
    disparity = np.full((h, w), 0.2, np.float32)
    disparity[:, : w // 2] = 0.8
    return DepthMap.from_disparity(disparity)


def test_convention_x_grows_to_the_right_and_y_downwards():
    disparity = np.zeros((100, 100), np.float32)
    disparity[70:, 10:40] = 0.9
    depth = DepthMap.from_disparity(disparity)
    assert focus_at(depth, 0.25, 0.85).disparity == pytest.approx(0.9)
    assert focus_at(depth, 0.85, 0.25).disparity == 0.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_any_point_of_the_picture_can_be_chosen(x, y):
    focus = focus_at(two_halves(20, 30), x, y)
    assert focus.disparity in (pytest.approx(0.8), pytest.approx(0.2))
    assert (focus.x, focus.y, focus.chosen) == (x, y, "point")


@given(
    st.one_of(st.floats(max_value=-1e-6), st.floats(min_value=1.001), st.just(float("nan"))),
    st.booleans(),
)
def test_points_outside_are_refused(outside, first):
    with pytest.raises(UsageError, match="outside the picture"):
        focus_at(two_halves(20, 30), *((outside, 0.5) if first else (0.5, outside)))


def test_one_wrong_pixel_does_not_decide():
    disparity = np.full((200, 300), 0.3, np.float32)
    disparity[100, 150] = 1.0
    depth = DepthMap.from_disparity(disparity)
    assert focus_at(depth, 0.5017, 0.5025).disparity == pytest.approx(0.3)
    assert focus_at(depth, 0.5017, 0.5025, radius=0).disparity == pytest.approx(1.0)


def test_near_an_edge_the_side_of_the_point_wins():
    depth = two_halves()
    assert focus_at(depth, 0.49, 0.5).disparity == pytest.approx(0.8)
    assert focus_at(depth, 0.51, 0.5).disparity == pytest.approx(0.2)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1)])
def test_tiny_maps(size):
    depth = DepthMap.from_disparity(np.full(size, 0.4, np.float32))
    assert focus_at(depth, 1.0, 1.0).disparity == pytest.approx(0.4)


def test_a_box_means_the_thing_inside_it_not_its_background():
    disparity = np.full((200, 200), 0.1, np.float32)
    disparity[60:140, 70:130] = 0.7
    focus = focus_on_box(DepthMap.from_disparity(disparity), 0.2, 0.2, 0.8, 0.8)
    assert focus.disparity == pytest.approx(0.7)
    assert (focus.x, focus.y, focus.chosen) == (0.5, 0.5, "box")


@pytest.mark.parametrize("box", [(0.5, 0.2, 0.4, 0.8), (0.2, 0.5, 0.4, 0.5), (-0.1, 0, 1, 1)])
def test_impossible_boxes_are_refused(box):
    with pytest.raises(UsageError):
        focus_on_box(two_halves(), *box)


def test_a_box_of_one_pixel():
    assert focus_on_box(two_halves(), 0.1, 0.1, 0.1001, 0.1001).disparity == pytest.approx(0.8)


def test_a_sharp_range_keeps_the_plane_inside_it():
    focus = sharp_range(Focus(0.5), near_disparity=0.4, far_disparity=0.3)
    assert (focus.near_disparity, focus.far_disparity, focus.disparity) == (0.4, 0.3, 0.4)
    inside = sharp_range(Focus(0.35), near_disparity=0.4, far_disparity=0.3)
    assert inside.disparity == 0.35


@pytest.mark.parametrize(("near", "far"), [(0.2, 0.4), (float("nan"), 0.1), (0.5, -0.1)])
def test_impossible_ranges_are_refused(near, far):
    with pytest.raises(UsageError):
        sharp_range(Focus(0.3), near_disparity=near, far_disparity=far)


def test_a_distance_needs_metres():
    focus = Focus.at_distance_m(2.0)
    with pytest.raises(UsageError, match="relative and has no metres"):
        check_focus(two_halves(), focus)
    metric = DepthMap.from_depth_m(np.full((4, 4), 3.0))
    assert check_focus(metric, focus) is focus
    point = Focus(0.5)
    assert check_focus(two_halves(), point) is point


@pytest.mark.parametrize("style", ["lens", "many", "graded", "radius"])
def test_a_distance_is_refused_wherever_relative_depth_is_rendered(style):
    from pullfocus.lens import radius_map_px
    from pullfocus.render import render, render_many
    from pullfocus.render.classic import render_graded
    from pullfocus.types import Lens, Photo

    depth, focus = two_halves(20, 30), Focus.at_distance_m(2.0)
    photo = Photo.from_array(np.zeros((20, 30, 3), np.uint8))
    call = {
        "lens": lambda: render(photo, depth, focus),
        "many": lambda: next(render_many(photo, depth, [Focus(0.5), focus])),
        "graded": lambda: render_graded(photo, depth, focus),
        "radius": lambda: radius_map_px(depth, focus, Lens(1.8, 50.0, 36.0), 30),
    }[style]
    with pytest.raises(UsageError, match="no metres"):
        call()


@pytest.mark.parametrize("point", [(-0.1, 0.5), (0.5, 1.01), (float("nan"), 0.5)])
def test_reading_disparity_outside_the_picture_is_refused(point):
    with pytest.raises(UsageError, match="outside the picture"):
        two_halves(20, 30).at(*point)
    assert two_halves(20, 30).at(1.0, 1.0) == two_halves(20, 30).disparity[-1, -1]
