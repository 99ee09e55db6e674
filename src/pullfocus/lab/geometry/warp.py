"""Bilinear warps: an image seen at other coordinates, differentiable in both.

Convention: coordinates are (x, y) in px from the top left corner, pixel centres at +0.5; that is
``grid_sample`` with align_corners=False.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Border = Literal["black", "edge"]
"""Beyond the outermost centres: fade to zero within one pixel, or go on with the last value."""

_MODES = {"black": "zeros", "edge": "border"}


def pixel_centres(like: Tensor) -> Float[Tensor, "2 h w"]:
    """Return (x, y) of every pixel centre of a tensor ... h w: 0.5, 1.5, ..."""
    height, width = like.shape[-2:]
    y = torch.arange(height, device=like.device, dtype=like.dtype) + 0.5
    x = torch.arange(width, device=like.device, dtype=like.dtype) + 0.5
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])


def sample(
    image: Float[Tensor, "b c h w"], xy_px: Float[Tensor, "b 2 p q"], border: Border = "black"
) -> Float[Tensor, "b c p q"]:
    """Return the image's values at the coordinates; what is not a number counts as far outside.

    Convention: (0.5, 0.5) is the first pixel; outputs lie where their coordinates lie in xy_px.
    Source: Jaderberg et al. 2015, Spatial transformer networks, equation 5.
    """
    size = torch.tensor(image.shape[:-3:-1], device=xy_px.device, dtype=xy_px.dtype)
    size = size.view(1, 2, 1, 1)
    far = xy_px.nan_to_num(nan=-1.0)
    # One pixel beyond the border all is told; further off, numbers would only lose precision.
    near = torch.minimum(far.clamp(min=-1.0), size + 1)
    grid = (2 * near / size - 1).permute(0, 2, 3, 1)
    return functional.grid_sample(
        image, grid, mode="bilinear", padding_mode=_MODES[border], align_corners=False
    )


def shift_horizontally(
    image: Float[Tensor, "b c h w"],
    shift: Float[Tensor, "b 1 h w"],
    border: Border = "black",
) -> Float[Tensor, "b c h w"]:
    """Return image(x + shift * width) for every pixel, bilinear along the row.

    Convention: the left view is ``shift_horizontally(right, -left_disparity)``, the right view is
    ``shift_horizontally(left, right_disparity)``; disparities >= 0 in units of image width.
    Source: Godard et al. 2017, section 3.3; "black" is the border rule of the authors' release.
    """
    x_px, y_px = pixel_centres(image)
    moved = x_px + shift * image.shape[-1]
    return sample(image, torch.cat([moved, y_px.expand_as(moved)], 1), border)
