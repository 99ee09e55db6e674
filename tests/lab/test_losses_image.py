"""Losses between pictures: closed forms, gradients, extremes."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.losses.image import (  # noqa: E402  # noqa: E402
    dissimilarity,
    edge_aware_smoothness,
    masked_mean,
    mean,
    photometric,
    ssim,
    weighted_structure,
)


def _picture(seed, *shape, dtype=torch.float32):
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_ssim_of_one_window_by_hand():
    a, b = _picture(0, 1, 1, 3, 3).double(), _picture(1, 1, 1, 3, 3).double()
    x, y = a.numpy().ravel(), b.numpy().ravel()
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * x.mean() * y.mean() + c1) / (x.mean() ** 2 + y.mean() ** 2 + c1)
    covariance = np.cov(x, y, bias=True)
    structure = (2 * covariance[0, 1] + c2) / (covariance[0, 0] + covariance[1, 1] + c2)
    assert ssim(a, b).item() == pytest.approx(luminance * structure, abs=1e-12)


def test_ssim_is_one_for_the_same_picture_and_has_no_padding():
    a = _picture(0, 2, 3, 7, 9)
    torch.testing.assert_close(ssim(a, a), torch.ones(2, 3, 5, 7))


def test_ssim_does_not_see_the_unit_when_told_the_range():
    a, b = _picture(0, 1, 1, 6, 6), _picture(1, 1, 1, 6, 6)
    torch.testing.assert_close(ssim(100 * a, 100 * b, 100.0), ssim(a, b), atol=1e-4, rtol=0)


def test_dissimilarity_is_clipped_to_zero_and_one():
    given = torch.tensor([-3.0, -1.0, 0.0, 1.0, 1.5])
    torch.testing.assert_close(dissimilarity(given), torch.tensor([1.0, 1.0, 0.5, 0.0, 0.0]))


def test_photometric_of_two_flat_pictures_by_hand():
    a, b = torch.full((1, 3, 4, 4), 0.2), torch.full((1, 3, 4, 4), 0.6)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)
    expected = 0.85 * (1 - luminance) / 2 + 0.15 * 0.4
    assert photometric(a, b).item() == pytest.approx(expected, abs=1e-4)


def test_weighted_structure_does_not_see_brightness():
    a, weight = _picture(0, 1, 3, 5, 5), _picture(2, 1, 1, 5, 5)
    same = weighted_structure(a, a + 0.3, weight)
    torch.testing.assert_close(same, torch.ones(1, 3, 3, 3), atol=2e-3, rtol=0)


def test_weighted_structure_of_one_window_by_hand():
    a, b = _picture(0, 1, 1, 3, 3).double(), _picture(1, 1, 1, 3, 3).double()
    weight = _picture(2, 1, 1, 3, 3).double()
    x, y, w = (t.numpy().ravel() for t in (a, b, weight))
    covariance = np.cov(x, y, aweights=w + 0.01, bias=True)
    structure = (2 * covariance[0, 1] + 9e-6) / (covariance[0, 0] + covariance[1, 1] + 9e-6)
    assert weighted_structure(a, b, weight).item() == pytest.approx(structure, abs=1e-9)


def test_pixels_without_weight_hardly_count():
    a, b = _picture(0, 1, 1, 3, 3), _picture(0, 1, 1, 3, 3)
    b[0, 0, 1, 1] += 1
    weight = torch.ones(1, 1, 3, 3)
    assert weighted_structure(a, b, weight).item() < 0.7
    weight[0, 0, 1, 1] = 0
    assert weighted_structure(a, b, weight).item() > 0.97


def test_edge_aware_smoothness_by_hand():
    values = torch.tensor([[0.0, 1.0], [0.0, 3.0]]).view(1, 1, 2, 2)
    image = torch.tensor([[0.0, 0.5], [0.0, 0.5]]).expand(1, 3, 2, 2)
    # Along x steps 1 and 3 across an image step of .5; along y steps 0 and 2 on a flat image.
    expected = (1 + 3) / 2 * math.exp(-0.5) + (0 + 2) / 2
    assert edge_aware_smoothness(values, image).item() == pytest.approx(expected)


def test_means_of_nothing_are_zero_and_what_is_masked_may_be_infinite():
    assert mean(torch.zeros(2, 0)).item() == 0
    x = torch.tensor([[1.0, math.inf], [3.0, math.nan]], requires_grad=True)
    valid = torch.tensor([[True, False], [True, False]])
    value = masked_mean(x, valid)
    value.backward()
    assert value.item() == 2
    torch.testing.assert_close(x.grad, valid.float() / 2)
    assert masked_mean(x, torch.zeros_like(valid)).item() == 0


LOSSES = {
    "ssim": lambda a, b: mean(dissimilarity(ssim(a, b))),
    "photometric": photometric,
    "weighted": lambda a, b: mean(weighted_structure(a, b, (a + b).mean(1, keepdim=True))),
    "smoothness": edge_aware_smoothness,
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name):
    a = _picture(4, 1, 2, 4, 5, dtype=torch.float64).requires_grad_()
    b = _picture(5, 1, 2, 4, 5, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(LOSSES[name], (a, b))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("hw", [(1, 1), (1, 4), (2, 2), (4, 4)])
@pytest.mark.parametrize("values", [(0.0, 0.0), (0.0, 1e6), (1e6, 1e6), (0.5, 0.5)])
def test_flat_huge_and_tiny_pictures_stay_finite(name, hw, values):
    a, b = (torch.full((1, 3, *hw), value, requires_grad=True) for value in values)
    total = LOSSES[name](a, b)
    total.backward()
    for tensor in (total, a.grad, b.grad):
        assert torch.isfinite(tensor).all()


def test_noise_upon_huge_values_stays_finite():
    a, b = (1e6 + _picture(seed, 1, 3, 6, 6) for seed in (0, 1))
    a.requires_grad_()
    total = sum(loss(a, b) for loss in LOSSES.values())
    total.backward()
    assert torch.isfinite(a.grad).all()
