"""The dynamic-scenes networks: norms with noise, motion of the camera and of objects."""

from itertools import pairwise

import pytest

torch = pytest.importorskip("torch")

from pullfocus.networks.dynamic_depth import (  # noqa: E402
    DynamicDepth,
    RandomisedNorm,
    begin_for_relu,
    noise_std,
)
from pullfocus.networks.dynamic_motion import (  # noqa: E402
    DynamicMotion,
    Refine,
    Scale,
    burn_in,
    mask_small,
)


def test_parameter_counts():
    with torch.device("meta"):
        depth, motion = DynamicDepth(), DynamicMotion()
        # He et al.'s 18 layers without classifier hold 11,176,512, with norms in the shortcuts.
        shortcut_norms = 2 * (128 + 256 + 512)
        encoder = sum(p.numel() for p in depth.encoder.parameters())
        assert encoder + shortcut_norms == 11_176_512
        assert sum(p.numel() for p in depth.parameters()) == 14_325_425
        convs = sum(p.numel() for p in motion.convs.parameters())
        ego_only = sum(p.numel() for p in DynamicMotion(residual=False).parameters())
    pairs = pairwise((8, 16, 32, 64, 128, 256, 512, 1024))
    assert convs == sum(9 * c_in * c_out + c_out for c_in, c_out in pairs)
    assert ego_only == convs + 6 * 1024 + 2


def test_noise_grows_with_the_square_of_the_steps_to_one_half():
    assert [noise_std(step) for step in (0, 5_000, 10_000, 90_000)] == [0, 0.125, 0.5, 0.5]


def test_burn_in_is_shut_for_half_of_its_steps_then_opens():
    assert [burn_in(step) for step in (0, 10_000, 15_000, 20_000, 50_000)] == [0, 0, 0.5, 1, 1]


def test_norm_without_noise_has_mean_zero_and_variance_one_per_picture_and_channel():
    x = 5 + 3 * torch.randn(2, 4, 8, 8)
    for norm, std in ((RandomisedNorm(4).eval(), 0.5), (RandomisedNorm(4), 0.0)):
        out = norm(x, std)
        torch.testing.assert_close(out.mean((2, 3)), torch.zeros(2, 4), atol=1e-5, rtol=0)
        power = out.square().mean((2, 3))
        torch.testing.assert_close(power, torch.ones(2, 4), atol=1e-3, rtol=0)


def test_noise_scales_mean_and_variance_apart_and_within_two_deviations():
    torch.manual_seed(0)
    x = 4 + torch.randn(64, 8, 6, 6)
    centred = x - x.mean((2, 3), keepdim=True)
    out = RandomisedNorm(8)(x, 0.1)
    gain = (out * centred).mean((2, 3)) / centred.square().mean((2, 3))
    variance = 1 / gain.square() / centred.square().mean((2, 3))
    told_mean = (x - out / gain[..., None, None]).mean((2, 3)) / x.mean((2, 3))
    for factor in (variance, told_mean):
        assert factor.mean().item() == pytest.approx(1, abs=0.02)
        # A normal cut at two deviations has .88 of the deviation.
        assert factor.std().item() == pytest.approx(0.088, abs=0.012)
        assert (factor - 1).abs().max() < 0.21


@pytest.mark.parametrize("value", [0.0, 1e6])
def test_norm_of_constant_planes_is_finite(value):
    x = torch.full((1, 2, 3, 3), value, requires_grad=True)
    out = RandomisedNorm(2)(x, 0.5)
    out.sum().backward()
    assert torch.isfinite(out).all()
    assert torch.isfinite(x.grad).all()


def test_depth_is_positive_at_full_size_and_noisy_only_in_training():
    net, image = DynamicDepth(thin=4), torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        noisy = net(image, 20_000)
        assert not torch.equal(noisy, net(image, 20_000))
        torch.testing.assert_close(net(image), net(image))
        net.eval()
        torch.testing.assert_close(net(image, 20_000), net(image))
    assert noisy.shape == (1, 1, 32, 64)
    assert (noisy > 0).all()


def _pair(hw=(20, 36)):
    generator = torch.Generator().manual_seed(1)
    draw = [torch.rand(2, c, *hw, generator=generator) for c in (3, 1, 3, 1)]
    return tuple(draw)


def test_motion_of_any_size_and_its_shapes():
    motion = DynamicMotion(intrinsics=True, thin=8).eval()(*_pair())
    assert motion.rotation_rad.shape == (2, 3)
    assert motion.background.shape == (2, 3, 1, 1)
    assert motion.residual.shape == (2, 3, 20, 36)
    assert motion.intrinsics.shape == (2, 3, 3)


