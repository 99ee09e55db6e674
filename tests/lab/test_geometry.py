"""Warps, cameras and poses: conventions, closed forms, gradients, extremes."""

import math

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.geometry.camera import back_project, look_from, project  # noqa: E402
from pullfocus.lab.geometry.pose import invert, move, rotation_matrix  # noqa: E402
from pullfocus.lab.geometry.warp import pixel_centres, sample, shift_horizontally  # noqa: E402

K = torch.tensor([[[8.0, 0, 3.0], [0, 6.0, 2.0], [0, 0, 1]]])
STILL = torch.zeros(1, 3)
NOWHERE = torch.zeros(1, 3, 1, 1)


def _row(*values):
    return torch.tensor(values).view(1, 1, 1, -1)


def test_convention_pixel_centres_stand_at_one_half():
    centres = pixel_centres(torch.zeros(1, 1, 2, 3))
    torch.testing.assert_close(centres[0, 0], torch.tensor([0.5, 1.5, 2.5]))
    torch.testing.assert_close(centres[1, :, 0], torch.tensor([0.5, 1.5]))


def test_convention_sampling_at_the_centres_is_the_image_itself():
    image = torch.rand(2, 3, 5, 7)
    same = sample(image, pixel_centres(image).expand(2, -1, -1, -1))
    torch.testing.assert_close(same, image, atol=1e-5, rtol=0)


def test_convention_align_corners_is_off_so_that_the_image_edge_is_half_a_pixel_from_a_centre():
    image = _row(1.0, 3.0)
    at = torch.tensor([[0.0, 0.5, 1.0, 1.5, 2.0], [0.5] * 5]).view(1, 2, 1, 5)
    torch.testing.assert_close(sample(image, at, "edge"), _row(1.0, 1.0, 2.0, 3.0, 3.0))
    torch.testing.assert_close(sample(image, at, "black"), _row(0.5, 1.0, 2.0, 3.0, 1.5))


def test_convention_positive_disparity_finds_the_left_view_to_the_left_in_the_right_one():
    right = _row(1.0, 2.0, 3.0, 4.0)
    disparity = torch.full((1, 1, 1, 4), 1 / 4)
    torch.testing.assert_close(shift_horizontally(right, -disparity), _row(0.0, 1, 2, 3))
    torch.testing.assert_close(shift_horizontally(right, disparity), _row(2.0, 3, 4, 0))


@pytest.mark.parametrize(
    ("shift_px", "border", "expected"),
    [
        (0.5, "black", (3.0, 5.0, 3.0)),
        (-0.25, "black", (1.5, 3.5, 5.5)),
        (-1.0, "black", (0.0, 2.0, 4.0)),
        (-9.0, "black", (0.0, 0.0, 0.0)),
        (0.5, "edge", (3.0, 5.0, 6.0)),
        (9.0, "edge", (6.0, 6.0, 6.0)),
    ],
)
def test_horizontal_warp_by_hand(shift_px, border, expected):
    shift = torch.full((1, 1, 1, 3), shift_px / 3)
    warped = shift_horizontally(_row(2.0, 4.0, 6.0), shift, border)
    torch.testing.assert_close(warped, _row(*expected))


