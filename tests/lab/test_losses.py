"""Losses: closed forms, invariances, finite at the extremes."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.losses import (  # noqa: E402
    HintScale,
    gradient_matching,
    scale_shift_invariant,
    standardise,
)


def _map():
    return torch.rand(2, 16, 24, generator=torch.Generator().manual_seed(0))


def test_standardise_gives_mean_zero_and_mean_deviation_one():
    x, valid = _map(), torch.ones(2, 16, 24, dtype=torch.bool)
    out = standardise(x, valid)
    torch.testing.assert_close(out.mean((1, 2)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.abs().mean((1, 2)), torch.ones(2))


@pytest.mark.parametrize("loss", [scale_shift_invariant, gradient_matching])
def test_scale_and_shift_cost_nothing_and_masked_pixels_do_not_count(loss):
    target, valid = _map(), torch.rand(2, 16, 24) > 0.3
    prediction = torch.where(valid, 3 * target + 2, torch.full_like(target, 99.0))
    torch.testing.assert_close(loss(prediction, target, valid), torch.zeros(2), atol=1e-4, rtol=0)


def test_opposite_polarity_costs_two():
    x, valid = _map(), torch.ones(2, 16, 24, dtype=torch.bool)
    torch.testing.assert_close(scale_shift_invariant(-x, x, valid), torch.full((2,), 2.0))


def test_gradient_matching_by_hand():
    valid = torch.ones(1, 1, 4, dtype=torch.bool)
    a, b = torch.tensor([[[-1.0, -1, 1, 1]]]), torch.tensor([[[1.0, 1, -1, -1]]])
    # difference -2 -2 2 2: one step of 4 over three pairs; at half size one step of 4 over one.
    expected = (4 / 3 + 4) / 2
    torch.testing.assert_close(gradient_matching(a, b, valid, 2), torch.tensor([expected]))


@pytest.mark.parametrize("loss", [scale_shift_invariant, gradient_matching])
@pytest.mark.parametrize("value", [0.0, 1e6])
def test_constant_maps_and_empty_masks_stay_finite(loss, value):
    x = torch.full((1, 8, 8), value, requires_grad=True)
    for valid in (torch.zeros(1, 8, 8, dtype=torch.bool), torch.ones(1, 8, 8, dtype=torch.bool)):
        total = loss(x, torch.zeros(1, 8, 8), valid).sum()
        total.backward()
        assert torch.isfinite(total)
        assert torch.isfinite(x.grad).all()


def test_hint_error_is_one_for_zero_and_none_for_the_hint():
    hint = torch.rand(2, 3, 4, 4) + 0.5
    scale = HintScale({"e2": 6})
    assert float(scale.loss("e2", torch.cat([hint, hint], 1), hint)) == 0
    silence = HintScale({"e2": 3}).loss("e2", torch.zeros_like(hint), hint)
    assert float(silence) == pytest.approx(0.95, abs=0.05)


def test_hints_follow_the_power_of_their_channels_and_pictures_can_be_left_out():
    scale = HintScale({"d2": 4})
    hint, own = torch.full((2, 3, 4, 4), 2.0), torch.zeros(2, 5, 4, 4, requires_grad=True)
    nobody = scale.loss("d2", own, hint, torch.tensor([False, False]))
    nobody.backward()
    assert float(nobody.detach()) == 0
    assert scale.d2.isnan().all()
    scale.loss("d2", own, hint, torch.tensor([True, False]))
    assert scale.d2[:3].tolist() == [4, 4, 4]
    scale.loss("d2", own, 2 * hint)
    assert scale.d2[0] == pytest.approx(0.98 * 4 + 0.02 * 16)
