"""Depth from one frame of a video: the half of the dynamic-scenes system that is kept for use."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.input_checks import check_sides

NOISE_RAMP_STEPS = 10_000
NOISE_STD = 0.5


def noise_std(step: int) -> float:
    """Return the deviation of the norms' noise after so many training steps, 0 to 0.5.

    Source: Li et al. 2020, release: .5 min(step / 10000, 1)^2.
    """
    return NOISE_STD * min(step / NOISE_RAMP_STEPS, 1.0) ** 2


def _around_one(like: Tensor, std: float) -> Tensor:
    """Return 1 + normal noise cut at two deviations, shaped like the tensor."""
    noise = torch.empty_like(like)
    return 1 + nn.init.trunc_normal_(noise, std=std, a=-2 * std, b=2 * std)


class RandomisedNorm(nn.Module):
    """Normalise every channel over space by statistics that training blurs with noise.

    In training, mean and variance are each multiplied by 1 + e, e normal and cut at two
    deviations; in evaluation, or with std 0, they are exact.

    Source: Gordon et al. 2019, Depth from videos in the wild, section 3.3; eps of its release.
    """

    def __init__(self, channels: int, eps: float = 1e-3) -> None:
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Float[Tensor, "b c h w"], std: float) -> Float[Tensor, "b c h w"]:
        """Map b c h w to the same shape."""
        mean = x.mean((2, 3), keepdim=True)
        variance = (x - mean).square().mean((2, 3), keepdim=True)
        if self.training and std > 0:
            mean = mean * _around_one(mean, std)
            variance = variance * _around_one(variance, std)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.gain + self.bias


def begin_for_relu(module: nn.Module) -> None:
    """Draw a convolution's kernel so that what passes a ReLU keeps its power; zero its bias.

    Ten layers of torch's own start, without norms, leave a thousandth of what differs between
    pictures: every picture gets the same answer, and every pair of frames the same motion.
    Source: He et al. 2015, Delving deep into rectifiers, equation 10.
    """
    if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        return
    # Of a strided transposed convolution only every stride-th tap meets a value.
    met = math.prod(module.stride) if isinstance(module, nn.ConvTranspose2d) else 1
    taps = math.prod(module.kernel_size) / met
    nn.init.normal_(module.weight, std=(2 / (module.in_channels * taps)) ** 0.5)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _conv(c_in: int, c_out: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, size, stride, size // 2, bias=False)


class NoisyBlock(nn.Module):
    """The basic residual block with randomised norms and a strided shortcut without any."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.first, self.norm = _conv(c_in, c_out, 3, stride), RandomisedNorm(c_out)
        self.second, self.last_norm = _conv(c_out, c_out, 3, 1), RandomisedNorm(c_out)
        same = stride == 1 and c_in == c_out
        self.shortcut = nn.Identity() if same else _conv(c_in, c_out, 1, stride)

    def forward(self, x: Float[Tensor, "b c h w"], std: float) -> Float[Tensor, "b d h2 w2"]:
        """Map b c h w to b d h/s w/s, non-negative."""
        body = torch.relu(self.norm(self.first(x), std))
        body = self.last_norm(self.second(body), std)
        return torch.relu(body + self.shortcut(x))


class NoisyStage(nn.Module):
    """Two blocks in a row, the first striding."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.first = NoisyBlock(c_in, c_out, stride)
        self.second = NoisyBlock(c_out, c_out, 1)

    def forward(self, x: Float[Tensor, "b c h w"], std: float) -> Float[Tensor, "b d h2 w2"]:
        """Map b c h w to b d h/s w/s, non-negative."""
        return self.second(self.first(x, std), std)


class NoisyResNet18(nn.Module):
    """The 18-layer residual encoder with randomised norms."""

    def __init__(self, thin: int = 1) -> None:
        super().__init__()
        self.channels = [width // thin for width in (64, 64, 128, 256, 512)]
        c_in = self.channels[0]
        self.stem, self.norm = _conv(3, c_in, 7, 2), RandomisedNorm(c_in)
        self.stages = nn.ModuleList()
        for c_out, stride in zip(self.channels[1:], (1, 2, 2, 2), strict=True):
            self.stages.append(NoisyStage(c_in, c_out, stride))
            c_in = c_out

    def forward(self, image: Float[Tensor, "b 3 h w"], std: float) -> list[Tensor]:
        """Return features at 1/2, 1/4, 1/8, 1/16, 1/32."""
        features = [torch.relu(self.norm(self.stem(image), std))]
        x = functional.max_pool2d(features[0], 3, 2, 1)
        for stage in self.stages:
            x = stage(x, std)
            features.append(x)
        return features


class UpSkip(nn.Module):
    """Transposed 3x3 of stride 2, the skip beside it, a 3x3; no norm.

    ``gentle`` enlarges bilinearly before a plain 3x3, which leaves no grain, and lets a tenth of
    what is negative through: without norms, a ReLU at a rate that suits two cores dies for good.

    Source: Zhou et al. 2017, Unsupervised learning of depth and ego-motion, figure 4 (a).
    """

    def __init__(self, c_in: int, c_skip: int, c_out: int, gentle: bool = False) -> None:
        super().__init__()
        self.up = (
            nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(c_in, c_out, 3, padding=1)
            )
            if gentle
            else nn.ConvTranspose2d(c_in, c_out, 3, 2, 1, output_padding=1)
        )
        self.join = nn.Conv2d(c_out + c_skip, c_out, 3, padding=1)
        self.bend = nn.LeakyReLU(0.1) if gentle else nn.ReLU()

    def forward(self, x: Float[Tensor, "b c h w"], skips: list[Tensor]) -> Tensor:
        """Map b c h w and at most one skip b k 2h 2w to b d 2h 2w."""
        up = self.bend(self.up(x))
        return self.bend(self.join(torch.cat([up, *skips], 1)))


class DynamicDepth(nn.Module):
    """Depth of every pixel of a frame, positive, of a scale that training settles.

    Convention: input b 3 h w RGB in 0..1, sides multiples of 32; output b 1 h w depth (not
    disparity), > 0. ``step`` counts training steps and sets the noise of the norms; in
    evaluation it is without effect.

    Raises:
        UsageError: the sides are no such multiples.

    Source: Li et al. 2020, Unsupervised monocular depth learning in dynamic scenes, section 3.1,
    and its release for what the paper leaves open.
    """

    def __init__(self, thin: int = 1, gentle: bool = False) -> None:
        """Lay the network.

        Args:
            thin: divides every width, for runs on two cores.
            gentle: a decoder that is not the paper's, see ``UpSkip``.
        """
        super().__init__()
        self.encoder = NoisyResNet18(thin)
        skips = [*self.encoder.channels[-2::-1], 0]
        c_in = self.encoder.channels[-1]
        self.steps = nn.ModuleList()
        widths = [width // thin for width in (256, 128, 64, 32, 16)]
        for c_skip, c_out in zip(skips, widths, strict=True):
            self.steps.append(UpSkip(c_in, c_skip, c_out, gentle))
            c_in = c_out
        self.apply(begin_for_relu)
        self.out = nn.Conv2d(c_in, 1, 3, padding=1)
        # Fresh features are rough; told small, they leave a depth flat enough to look through.
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, image: Float[Tensor, "b 3 h w"], step: int = 0) -> Float[Tensor, "b 1 h w"]:
        """Return depth at the size of the image."""
        check_sides(image, 32)
        features = self.encoder(2 * image - 1, noise_std(step))
        x = features.pop()
        for up in self.steps:
            x = up(x, [features.pop()] if features else [])
        return functional.softplus(self.out(x))
