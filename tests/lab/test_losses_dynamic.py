"""The dynamic-scenes loss on a scene whose depth and motion are known: truth is its bottom."""

import math

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.geometry.camera import back_project  # noqa: E402
from pullfocus.lab.geometry.pose import invert, move, rotation_matrix  # noqa: E402
from pullfocus.lab.losses.dynamic import (  # noqa: E402
    WEIGHTS,
    Frame,
    _half,
    dynamic_terms,
    pyramid_terms,
)
from pullfocus.networks.dynamic_motion import Motion  # noqa: E402

HW = (32, 64)
K = torch.tensor([[[37.0, 0, 32], [0, 37.0, 16], [0, 0, 1]]])
NORMAL, OFFSET = torch.tensor([0.2, -0.5, -0.8]), -3.0
"""A leaning plane, n x = offset, in the first camera's frame."""
TURN_RAD = torch.tensor([[0.01, -0.02, 0.008]])
STEP = torch.tensor([0.05, -0.03, -0.15])
WRONG = [*(0.006 * torch.eye(6)[:3]), *(0.04 * torch.eye(6)[3:])]
"""How far each of three angles and three components is put off."""


def _colours(points):
    """Return smooth colours 3 h w of points 3 h w on the plane."""
    waves = torch.tensor([[2.1, 0.7, 1.3], [-1.1, 1.9, 0.4], [0.6, -0.9, 2.3]])
    return 0.5 + 0.4 * torch.sin(0.6 * torch.einsum("ij,bjhw->bihw", waves, points))


def _seen(normal, offset):
    """Return the depth of the plane from a camera in whose frame it is n x = offset."""
    rays = back_project(torch.ones(1, 1, *HW), K)
    return offset / (normal.view(1, 3, 1, 1) * rays).sum(1, keepdim=True)


@pytest.fixture(scope="module")
def plane():
    """Return both images and depths of the plane."""
    rotation, step = rotation_matrix(TURN_RAD), STEP.view(1, 3, 1, 1)
    depth1 = _seen(NORMAL, OFFSET)
    turned = rotation[0] @ NORMAL
    depth2 = _seen(turned, OFFSET + turned @ STEP)
    back = invert(rotation, step)
    points1, points2 = back_project(depth1, K), back_project(depth2, K)
    return _colours(points1), depth1, _colours(move(points2, *back)), depth2


def _terms(plane, pose, scales=1):
    """Return the loss for a pose: three angles, three components, first camera to second."""
    image1, depth1, image2, depth2 = plane
    rotation, step = rotation_matrix(pose[None, :3]), pose[3:].view(1, 3, 1, 1)
    back_rotation, back_step = invert(rotation, step)
    still = torch.zeros(1, 3, *HW)
    forth = Motion(pose[None, :3], step, still, None)
    back = Motion(_angles(back_rotation), back_step, still, None)
    frames = Frame(image1, depth1, forth), Frame(image2, depth2, back)
    return pyramid_terms(*frames, K, scales)


def _angles(rotation):
    """Return the angles of R = Rx Ry Rz."""
    r = rotation[0]
    x, z = torch.atan2(-r[1, 2], r[2, 2]), torch.atan2(-r[0, 1], r[0, 0])
    return torch.stack([x, torch.asin(r[0, 2]), z])[None]


def _photometric(plane, pose, scales=1):
    terms = _terms(plane, pose, scales)
    return terms["rgb"] + terms["structure"]


TRUTH = torch.cat([TURN_RAD[0], STEP])


def test_truth_leaves_next_to_nothing(plane):
    terms = _terms(plane, TRUTH)
    still = _photometric(plane, torch.zeros(6))
    assert terms["rgb"] + terms["structure"] < 0.1 * still
    assert terms["rotation_cycle"] < 1e-6
    assert terms["translation_cycle"] < 1e-6


@pytest.mark.parametrize("scales", [1, 2])
@pytest.mark.parametrize("wrong", WRONG)
def test_every_wrong_turn_and_step_costs_and_its_gradient_points_back(plane, wrong, scales):
    for off in (wrong, -wrong):
        pose = (TRUTH + off).requires_grad_()
        loss = _photometric(plane, pose, scales)
        loss.backward()
        assert loss > 1.2 * _photometric(plane, TRUTH, scales)
        assert pose.grad @ off > 0