def test_gradients_of_the_warp():
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(1, 2, 3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    shift = torch.rand(1, 1, 3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    for border in ("black", "edge"):
        assert torch.autograd.gradcheck(
            lambda i, s, b=border: shift_horizontally(i, s - 0.5, b), (image, shift)
        )


@pytest.mark.parametrize("value", [0.0, 1e6, -1e30, math.inf, math.nan])
def test_the_warp_is_finite_wherever_it_looks(value):
    image = torch.rand(1, 1, 1, 1, requires_grad=True)
    at = torch.full((1, 2, 1, 1), value, requires_grad=True)
    out = sample(image, at)
    out.sum().backward()
    for tensor in (out, image.grad, at.grad):
        assert torch.isfinite(tensor).all()
    assert abs(out.item()) <= abs(image.item())


def test_projection_undoes_back_projection():
    depth = torch.rand(1, 1, 4, 6) + 0.5
    points = back_project(depth, K)
    torch.testing.assert_close(points[:, 2:], depth)
    torch.testing.assert_close(project(points, K)[0], pixel_centres(depth))


def test_convention_the_point_at_the_principal_point_lies_on_the_axis():
    intrinsics = torch.tensor([[[8.0, 0, 1.5], [0, 8.0, 0.5], [0, 0, 1]]])
    points = back_project(torch.full((1, 1, 1, 3), 2.0), intrinsics)
    torch.testing.assert_close(points[0, :, 0, 1], torch.tensor([0.0, 0.0, 2.0]))
    torch.testing.assert_close(points[0, :, 0, 2], torch.tensor([0.25, 0.0, 2.0]))


@pytest.mark.parametrize(
    ("axis", "start", "end"),
    [(0, (0, 1, 0), (0, 0, 1)), (1, (0, 0, 1), (1, 0, 0)), (2, (1, 0, 0), (0, 1, 0))],
)
def test_convention_rotations_are_right_handed_about_each_axis(axis, start, end):
    angles = torch.zeros(1, 3)
    angles[0, axis] = math.pi / 2
    turned = rotation_matrix(angles)[0] @ torch.tensor(start).float()
    torch.testing.assert_close(turned, torch.tensor(end).float(), atol=1e-6, rtol=0)


def test_convention_rotation_is_x_times_y_times_z():
    angles = torch.tensor([[0.3, -0.2, 0.5]])
    one_by_one = [rotation_matrix(angles * torch.eye(3)[i]) for i in range(3)]
    product = one_by_one[0] @ one_by_one[1] @ one_by_one[2]
    torch.testing.assert_close(rotation_matrix(angles), product)
    torch.testing.assert_close((product @ product.transpose(1, 2))[0], torch.eye(3))


def test_inverse_pose_takes_points_back():
    rotation, translation = (
        rotation_matrix(torch.tensor([[0.3, -0.2, 0.5]])),
        torch.rand(1, 3, 1, 1),
    )
    points = torch.rand(1, 3, 4, 6)
    there = move(points, rotation, translation)
    torch.testing.assert_close(move(there, *invert(rotation, translation)), points)


def test_convention_pose_takes_points_of_frame_1_to_frame_2():
    # The camera moves right by .5: what it sees moves left by .5, at depth 2 and f = 8 by 2 px.
    depth = torch.full((1, 1, 4, 6), 2.0)
    translation = torch.tensor([-0.5, 0.0, 0.0]).view(1, 3, 1, 1)
    view = look_from(depth, K, rotation_matrix(STILL), translation)
    torch.testing.assert_close(view.xy_px[0, 0], pixel_centres(depth)[0] - 2)
    torch.testing.assert_close(view.depth, depth)
    assert not view.valid[..., :2].any()
    assert view.valid[..., 2:5, 3:].any()


def test_a_residual_field_moves_only_its_own_pixels():
    depth = torch.full((1, 1, 4, 6), 2.0)
    field = torch.zeros(1, 3, 4, 6)
    field[0, 2, 1, 3] = 2.0
    view = look_from(depth, K, rotation_matrix(STILL), field)
    assert view.depth[0, 0, 1, 3] == 4
    assert (view.depth == 2).sum() == 23
    # Twice as far: half as far from the principal point (3, 2).
    torch.testing.assert_close(view.xy_px[0, :, 1, 3], torch.tensor([3.25, 1.75]))


def test_validity_ends_at_the_outermost_centres_and_behind_the_camera():
    depth = torch.full((1, 1, 4, 6), 2.0)
    view = look_from(depth, K, rotation_matrix(STILL), NOWHERE)
    # As in the source, 0 <= x < w - 1: the last column and row have no right or lower neighbour.
    assert view.valid[0, 0, :-1, :-1].float().mean() > 0.9
    assert not view.valid[0, 0, -1].any()
    assert not view.valid[0, 0, :, -1].any()
    behind = look_from(depth, K, rotation_matrix(STILL), NOWHERE - 3.0)
    assert not behind.valid.any()
    assert torch.isfinite(behind.xy_px).all()


def test_gradients_of_the_view():
    depth = torch.rand(1, 1, 2, 3, dtype=torch.float64) + 1
    angles, translation = torch.rand(1, 3).double() / 9, torch.rand(1, 3, 2, 3).double() / 9
    inputs = [x.requires_grad_() for x in (depth, angles, translation, K.double())]

    def see(d, a, t, k):
        view = look_from(d, k, rotation_matrix(a), t)
        return view.xy_px, view.depth

    assert torch.autograd.gradcheck(see, inputs)


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e6])
def test_views_stay_finite_at_extreme_depths(value):
    depth = torch.full((1, 1, 1, 1), value, requires_grad=True)
    translation = torch.zeros(1, 3, 1, 1, requires_grad=True)
    view = look_from(depth, K, rotation_matrix(STILL), translation)
    (view.xy_px.sum() + view.depth.sum()).backward()
    for tensor in (view.xy_px, depth.grad, translation.grad):
        assert torch.isfinite(tensor).all()
