"""Losses of the dynamic-scenes system: closed forms, gradients, extremes."""

import math

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.geometry.camera import View, look_from  # noqa: E402
from pullfocus.lab.geometry.pose import rotation_matrix  # noqa: E402
from pullfocus.lab.geometry.warp import pixel_centres  # noqa: E402
from pullfocus.lab.losses import motion as terms_of  # noqa: E402
from pullfocus.lab.losses.dynamic import WEIGHTS, Frame, dynamic_terms  # noqa: E402
from pullfocus.networks.dynamic_motion import Motion  # noqa: E402

K = torch.tensor([[[8.0, 0, 8.0], [0, 8.0, 4.0], [0, 0, 1]]])


def _rand(seed, *shape, dtype=torch.float32):
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _motion(x=0.0, hw=(8, 16), residual=None):
    background = torch.tensor([x, 0.0, 0.0]).view(1, 3, 1, 1)
    field = torch.zeros(1, 3, *hw) if residual is None else residual
    return Motion(torch.zeros(1, 3), background, field, None)


def _wall_pair(shift_px=2, depth=2.0):
    """Return two frames of a flat wall; in the second the scene stands further right."""
    scene = _rand(0, 1, 3, 8, 16 + shift_px)
    plane = torch.full((1, 1, 8, 16), depth)
    step = shift_px * depth / 8
    first = Frame(scene[..., shift_px:], plane, _motion(step))
    return first, Frame(scene[..., :16], plane, _motion(-step))


def test_convention_the_true_motion_explains_both_frames_and_the_opposite_one_does_not():
    first, second = _wall_pair()
    true = dynamic_terms(first, second, K)
    swapped = dynamic_terms(
        first._replace(motion=second.motion), second._replace(motion=first.motion), K
    )
    assert set(true) == set(WEIGHTS)
    # Where each frame is seen in the other nothing is left; a flat wall hides nothing.
    assert true["rgb"] < 1e-4
    assert true["structure"] < 0.05 * swapped["structure"]
    for term in ("rotation_cycle", "smoothness"):
        assert true[term] == 0
    assert true["translation_cycle"] < 1e-9


def test_a_moving_object_is_explained_by_the_residual_field():
    first, second = _wall_pair()
    still = [frame._replace(motion=_motion(0.0)) for frame in (first, second)]
    field = torch.zeros(1, 3, 8, 16)
    field[:, 0] = 0.5
    moving = [
        frame._replace(motion=_motion(residual=sign * field))
        for frame, sign in zip((first, second), (1, -1), strict=True)
    ]
    without, with_field = dynamic_terms(*still, K), dynamic_terms(*moving, K)
    assert with_field["structure"] < 0.05 * without["structure"]
    assert without["group"] < 1e-9
    # A constant field has no edges but its own; in units of motion every |t_x| is 1: sqrt(2) 2.
    assert with_field["sparsity"].item() == pytest.approx(2 * 0.2 * 2 * math.sqrt(2) / 3, rel=1e-4)


def test_what_stands_behind_what_the_other_frame_sees_does_not_count():
    plane = torch.full((1, 1, 2, 3), 2.0)
    valid = torch.ones(1, 1, 2, 3, dtype=torch.bool)
    valid[..., 0] = False
    view = View(pixel_centres(plane)[None], plane, valid)
    depth2 = torch.tensor([[3.0, 3.0, 1.0], [3.0, 2.0, 2.5]]).view(1, 1, 2, 3)
    expected = torch.tensor([[False, True, False], [False, False, True]])
    assert torch.equal(terms_of.unoccluded(view, depth2)[0, 0], expected)


def test_depth_agreement_by_hand():
    plane = torch.full((1, 1, 1, 3), 2.0)
    valid = torch.tensor([True, True, False]).view(1, 1, 1, 3)
    view = View(pixel_centres(plane)[None], plane, valid)
    depth2 = torch.tensor([3.0, 1.0, 9.0]).view(1, 1, 1, 3)
    counts = terms_of.unoccluded(view, depth2)
    typical = 1 / (1 + 1) + 1e-4
    weight = terms_of.depth_agreement(view, depth2, counts)
    expected = torch.tensor([typical / (1 + typical), typical / (1 + typical), 0.0])
    torch.testing.assert_close(weight.flatten(), expected)


def test_photometric_terms_by_hand():
    image, seen = torch.zeros(1, 3, 1, 4), torch.full((1, 3, 1, 4), 0.5)
    counts = torch.tensor([True, False, False, True]).view(1, 1, 1, 4)
    assert terms_of.occlusion_aware_l1(seen, image, counts).item() == pytest.approx(0.25)
    textured = _rand(1, 1, 3, 4, 4)
    weight = torch.full((1, 1, 4, 4), 0.5)
    opposite = terms_of.occlusion_aware_structure(1 - textured, textured, weight)
    assert opposite.item() == pytest.approx(0.5, abs=1e-3)
    assert terms_of.occlusion_aware_structure(textured, textured, weight).item() < 1e-5


