"""Losses against measured depth and masks: closed forms, gradients, extremes."""

import math

import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.losses.image import dissimilarity, ssim  # noqa: E402
from pullfocus.lab.losses.relative import (  # noqa: E402
    fit_line,
    gradient_matching,
    scale_shift_invariant,
    standardise_by_median,
)
from pullfocus.lab.losses.segmentation import dice, mask_terms  # noqa: E402
from pullfocus.lab.losses.supervised import (  # noqa: E402
    UncertaintyWeights,
    berhu,
    l1_gradient_ssim,
    masked_gradient,
    reverse_huber,
)


def _rand(seed, *shape, dtype=torch.float32):
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _everywhere(x):
    return torch.ones_like(x, dtype=torch.bool)


def test_l1_gradient_ssim_of_an_offset_by_hand():
    target = _rand(0, 2, 1, 5, 6)
    terms = l1_gradient_ssim(target + 0.5, target, _everywhere(target))
    assert terms["l1"].item() == pytest.approx(0.1 * 0.5, rel=1e-5)
    assert terms["gradient"].item() == pytest.approx(0, abs=1e-6)
    expected = dissimilarity(ssim(target + 0.5, target)).mean()
    torch.testing.assert_close(terms["ssim"], expected)


def test_gradient_term_by_hand_and_only_between_valid_neighbours():
    residual = torch.tensor([[0.0, 1.0, 4.0], [0.0, 1.0, 9.0]]).view(1, 1, 2, 3)
    valid = _everywhere(residual)
    zero = torch.zeros_like(residual)
    x_steps, y_steps = (1 + 3 + 1 + 8) / 4, (0 + 0 + 5) / 3
    assert masked_gradient(residual, zero, valid).item() == pytest.approx(x_steps + y_steps)
    valid[..., 2] = False
    assert masked_gradient(residual, zero, valid).item() == pytest.approx(1.0)


@pytest.mark.parametrize("hole", [0.0, math.inf, math.nan, 1e30])
def test_unmeasured_pixels_never_count_nor_spoil_the_gradient(hole):
    target = 1 + _rand(0, 1, 1, 8, 8)
    prediction = _rand(1, 1, 1, 8, 8).requires_grad_()
    valid = _everywhere(target)
    valid[..., 2:4, 5] = False

    def total(t):
        return sum(l1_gradient_ssim(prediction, t, valid).values()) + berhu(prediction, t, valid)

    holed = torch.where(valid, target, hole)
    (gradient,) = torch.autograd.grad(total(holed), prediction)
    torch.testing.assert_close(total(holed), total(target))
    assert torch.isfinite(gradient).all()
    assert (gradient[~valid] == 0).all()


def test_reverse_huber_by_hand_and_smooth_at_the_threshold():
    x = torch.tensor([0.0, -0.5, 1.0, 2.0, -4.0], requires_grad=True)
    value = reverse_huber(x, torch.tensor(1.0))
    torch.testing.assert_close(value, torch.tensor([0.0, 0.5, 1.0, 2.5, 8.5]))
    value.sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([0.0, -1.0, 1.0, 2.0, -4.0]))


def test_berhu_takes_a_fifth_of_the_largest_residual_of_the_batch():
    residual = torch.tensor([0.5, 1.0, 3.0, 5.0]).view(2, 1, 1, 2)
    # c = 1: .5, 1, (9 + 1) / 2, (25 + 1) / 2
    loss = berhu(residual, torch.zeros_like(residual), _everywhere(residual))
    assert loss.item() == pytest.approx((0.5 + 1 + 5 + 13) / 4)


def test_dice_and_bce_by_hand():
    target = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    sure = (2 * target - 1) * 50
    assert dice(sure, target).item() == pytest.approx(0, abs=1e-6)
    assert dice(-sure, target).item() == pytest.approx(1 - 1 / 5)
    undecided = mask_terms(torch.zeros_like(target), target)
    assert undecided["bce"].item() == pytest.approx(math.log(2))
    assert undecided["dice"].item() == pytest.approx(1 - (2 * 1 + 1) / (2 + 2 + 1))


def test_a_picture_without_a_person_costs_nothing_when_none_is_found():
    nobody = torch.zeros(1, 1, 4, 4)
    assert sum(mask_terms(nobody - 50, nobody).values()).item() == pytest.approx(0, abs=1e-6)


