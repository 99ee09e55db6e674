"""The other view as an expected image over integer shifts: the baseline monodepth is held against.

Deep3Ds is the same network taught with two more terms (``lab.losses.stereo``).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pullfocus.networks.monodepth import Encoder, Trunk


def expected_right(
    left: Float[Tensor, "b c h w"], weights: Float[Tensor, "b n h w"]
) -> Float[Tensor, "b c h w"]:
    """Return the right view as the mean of the left one's shifts 0 .. n-1 px under the weights.

    Convention: right(x) = sum_i w_i(x) left(x + i); beyond the left view's edge it is black.
    Source: Xie et al. 2016, Deep3D, equation 2.
    """
    count, width = weights.shape[1], left.shape[-1]
    padded = functional.pad(left, (0, count - 1))
    right = torch.zeros_like(left)
    for shift in range(count):
        right = right + weights[:, shift : shift + 1] * padded[..., shift : shift + width]
    return right


def expected_disparity(weights: Float[Tensor, "b n h w"]) -> Float[Tensor, "b 1 h w"]:
    """Return the mean shift under the weights, in units of image width."""
    shifts = torch.arange(weights.shape[1], device=weights.device, dtype=weights.dtype)
    mean_px = (weights * shifts.view(1, -1, 1, 1)).sum(1, keepdim=True)
    return mean_px / weights.shape[-1]


def _to_weights(x: Tensor) -> Tensor:
    return x.softmax(1)


class Deep3D(nn.Module):
    """Weights of ``shifts`` integer disparities for every pixel, on monodepth's trunk.

    Convention: input b 3 h w RGB in 0..1, sides as for ``Monodepth``; output b n h w, >= 0, sums
    to 1 over n; channel i is the weight of a disparity of i px. Use ``expected_right`` to form the
    right view and ``expected_disparity`` for what the evaluation wants.

    Raises:
        UsageError: the sides are no such multiples.

    Source: Xie et al. 2016, Deep3D, section 3.1; as a baseline on one trunk: Godard et al. 2017,
    section 4.3. Both leave the count of shifts open: 64 px hold the disparities of KITTI at
    256 x 512 but for the nearest 2.5 m.
    """

    def __init__(self, encoder: Encoder = "vgg", shifts: int = 64, thin: int = 1) -> None:
        """Lay the network; ``thin`` divides all widths of the VGG, for runs on a few cores."""
        super().__init__()
        self.trunk = Trunk(encoder, 3, 1, shifts, _to_weights, thin)

    def forward(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b n h w"]:
        """Return the weights of the shifts."""
        return self.trunk(image)[0]
