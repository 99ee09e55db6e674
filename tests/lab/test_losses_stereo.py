"""Losses on stereo pairs: closed forms, gradients, extremes."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.losses.image import edge_aware_smoothness, photometric  # noqa: E402
from pullfocus.lab.losses.stereo import (  # noqa: E402
    cumulative_smoothness,
    deep3d_terms,
    indecision,
    left_right_consistency,
    monodepth_terms,
)


def _rand(seed, *shape, dtype=torch.float32):
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _pair(width=32, disparity_px=4):
    """Return left and right view of a flat wall."""
    scene = _rand(0, 1, 3, 16, width + disparity_px)
    return scene[..., :width], scene[..., disparity_px:]


def _constant(px, width=32):
    return torch.full((1, 2, 16, width), px / width)


def test_convention_the_true_disparity_of_a_pair_explains_both_views():
    left, right = _pair()
    losses = [monodepth_terms([_constant(px)], left, right)["photometric"] for px in range(9)]
    assert torch.stack(losses).argmin() == 4
    # What is left comes from the four columns that only one view sees.
    assert losses[4] < 0.5 * min(losses[3], losses[5])


def test_terms_of_constant_disparity():
    left, right = _pair()
    terms = monodepth_terms([_constant(4)], left, right)
    assert terms["smoothness"] == 0
    # Four of 32 columns look past the edge, where the other map is black: |4/32 - 0| each way.
    assert terms["left_right"].item() == pytest.approx(2 * 4 / 32 * 4 / 32, rel=1e-4)


def test_left_right_consistency_by_hand():
    left = torch.tensor([0.25, 0.25, 0.25, 0.25]).view(1, 1, 1, 4)
    right = torch.tensor([0.25, 0.25, 0.5, 0.0]).view(1, 1, 1, 4)
    # left looks one to the left in right: 0 .25 .25 .5; right looks 1 1 2 0 right in left:
    # .25 .25 0 .25.
    expected = (0.25 + 0 + 0 + 0.25) / 4 + (0 + 0 + 0.5 + 0.25) / 4
    assert left_right_consistency(left, right).item() == pytest.approx(expected, abs=1e-5)


def test_scales_add_up_with_smoothness_halved_at_each():
    left, right = _pair()
    fine, coarse = 0.3 * _rand(1, 1, 2, 16, 32), 0.3 * _rand(2, 1, 2, 8, 16)
    both = monodepth_terms([fine, coarse], left, right)
    small = [torch.nn.functional.avg_pool2d(view, 2) for view in (left, right)]
    one, other = monodepth_terms([fine], left, right), monodepth_terms([coarse], *small)
    for name in ("photometric", "left_right"):
        torch.testing.assert_close(both[name], one[name] + other[name])
    torch.testing.assert_close(both["smoothness"], one["smoothness"] + other["smoothness"] / 2)
    by_hand = 0.1 * sum(
        edge_aware_smoothness(fine[:, i : i + 1], view) for i, view in enumerate((left, right))
    )
    torch.testing.assert_close(one["smoothness"], by_hand)


def test_without_left_right_the_right_map_does_not_count():
    left, right = _pair()
    disparity = (0.3 * _rand(1, 1, 2, 16, 32)).requires_grad_()
    terms = monodepth_terms([disparity], left, right, left_right=False)
    assert set(terms) == {"photometric", "smoothness"}
    sum(terms.values()).backward()
    assert disparity.grad[:, 0].abs().sum() > 0
    assert disparity.grad[:, 1].abs().sum() == 0


def _decided(*shifts):
    """Return weights 1 n 1 w that have decided for these shifts of four."""
    return torch.nn.functional.one_hot(torch.tensor(shifts), 4).float().T.view(1, 4, 1, -1)


def test_decided_weights_cost_nothing_and_even_ones_nine_sixteenths():
    assert indecision(_decided(0, 3, 2)) == 0
    assert indecision(torch.full((1, 4, 2, 2), 0.25)).item() == pytest.approx(0.75**2)


def test_cumulative_smoothness_of_decided_weights_is_the_step_in_px():
    assert cumulative_smoothness(_decided(0, 3, 1)).item() == pytest.approx((3 + 2) / 2)


def test_deep3ds_adds_its_two_terms_to_deep3d():
    left, right = _pair()
    weights = _rand(3, 1, 4, 16, 32).softmax(1)
    plain, smooth = (deep3d_terms(left, right, weights, smooth=s) for s in (False, True))
    assert set(plain) == {"photometric"}
    assert plain["photometric"] == smooth["photometric"] == photometric(left, right)
    torch.testing.assert_close(smooth["indecision"], 0.02 * indecision(weights))
    torch.testing.assert_close(smooth["smoothness"], 0.1 * cumulative_smoothness(weights))


def test_gradients():
    left, right = (_rand(seed, 1, 3, 4, 8, dtype=torch.float64) for seed in (4, 5))
    disparity = (0.3 * _rand(6, 1, 2, 4, 8, dtype=torch.float64)).requires_grad_()
    for left_right in (True, False):
        assert torch.autograd.gradcheck(
            lambda d, lr=left_right: sum(monodepth_terms([d], left, right, lr).values()), disparity
        )
    logits = _rand(7, 1, 3, 3, 4, dtype=torch.float64).requires_grad_()
    for loss in (indecision, cumulative_smoothness):
        assert torch.autograd.gradcheck(lambda z, f=loss: f(z.softmax(1)), logits)


@pytest.mark.parametrize("hw", [(1, 1), (2, 4)])
@pytest.mark.parametrize("value", [0.0, 0.3, 1e6])
@pytest.mark.parametrize("grey", [0.0, 0.5, 1e6])
def test_extremes_stay_finite(hw, value, grey):
    image = torch.full((1, 3, *hw), grey)
    disparity = torch.full((1, 2, *hw), value, requires_grad=True)
    total = sum(monodepth_terms([disparity], image, image).values())
    weights = torch.full((1, 4, *hw), value, requires_grad=True)
    total = total + sum(deep3d_terms(image, image, weights, smooth=True).values())
    total.backward()
    for tensor in (total, disparity.grad, weights.grad):
        assert torch.isfinite(tensor).all()