def test_residual_waits_for_the_burn_in_and_can_be_left_out():
    net = DynamicMotion(thin=8)
    assert net(*_pair(), step=10_000).residual.abs().max() == 0
    assert net(*_pair(), step=20_000).residual.abs().max() > 0
    assert net.eval()(*_pair(), step=0).residual.abs().max() > 0
    assert DynamicMotion(residual=False, thin=8)(*_pair(), step=30_000).residual.abs().max() == 0


def test_a_residual_let_in_begins_at_next_to_nothing_and_may_be_told_coarsely():
    fresh = DynamicMotion(thin=8, auto_mask=False).eval()(*_pair())
    assert 0 < fresh.residual.abs().mean() < 5e-4  # in units of depth; cameras move by hundredths
    net = DynamicMotion(thin=8, auto_mask=False, finest=4)
    told = net.eval()(*_pair((32, 64))).residual
    assert told.shape == (2, 3, 32, 64)
    inside = told[..., 2:-2, 2:-2]  # bilinear: within a cell of four, second differences vanish
    bends = inside.diff(dim=3).diff(dim=3).abs().amax((0, 1, 2))
    assert (bends > 1e-3 * bends.max()).float().mean() < 0.6
    assert len(net.refine) == len(DynamicMotion(thin=8).refine) - 2


def test_a_gentle_decoder_has_no_grain_and_no_dead_ends():
    net = DynamicDepth(thin=4, gentle=True).eval()
    flat = torch.rand(1, 3, 1, 1).expand(1, 3, 64, 64)
    with torch.no_grad():
        inside = net(flat)[..., 24:40, 24:40]
    assert inside.std() < 0.02 * inside.mean()
    net(torch.rand(1, 3, 32, 64)).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.steps.parameters())


def test_every_weight_of_the_motion_network_learns():
    net = DynamicMotion(intrinsics=True, thin=8)
    motion = net(*_pair(), step=20_000)
    sum(part.square().sum() for part in motion).backward()
    missed = [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert [name for name in missed if not name.startswith("refine")] == []
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_convention_untrained_intrinsics_point_at_the_middle_in_px():
    net = DynamicMotion(intrinsics=True, thin=8)
    torch.nn.init.zeros_(net.intrinsics.offset.weight)
    torch.nn.init.zeros_(net.intrinsics.focal.weight)
    torch.nn.init.constant_(net.intrinsics.focal.bias, 1.0)
    focal = torch.nn.functional.softplus(torch.tensor(1.0)).item()
    expected = torch.tensor([[36 * focal, 0, 18], [0, 20 * focal, 10], [0, 0, 1]])
    torch.testing.assert_close(net(*_pair()).intrinsics[0], expected)


def test_auto_mask_keeps_what_exceeds_its_own_pictures_mean():
    field = torch.zeros(2, 3, 2, 2)
    field[0, 0] = torch.tensor([[1.0, 1.0], [1.0, 5.0]])
    field[1, 1] = torch.tensor([[10.0, 30.0], [10.0, 10.0]])
    masked = mask_small(field)
    assert masked.count_nonzero() == 2
    assert masked[0, 0, 1, 1] == 5
    assert masked[1, 1, 0, 1] == 30


def test_scale_starts_at_one_hundredth_and_never_falls_below_one_thousandth():
    scale = Scale()
    assert scale(torch.ones(1)).item() == pytest.approx(0.01)
    scale.value.data.fill_(0.001)
    assert scale(torch.ones(1)).item() == pytest.approx(0.001)
    scale.value.data.fill_(-0.004)  # a step too far down: it comes back
    out = scale(torch.ones(1))
    assert out.item() == pytest.approx(0.006)
    out.backward()
    assert scale.value.grad.item() == -1


@pytest.mark.parametrize("make", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_fresh_kernels_keep_the_power_that_a_relu_halves(make):
    torch.manual_seed(0)
    layers = [make(48, 48, 3, 1, 1) for _ in range(6)]
    x = torch.randn(2, 48, 24, 24)
    for layer in layers:
        begin_for_relu(layer)
        x = torch.relu(layer(x))
    # Zeros beyond the border take some of it in each layer.
    assert 0.3 < x.square().mean().item() < 2


def test_fresh_depth_differs_between_pictures():
    torch.manual_seed(0)
    net = DynamicDepth(thin=4).eval()
    with torch.no_grad():
        depth = net(torch.rand(4, 3, 1, 1) * torch.rand(4, 3, 32, 64))
    assert 0.003 < depth.std(0).mean() / depth.mean() < 0.1


def test_refinement_starts_from_the_upsampled_field():
    refine, field = Refine(2), torch.rand(1, 3, 1, 1)
    torch.nn.init.zeros_(refine.correct.weight)
    out = refine(field, torch.rand(1, 2, 4, 5))
    torch.testing.assert_close(out, field.expand(1, 3, 4, 5))
