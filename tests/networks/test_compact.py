"""The compact network: shapes, conventions, how hints are put in."""

import pytest

torch = pytest.importorskip("torch")

from pullfocus.networks.compact import Compact, CompactConfig, position_planes  # noqa: E402

SMALL = CompactConfig(widths=(8, 8, 16, 16, 16), depths=(1, 1, 1, 1), decoder=(8, 8, 16))


@pytest.mark.parametrize("hw", [(32, 64), (96, 128), (160, 96)])
def test_outputs_have_the_size_of_the_input_and_their_ranges(hw):
    disparity, person = Compact(SMALL).eval()(torch.rand(2, 3, *hw))
    assert disparity.shape == person.shape == (2, 1, *hw)
    assert (disparity >= 0).all()
    assert 0 < person.min() < person.max() < 1


def test_shipped_size_stays_under_six_million_parameters():
    count = sum(p.numel() for p in Compact().parameters())
    assert 2e6 < count < 6e6


@pytest.mark.parametrize("block", ["residual", "inverted", "mixer"])
def test_every_encoder_block_keeps_the_contract(block):
    config = CompactConfig(block, (8, 8, 16, 16, 16), (1, 1, 1, 1), (8, 8, 16))
    estimates = Compact(config).eval()(torch.rand(1, 3, 64, 64))
    assert estimates.disparity.shape == estimates.person.shape == (1, 1, 64, 64)


def test_convention_position_planes_grow_down_and_right_from_cell_centres():
    planes = position_planes(torch.zeros(1, 5, 4, 2))
    torch.testing.assert_close(planes[0, 0, :, 0], torch.tensor([-0.75, -0.25, 0.25, 0.75]))
    torch.testing.assert_close(planes[0, 1, 0], torch.tensor([-0.5, 0.5]))


def test_forced_features_replace_the_first_channels_only_where_not_nan():
    net = Compact(SMALL).eval()
    image = torch.rand(2, 3, 64, 64)
    plain, seen = net.stages(image, {})
    hint = torch.full_like(seen["e3"][:, :4], 3.0)
    hint[1] = float("nan")
    forced, own = net.stages(image, {"e3": hint})
    torch.testing.assert_close(own["e3"], seen["e3"])
    for with_hint, without in zip(forced, plain, strict=True):
        torch.testing.assert_close(with_hint[1], without[1])
        assert not torch.allclose(with_hint[0], without[0])