def test_cycles_vanish_for_inverse_motions_and_are_known_for_equal_ones():
    angles = torch.tensor([[0.0, 0.0, 0.4]])
    forth, back = rotation_matrix(angles), rotation_matrix(-angles)
    assert terms_of.rotation_cycle(forth, back).item() == pytest.approx(0, abs=1e-9)
    # |R(2a) - I|^2 = 4 - 4 cos 2a, over twice 4 - 4 cos a.
    expected = (1 - math.cos(0.8)) / (2 * (1 - math.cos(0.4)))
    assert terms_of.rotation_cycle(forth, forth).item() == pytest.approx(expected, rel=1e-5)
    field = _rand(2, 1, 3, 2, 2)
    counts = torch.tensor([[True, True], [True, False]]).view(1, 1, 2, 2)
    still = rotation_matrix(torch.zeros(1, 3))
    assert terms_of.translation_cycle(still, field, -field, counts).item() == 0
    same = terms_of.translation_cycle(still, field, field, counts)
    assert same.item() == pytest.approx(4 / 2 * 3 / 4, rel=1e-5)


def test_group_smoothness_by_hand():
    field = torch.tensor([[0.0, 3.0], [4.0, 0.0]]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    # (3, 4) at the top left, dy = -3 and dx = -4 beside and below, nothing at the corner.
    assert terms_of.group_smoothness(field).item() == pytest.approx((5 + 3 + 4 + 0) / 4)


def test_sparsity_by_hand_prefers_few_large_values_to_many_small_ones():
    even = torch.ones(1, 3, 2, 2)
    lone = torch.tensor([4.0, 0, 0, 0]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    assert terms_of.sparsity(even).item() == pytest.approx(2 * math.sqrt(2))
    assert terms_of.sparsity(lone).item() == pytest.approx(2 * (math.sqrt(5) + 3) / 4)
    assert terms_of.sparsity(lone) < terms_of.sparsity(even)


def test_no_gradient_flows_through_the_mean_of_the_sparsity():
    field = (_rand(3, 1, 3, 2, 3).double() - 0.5).requires_grad_()
    terms_of.sparsity(field).backward()
    size = field.detach().abs()
    typical = size.mean((2, 3), keepdim=True)
    expected = field.detach().sign() / (size / typical + 1).sqrt() / field.numel()
    torch.testing.assert_close(field.grad, expected)


def test_residual_is_told_in_units_of_the_total_motion():
    residual, total = torch.full((1, 3, 2, 2), 0.3), torch.full((1, 3, 2, 2), 0.5)
    normed = terms_of.in_units_of_motion(residual, total)
    torch.testing.assert_close(normed, torch.full((1, 3, 2, 2), 0.6 / math.sqrt(3)))


def test_gradients():
    generator = torch.Generator().manual_seed(5)

    def draw(*shape):
        return torch.rand(*shape, dtype=torch.float64, generator=generator).requires_grad_()

    counts = torch.tensor([[True, True, False], [True, True, True]]).view(1, 1, 2, 3)
    a, b, plane, fields = draw(1, 3, 2, 3), draw(1, 3, 2, 3), draw(1, 1, 2, 3), draw(1, 6, 2, 3)
    turns = draw(2, 1, 3)
    check = torch.autograd.gradcheck
    assert check(lambda x, y: terms_of.occlusion_aware_l1(x, y, counts), (a, b))
    assert check(terms_of.occlusion_aware_structure, (a, b, plane))
    assert check(
        lambda r: terms_of.rotation_cycle(rotation_matrix(r[0]), rotation_matrix(r[1])), turns
    )
    assert check(
        lambda r, f: terms_of.translation_cycle(rotation_matrix(r[0]), f[:, :3], f[:, 3:], counts),
        (turns, fields),
    )
    assert check(lambda d, i: terms_of.disparity_smoothness(d + 0.5, i), (plane, a))
    assert check(terms_of.group_smoothness, a)
    assert check(lambda f: terms_of.in_units_of_motion(f[:, :3], f[:, 3:]), fields)


@pytest.mark.parametrize("hw", [(1, 1), (2, 3)])
@pytest.mark.parametrize("depth", [0.0, 1e-20, 1.0, 1e6])
@pytest.mark.parametrize("step", [0.0, 1e-20, 1e6])
@pytest.mark.parametrize("grey", [0.0, 1e6])
def test_the_whole_loss_is_finite_at_every_extreme(hw, depth, step, grey):
    leaves = [
        torch.full((1, 3, *hw), grey),
        torch.full((1, 1, *hw), depth),
        torch.full((1, 3), min(step, 1.0)),
        torch.full((1, 3, 1, 1), step),
        torch.full((1, 3, *hw), -step),
    ]
    for leaf in leaves:
        leaf.requires_grad_()
    image, plane, angles, background, residual = leaves
    frame = Frame(image, plane, Motion(angles, background, residual, None))
    total = sum(dynamic_terms(frame, frame, K).values())
    total.backward()
    assert torch.isfinite(total)
    for leaf in leaves:
        assert torch.isfinite(leaf.grad).all()


def test_a_view_that_sees_nothing_costs_only_the_priors():
    first, second = _wall_pair()
    away = [frame._replace(motion=_motion(1e3)) for frame in (first, second)]
    terms = dynamic_terms(*away, K)
    assert terms["rgb"] == terms["structure"] == terms["translation_cycle"] == 0
    assert not look_from(
        first.depth, K, rotation_matrix(torch.zeros(1, 3)), away[0].motion.background
    ).valid.any()