def test_gradient_descent_finds_the_motion_of_the_camera(plane):
    pose = torch.zeros(6, requires_grad=True)
    optimiser = torch.optim.Adam([pose], 1e-2)
    for step in range(70):
        optimiser.param_groups[0]["lr"] = 1e-2 * (1 - step / 70)
        optimiser.zero_grad()
        _photometric(plane, pose, 2).backward()
        optimiser.step()
    # A turn and a sidestep look alike over a plane that hardly recedes: the last share is slow.
    assert (pose[3:] - STEP).norm() < 0.2 * STEP.norm()
    assert (pose[:3] - TURN_RAD[0]).norm() < 0.2 * TURN_RAD.norm()


def _mean_of_four(image):
    return torch.nn.functional.avg_pool2d(image, 4, 2, 1, count_include_pad=False)


def test_half_a_picture_does_not_shimmer():
    """Stripes finer than half the size's pixels leave grey, whether they move or not."""
    stripes = (torch.arange(64) // 2 % 2).float().expand(1, 3, 32, 64)
    still = Motion(torch.zeros(1, 3), torch.zeros(1, 3, 1, 1), torch.zeros(1, 3, 32, 64), None)
    for shift in (0, 1):
        half = _half(Frame(stripes.roll(shift, 3), torch.ones(1, 1, 32, 64), still))
        inside = half.image[..., 2:-2]
        torch.testing.assert_close(inside, torch.full_like(inside, 0.5))


def test_scales_are_means_of_sizes(plane):
    image1, depth1, image2, depth2 = plane
    field = 0.1 * torch.rand(1, 3, *HW, generator=torch.Generator().manual_seed(0))
    motion = Motion(TURN_RAD, STEP.view(1, 3, 1, 1), field, None)
    first, second = Frame(image1, depth1, motion), Frame(image2, depth2, motion)
    halves = [
        Frame(_mean_of_four(frame.image), torch.nn.functional.avg_pool2d(frame.depth, 2),
            motion._replace(residual=torch.nn.functional.avg_pool2d(field, 2)))
        for frame in (first, second)
    ]  # fmt: skip
    half_camera = torch.tensor([[[18.5, 0, 16], [0, 18.5, 8], [0, 0, 1]]])
    fine, coarse = dynamic_terms(first, second, K), dynamic_terms(*halves, half_camera)
    both = pyramid_terms(first, second, K, 2)
    for name, value in both.items():
        torch.testing.assert_close(value, (fine[name] + coarse[name]) / 2)


def test_weights_may_be_set_apart(plane):
    frame = Frame(plane[0], plane[1], Motion(TURN_RAD, STEP.view(1, 3, 1, 1), 0 * plane[0], None))
    usual = pyramid_terms(frame, frame, K, 2)
    rougher = pyramid_terms(frame, frame, K, 2, WEIGHTS | {"smoothness": 4 * WEIGHTS["smoothness"]})
    assert rougher.pop("smoothness") == pytest.approx(4 * usual.pop("smoothness").item())
    assert all(torch.equal(rougher[name], usual[name]) for name in usual)


def test_a_patch_that_moves_costs_its_outline_whatever_the_size_of_the_picture():
    """The edge of a moving half costs the same at 16 and at 64 px across."""
    costs = []
    for width in (16, 64):
        grey = torch.full((1, 3, 8, width), 0.5)
        field = torch.zeros(1, 3, 8, width)
        field[:, 0, :, : width // 2] = 0.1
        motion = Motion(torch.zeros(1, 3), torch.zeros(1, 3, 1, 1), field, None)
        frame = Frame(grey, torch.ones(1, 1, 8, width), motion)
        costs.append(dynamic_terms(frame, frame, K)["group"].item())
    assert costs[0] == pytest.approx(costs[1], rel=1e-4)
    # One of three components has an edge one pixel wide, in units of motion sqrt(2) high.
    assert costs[0] == pytest.approx(2 * math.sqrt(2) / 3 / 416, rel=1e-3)
