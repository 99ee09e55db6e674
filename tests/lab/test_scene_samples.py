"""Rendered pairs, clips and labels: truth that agrees with its own pictures."""

import numpy as np
import pytest

from pullfocus.errors import MissingModelError
from pullfocus.lab.scenes import clip, flight, labelled_view, stereo_pair
from pullfocus.lab.scenes.figures import figure, with_figures
from pullfocus.lab.scenes.parts import Camera, Part, Scene, placed
from pullfocus.lab.scenes.textures import SIDE, Stack

HW = (48, 96)


@pytest.fixture(autouse=True, scope="module")
def _can_render():
    from pullfocus.lab.scenes.studio import renderer

    try:
        renderer(HW)
    except MissingModelError as error:
        pytest.skip(str(error))


def test_convention_a_point_at_x_lies_at_x_minus_disparity_in_the_right_picture():
    errors, unshifted = [], []
    for seed in range(4):
        pair = stereo_pair(seed, HW)
        rows, columns = np.mgrid[: HW[0], : HW[1]]
        at = np.rint(columns - pair.disparity_px).astype(int)
        seen = at >= 0
        shifted = pair.right[rows, np.maximum(at, 0)].astype(float)
        errors.append(np.abs(shifted - pair.left)[seen].mean())
        unshifted.append(np.abs(pair.right.astype(float) - pair.left)[seen].mean())
    assert np.mean(errors) < 0.5 * np.mean(unshifted)


def test_pairs_are_the_same_for_the_same_seed_and_say_what_a_metre_is():
    first, again, other = stereo_pair(5, HW), stereo_pair(5, HW), stereo_pair(6, HW)
    np.testing.assert_array_equal(first.left, again.left)
    np.testing.assert_array_equal(first.disparity_px, again.disparity_px)
    assert (first.left != other.left).any()
    near_m = first.focal_px * first.baseline_m / first.disparity_px.max()
    assert 2.2 <= near_m < 30


def test_renderers_of_two_sizes_share_a_process():
    small = stereo_pair(3, HW)
    stereo_pair(3, (32, 64))
    np.testing.assert_array_equal(stereo_pair(3, HW).left, small.left)


@pytest.fixture(scope="module")
def taken():
    return clip(0, HW, 3)


def _projected(taken, first, second):
    """Where each pixel of one frame lies in another, and how deep, after its own motion."""
    rows, columns = np.mgrid[: HW[0], : HW[1]] + 0.5
    rays = np.stack([columns, rows, np.ones(HW)], -1) @ np.linalg.inv(taken.intrinsics).T
    points = rays * taken.depth_m[first][..., None] + taken.motion_m[first]
    pose = np.linalg.inv(taken.poses[second]) @ taken.poses[first]
    points = points @ pose[:3, :3].T + pose[:3, 3]
    pixels = points @ taken.intrinsics.T
    return pixels[..., :2] / pixels[..., 2:], points[..., 2]


def test_convention_depth_pose_and_motion_lead_from_frame_to_frame(taken):
    known = np.isfinite(taken.depth_m[0])
    with np.errstate(invalid="ignore"):
        at, depth = _projected(taken, 0, 1)
    inside = known & (at > 0).all(-1) & (at < np.array(HW[::-1]) - 0.5).all(-1)
    column, row = np.floor(np.where(inside[..., None], at, 0)).astype(int).transpose(2, 0, 1)
    agrees = np.abs(taken.depth_m[1][row, column] / depth - 1) < 0.1
    assert agrees[inside].mean() > 0.85
    assert agrees[inside & taken.moving[0]].mean() > 0.7


def test_what_moves_is_seen_and_only_that_has_motion(taken):
    assert 0.01 < taken.moving[0].mean() < 0.4
    np.testing.assert_array_equal((taken.motion_m != 0).any(-1), taken.moving)
    assert np.linalg.norm(taken.poses[1][:3, 3] - taken.poses[0][:3, 3]) > 0.1
    assert len(taken) == len(taken.times_s) == 3


def test_clips_are_the_same_for_the_same_seed(taken):
    np.testing.assert_array_equal(clip(0, HW, 3).frames, taken.frames)


@pytest.fixture(scope="module")
def flown():
    return flight(1, HW, 3)


def test_from_a_drone_one_car_crosses_over_ground_that_is_seen_everywhere(flown):
    assert np.isfinite(flown.depth_m).all()
    shares = flown.moving.mean((1, 2))
    assert ((shares > 0.03) & (shares < 0.15)).all()
    (step,) = np.unique(np.round(flown.motion_m[0][flown.moving[0]], 4), axis=0)
    assert abs(step[0]) > 0.8 * np.linalg.norm(step)  # to its left or right, as the camera sees it
    np.testing.assert_array_equal(flight(1, HW, 3).frames, flown.frames)


def test_convention_a_drone_goes_forward_drifts_and_turns(flown):
    known = np.linalg.inv(flown.poses[0]) @ flown.poses[1]
    assert 0.25 < np.hypot(known[1, 3], known[2, 3]) < 0.5  # along the ground, seen from above
    assert abs(known[0, 3]) < 0.15 + 1e-6
    at, depth = _projected(flown, 0, 1)
    inside = (at > 0).all(-1) & (at < np.array(HW[::-1]) - 0.5).all(-1)
    column, row = np.floor(np.where(inside[..., None], at, 0)).astype(int).transpose(2, 0, 1)
    agrees = np.abs(flown.depth_m[1][row, column] / depth - 1) < 0.1
    assert agrees[inside].mean() > 0.9


def test_labels_agree_with_disparity_and_people_are_found():
    views = [labelled_view(seed, HW, ("crowd", "portrait")) for seed in range(5)]
    assert sum(view.person.any() for view in views) >= 3
    for view in views:
        length = np.linalg.norm(view.normal, axis=-1)
        np.testing.assert_array_equal(length > 0.5, view.part >= 0)
        np.testing.assert_array_equal(view.part >= 0, view.disparity > 0)
        assert not (view.person & (view.part < 0)).any()


def test_convention_normals_look_at_the_camera_with_y_down():
    from pullfocus.lab.scenes.studio import renderer

    wall = Part("box", placed((0, 0, -4.5), (50, 50, 1)), 0)
    floor = Part("box", placed((0, -1.5, 0), (50, 1, 50)), 0)
    sky = (np.zeros(3), np.ones(3))
    draw = renderer(HW)
    draw(Scene([wall, floor], Camera((0, 0, 0), 0, 0, 0, 60), sky, np.array([0.0, 1, 0])))
    seen = draw.surfaces()
    np.testing.assert_allclose(seen.normal[4, 48], [0, 0, -1], atol=1e-5)
    np.testing.assert_allclose(seen.normal[-2, 48], [0, -1, 0], atol=1e-4)
    assert seen.part[4, 48] == 0
    assert seen.part[-2, 48] == 1


def test_figures_stand_upright_and_join_the_stack():
    drawn = figure(np.random.default_rng(0))
    alpha = drawn[..., 3] > 0
    assert 0.15 < alpha.mean() < 0.75
    assert alpha[: SIDE // 3].mean() < alpha[SIDE // 3 : 2 * SIDE // 3].mean()
    empty = Stack(np.zeros((2, SIDE, SIDE, 4), np.uint8), {"person": np.arange(1)}, np.ones(2))
    joined = with_figures(empty, 0, 3)
    assert joined.kinds["person"].tolist() == [2, 3, 4]
    assert len(joined.rgba) == len(joined.aspect) == 5
