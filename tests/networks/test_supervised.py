"""The supervised networks: residual encoders, U-Nets, up-projection."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.networks.input_checks import Standardise  # noqa: E402
from pullfocus.networks.laina import UpBlock, UpProjection, unpool  # noqa: E402
from pullfocus.networks.resnet import resnet34, resnet50  # noqa: E402
from pullfocus.networks.unet import ResNetUNet, UNet  # noqa: E402


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (resnet34, 21_284_672),  # He et al.: 21.80 M with the 513 k of the classifier
        (resnet50, 23_508_032),  # He et al.: 25.56 M with the 2.05 M of the classifier
        (UpProjection, 63_563_009),  # Laina et al., table 1: 63.6 M
        (UNet, 21_948_929),
        (ResNetUNet, 24_430_497),
    ],
)
def test_parameter_counts(make, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in make().parameters()) == count


@pytest.mark.parametrize("make", [ResNetUNet, UpProjection])
def test_a_thin_encoder_is_narrower_by_that_factor(make):
    with torch.device("meta"):
        whole, thin = make().encoder.channels, make(thin=4).encoder.channels
    assert [4 * width for width in thin] == whole


def test_residual_encoder_halves_at_every_stage():
    with torch.no_grad():
        features = resnet34().eval()(torch.rand(1, 3, 64, 32))
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 32, 16), (64, 16, 8), (64, 16, 8), (128, 8, 4), (256, 4, 2), (512, 2, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "hw", "expected"),
    [
        (UNet, (48, 30), (48, 30)),
        (ResNetUNet, (48, 40), (24, 20)),
        (UpProjection, (32, 64), (16, 32)),
    ],
)
def test_output_is_one_plane_of_the_size_told(make, hw, expected):
    with torch.no_grad():
        assert make().eval()(torch.rand(2, 3, *hw)).shape == (2, 1, *expected)


@pytest.mark.parametrize("make", [ResNetUNet, UpProjection])
def test_every_weight_is_reached_by_the_gradient(make):
    net = make()
    net(torch.rand(2, 3, 64, 64)).sum().backward()
    missed = [name for name, p in net.named_parameters() if p.grad is None]
    assert missed == []


def test_unpool_puts_values_at_the_top_left_of_their_cells():
    out = unpool(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))[0, 0]
    expected = [[1.0, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    torch.testing.assert_close(out, torch.tensor(expected))


def test_up_block_doubles_and_is_not_negative():
    out = UpBlock(4, 2).eval()(torch.randn(1, 4, 3, 5))
    assert out.shape == (1, 2, 6, 10)
    assert (out >= 0).all()


def test_convention_standardise_maps_the_mean_to_zero_and_one_deviation_to_one():
    image = torch.tensor([0.485 + 0.229, 0.456, 0.406]).view(1, 3, 1, 1)
    torch.testing.assert_close(Standardise()(image).flatten(), torch.tensor([1.0, 0.0, 0.0]))