def test_uncertainty_weights_start_as_the_plain_sum_and_settle_at_the_losses():
    weights = UncertaintyWeights(["depth", "person"])
    losses = {"depth": torch.tensor(4.0), "person": torch.tensor(0.25)}
    assert sum(weights(losses).values()).item() == pytest.approx(4.25)
    optimiser = torch.optim.SGD(weights.parameters(), lr=0.5)
    for _ in range(60):
        optimiser.zero_grad()
        sum(weights(losses).values()).backward()
        optimiser.step()
    # exp(-s) L + s is least at s = log L.
    learned = {name: value.item() for name, value in weights.log_variance.items()}
    assert learned == pytest.approx({"depth": math.log(4), "person": math.log(0.25)}, abs=1e-3)


def test_median_alignment_ignores_what_few_pixels_do():
    x = _rand(2, 1, 9, 9)
    valid = _everywhere(x)
    normal = standardise_by_median(x, valid)
    assert normal.median().item() == pytest.approx(0, abs=1e-6)
    assert normal.abs().mean().item() == pytest.approx(1, abs=1e-5)
    valid[0, :, 4:] = False
    wild = torch.where(valid, x, 1e6)
    torch.testing.assert_close(
        standardise_by_median(wild, valid)[valid], standardise_by_median(x, valid)[valid]
    )


def test_line_fit_agrees_with_least_squares():
    prediction, target = _rand(3, 1, 6, 7).double(), _rand(4, 1, 6, 7).double()
    valid = _rand(5, 1, 6, 7) > 0.4
    columns = torch.stack([prediction[valid], torch.ones_like(prediction[valid])], 1)
    scale, shift = torch.linalg.lstsq(columns, target[valid][:, None]).solution.flatten()
    fitted = fit_line(prediction, target, valid)
    torch.testing.assert_close(fitted[valid], (scale * prediction + shift)[valid])


@pytest.mark.parametrize("loss", [scale_shift_invariant, gradient_matching])
@pytest.mark.parametrize("alignment", ["mean", "median", "least-squares"])
def test_every_alignment_is_blind_to_scale_and_shift_and_differentiable(loss, alignment):
    target, other = (_rand(seed, 2, 5, 6, dtype=torch.float64) for seed in (6, 7))
    valid = _rand(8, 2, 5, 6) > 0.2
    free = loss(3 * target + 2, target, valid, alignment=alignment)
    torch.testing.assert_close(free, torch.zeros(2).double(), atol=1e-9, rtol=0)
    assert (loss(other, target, valid, alignment=alignment) > 0.05).all()
    assert torch.autograd.gradcheck(
        lambda p: loss(p, target, valid, alignment=alignment), other.requires_grad_()
    )


def test_gradients():
    prediction, target = (_rand(s, 1, 1, 4, 5, dtype=torch.float64) for s in (9, 10))
    valid = _rand(11, 1, 1, 4, 5) > 0.1
    prediction.requires_grad_()
    checks = [
        lambda p: sum(l1_gradient_ssim(p, target, valid).values()),
        lambda p: reverse_huber(p - target, torch.tensor(0.2).double()),
        lambda p: sum(mask_terms(p, target).values()),
    ]
    for check in checks:
        assert torch.autograd.gradcheck(check, prediction)


@pytest.mark.parametrize("hw", [(1, 1), (3, 2)])
@pytest.mark.parametrize("values", [(0.0, 0.0), (1e6, 0.0), (-1e6, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize("some", [True, False])
def test_extremes_and_empty_masks_stay_finite(hw, values, some):
    prediction = torch.full((1, 1, *hw), values[0], requires_grad=True)
    target = torch.full((1, 1, *hw), values[1])
    valid = torch.full((1, 1, *hw), some)
    total = sum(l1_gradient_ssim(prediction, target, valid).values())
    total = total + berhu(prediction, target, valid)
    total = total + sum(mask_terms(prediction, target).values())
    for alignment in ("mean", "median", "least-squares"):
        for loss in (scale_shift_invariant, gradient_matching):
            plane = loss(prediction[:, 0], target[:, 0], valid[:, 0], alignment=alignment)
            total = total + plane.sum()
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(prediction.grad).all()
