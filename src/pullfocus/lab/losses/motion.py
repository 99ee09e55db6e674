"""What two frames of a video must agree on: each term of the dynamic-scenes loss by itself.

Convention: as in ``lab.geometry.pose``; frame 1 is looked at from frame 2 and everything is told
at the pixels of frame 1.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pullfocus.lab.geometry.camera import View
from pullfocus.lab.geometry.pose import Rotation, rotate
from pullfocus.lab.losses.image import (
    block_mean,
    dissimilarity,
    edge_aware_smoothness,
    mean,
    weighted_structure,
)

Image = Float[Tensor, "b 3 h w"]
Field = Float[Tensor, "b 3 h w"]
Plane = Float[Tensor, "b 1 h w"]
Mask = Bool[Tensor, "b 1 h w"]

_NEVER_ZERO = 1e-24
"""Keeps quotients and roots of squares defined. Source: Li et al. 2020, release."""


def unoccluded(view: View, depth2: Plane) -> Mask:
    """Return where a pixel is seen in frame 2 and stands before what frame 2 sees there.

    Source: Gordon et al. 2019, Depth from videos in the wild, section 3.4.
    """
    return view.valid & (view.depth < depth2)


def occlusion_aware_l1(seen: Image, image1: Image, counts: Mask) -> Float[Tensor, ""]:
    """Return the mean over all pixels of |seen - image1| where it counts, 0 elsewhere.

    Source: Li et al. 2020, section 3.2.3, L_rgb.
    """
    return mean(torch.where(counts, (seen - image1).abs(), 0))


def depth_agreement(view: View, depth2: Plane, counts: Mask) -> Plane:
    """Return weights in 0..1, small where frame 2's depth disagrees; no gradient.

    m / ((D2 - z')^2 + m) with m the mean squared disagreement of what counts, per picture.
    Source: Gordon et al. 2019, release.
    """
    with torch.no_grad():
        squared = torch.where(view.valid, depth2 - view.depth, 0).square()
        kept = torch.where(counts, squared, 0).sum((2, 3), keepdim=True)
        typical = kept / (counts.sum((2, 3), keepdim=True) + 1) + 1e-4
        return typical / (squared + typical) * view.valid


def occlusion_aware_structure(seen: Image, image1: Image, weight: Plane) -> Float[Tensor, ""]:
    """Return the mean of (1 - weighted SSIM) / 2, times the window's mean weight.

    Source: Li et al. 2020, section 3.2.3, L_rgb; SSIM as ``losses.image.weighted_structure``.
    """
    structure = weighted_structure(seen, image1, weight)
    return mean(dissimilarity(structure) * block_mean(weight))


def rotation_cycle(forth: Rotation, back: Rotation) -> Float[Tensor, ""]:
    """Return mean |R1 R2 - I|^2 / (|R1 - I|^2 + |R2 - I|^2): 0 where one undoes the other.

    Source: Li et al. 2020, section 3.2.3, L_cyc, first term.
    """
    still = torch.eye(3, device=forth.device, dtype=forth.dtype)
    left, moved = (forth @ back - still).square(), (forth - still).square()
    moved = moved + (back - still).square()
    return mean(left.mean((1, 2)) / (moved.mean((1, 2)) + _NEVER_ZERO))


def translation_cycle(
    rotation: Rotation, forth: Field, back_there: Field, counts: Mask
) -> Float[Tensor, ""]:
    """Return mean |R1 t2 + t1|^2 / (|t1|^2 + |t2|^2) where it counts, 0 elsewhere.

    Args:
        rotation: R1, from frame 1 to frame 2.
        forth: t1, at the pixels of frame 1.
        back_there: t2, from frame 2 to frame 1, looked up where those pixels stand in frame 2.
        counts: where the pixel is seen in frame 2.

    Source: Li et al. 2020, section 3.2.3, L_cyc, second term.
    """
    left = (rotate(rotation, back_there) + forth).square().sum(1, keepdim=True)
    size = (forth.square() + back_there.square()).sum(1, keepdim=True)
    return mean(torch.where(counts, left / (size + _NEVER_ZERO), 0))


def disparity_smoothness(depth: Plane, image: Image) -> Float[Tensor, ""]:
    """Return the edge-aware roughness of 1 / depth, divided by its mean in the picture.

    Source: Li et al. 2020, section 3.2.2, with the normalisation of its release.
    """
    disparity = 1 / depth.clamp(min=1e-6)
    return edge_aware_smoothness(disparity / disparity.mean((2, 3), keepdim=True), image)


def in_units_of_motion(residual: Field, total: Field) -> Field:
    """Return the residual divided by the root of the picture's mean squared total translation.

    Source: Li et al. 2020, release: sqrt(3 mean(t^2) + 1e-12), the mean over components too.
    """
    power = 3 * total.square().mean((1, 2, 3), keepdim=True)
    return residual / (power + 1e-12).sqrt()


def group_smoothness(field: Field) -> Float[Tensor, ""]:
    """Return L_g1: mean sqrt(dx^2 + dy^2), which likes fields constant in pieces.

    Differences look right and down; beyond the last column and row there is no change.
    Source: Li et al. 2020, equation 2.
    """
    along_x = torch.nn.functional.pad(field.diff(dim=3), (0, 1))
    along_y = torch.nn.functional.pad(field.diff(dim=2), (0, 0, 0, 1))
    return mean((along_x.square() + along_y.square() + _NEVER_ZERO).sqrt())


def sparsity(field: Field) -> Float[Tensor, ""]:
    """Return L_1/2: mean 2 mu sqrt(|t| / mu + 1), mu the mean |t| of each component and picture.

    It nears L1 for small values and weakens for large ones; no gradient flows through mu.
    Source: Li et al. 2020, equation 3.
    """
    size = field.abs()
    typical = size.detach().mean((2, 3), keepdim=True)
    return mean(2 * typical * (size / (typical + _NEVER_ZERO) + 1).sqrt())
