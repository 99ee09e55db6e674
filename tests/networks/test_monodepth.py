"""Monodepth and Deep3D: counts of the paper, four scales, conventions."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.networks.deep3d import Deep3D, expected_disparity, expected_right  # noqa: E402
from pullfocus.networks.monodepth import Monodepth  # noqa: E402


def _count(make):
    with torch.device("meta"):
        return sum(p.numel() for p in make().parameters())


def test_vgg_has_the_31_60_million_parameters_of_the_paper():
    assert _count(Monodepth) == 31_600_072


def test_resnet50_has_49_million_parameters_and_58_45_with_the_releases_needless_projections():
    count = _count(lambda: Monodepth("resnet50"))
    assert count == 49_466_152
    # Blocks of a stage that keep the shape: 1, 2, 4, 1; each projection is 4n x 4n and a bias.
    needless = sum(
        n * (c * c + c) for n, c in zip((1, 2, 4, 1), (256, 512, 1024, 2048), strict=True)
    )
    assert count + needless == 58_452_008


def test_stereo_input_adds_three_channels_to_the_first_kernel_only():
    assert _count(lambda: Monodepth(stereo_input=True)) - 31_600_072 == 3 * 32 * 7 * 7


def test_a_fresh_network_answers_with_what_it_begins_with():
    torch.manual_seed(0)
    net = Monodepth(thin=8, norm=True, begin=0.03).eval()
    with torch.no_grad():
        finest = net(torch.rand(1, 3, 128, 128))[0]
    assert finest.median().item() == pytest.approx(0.03, rel=0.5)


def test_norms_follow_every_convolution_but_the_heads():
    kinds = [type(m) for m in Monodepth(thin=16, norm=True).modules()]
    heads = 4
    assert kinds.count(torch.nn.BatchNorm2d) == kinds.count(torch.nn.Conv2d) - heads


@pytest.mark.parametrize(("encoder", "hw"), [("vgg", (128, 256)), ("resnet50", (64, 128))])
def test_four_scales_of_left_and_right_disparity_finest_first(encoder, hw):
    net = Monodepth(encoder, stereo_input=True).eval()
    with torch.no_grad():
        disparities = net(torch.rand(1, 6, *hw))
    assert [tuple(d.shape) for d in disparities] == [
        (1, 2, hw[0] // 2**s, hw[1] // 2**s) for s in range(4)
    ]
    for d in disparities:
        assert (d > 0).all()
        assert (d < 0.3).all()


def test_every_weight_of_the_network_moves_the_finest_disparity():
    net = Monodepth("resnet50")
    net(torch.rand(1, 3, 64, 64))[0].sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_sides_that_do_not_fit_are_refused_with_sides_that_do():
    with pytest.raises(UsageError, match=r"multiples of 128 px, not 96 x 300; .* 128 x 256"):
        Monodepth()(torch.rand(1, 3, 96, 300))


def test_deep3d_gives_weights_that_sum_to_one():
    with torch.no_grad():
        weights = Deep3D("resnet50", shifts=5).eval()(torch.rand(1, 3, 64, 64))
    assert weights.shape == (1, 5, 64, 64)
    torch.testing.assert_close(weights.sum(1), torch.ones(1, 64, 64))


def _one_hot(shift, count, hw):
    weights = torch.zeros(1, count, *hw)
    weights[:, shift] = 1
    return weights


def test_convention_deep3d_takes_the_right_view_from_further_right_in_the_left_one():
    left = torch.arange(1.0, 7.0).expand(1, 1, 2, 6)
    weights = _one_hot(2, 4, (2, 6))
    right = expected_right(left, weights)
    torch.testing.assert_close(right[0, 0, 0], torch.tensor([3.0, 4, 5, 6, 0, 0]))
    torch.testing.assert_close(expected_disparity(weights), torch.full((1, 1, 2, 6), 2 / 6))


def test_expected_image_is_the_mean_of_the_shifts_and_differentiable():
    left = torch.rand(1, 2, 2, 5, dtype=torch.float64, requires_grad=True)
    logits = torch.rand(1, 3, 2, 5, dtype=torch.float64, requires_grad=True)
    half = (_one_hot(0, 3, (2, 5)) + _one_hot(1, 3, (2, 5))).double() / 2
    shifted = torch.nn.functional.pad(left, (0, 1))[..., 1:]
    torch.testing.assert_close(expected_right(left, half), (left + shifted) / 2)
    assert torch.autograd.gradcheck(lambda x, z: expected_right(x, z.softmax(1)), (left, logits))
