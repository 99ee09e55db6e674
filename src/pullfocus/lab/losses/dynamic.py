"""The whole loss of the dynamic-scenes system: two frames, two depths, two motions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pullfocus.lab.geometry.camera import look_from
from pullfocus.lab.geometry.pose import rotation_matrix
from pullfocus.lab.geometry.warp import sample
from pullfocus.lab.losses import motion as terms_of
from pullfocus.networks.dynamic_motion import Motion

WEIGHTS = {
    "rgb": 1.0,
    "structure": 1.5,
    "rotation_cycle": 1e-3,
    "translation_cycle": 5e-2,
    "smoothness": 1e-3,
    "group": 1.0,
    "sparsity": 0.2,
}
"""Source: Li et al. 2020, release (structure: 3.0 with (1 - SSIM) / 2 halved once more)."""
WIDTH_PX = 416
"""Of the pictures for which the release settled its weights."""


class Frame(NamedTuple):
    """One frame, its depth, and the motion from it to the other."""

    image: Float[Tensor, "b 3 h w"]
    depth: Float[Tensor, "b 1 h w"]
    motion: Motion


def dynamic_terms(
    first: Frame,
    second: Frame,
    intrinsics: Float[Tensor, "b 3 3"],
    weights: Mapping[str, float] = WEIGHTS,
) -> dict[str, Tensor]:
    """Return the weighted terms of both orders by name; their sum is the loss.

    The release takes means over both orders and doubles them; this is their sum.
    Source: Li et al. 2020, section 3.2.
    """
    forth = _one_way(first, second, intrinsics)
    back = _one_way(second, first, intrinsics)
    return {name: weight * (forth[name] + back[name]) for name, weight in weights.items()}


def pyramid_terms(
    first: Frame,
    second: Frame,
    intrinsics: Float[Tensor, "b 3 3"],
    scales: int,
    weights: Mapping[str, float] = WEIGHTS,
) -> dict[str, Tensor]:
    """Return the means of ``dynamic_terms`` over sizes 1, 1/2, 1/4, ...

    One scale is the paper's. Coarser ones see motions of several pixels, which are beyond what
    the finest can follow while depth and motion are still wrong.
    """
    rows = [dynamic_terms(first, second, intrinsics, weights)]
    for _ in range(scales - 1):
        first, second = _half(first), _half(second)
        intrinsics = intrinsics * intrinsics.new_tensor([0.5, 0.5, 1.0])[:, None]
        rows.append(dynamic_terms(first, second, intrinsics, weights))
    return {name: torch.stack([row[name] for row in rows]).mean() for name in weights}


def _half(frame: Frame) -> Frame:
    """Return a frame at half its size; means of 4x4, where 2x2 would let fine detail shimmer."""
    depth, residual = (
        functional.interpolate(x, scale_factor=0.5, mode="area")
        for x in (frame.depth, frame.motion.residual)
    )
    image = functional.avg_pool2d(frame.image, 4, 2, 1, count_include_pad=False)
    return Frame(image, depth, frame.motion._replace(residual=residual))


def _one_way(first: Frame, second: Frame, intrinsics: Tensor) -> dict[str, Tensor]:
    """Return the plain terms told at the pixels of the first frame.

    Where neighbours are compared, differences are taken per 1/416 of the width, so that the
    weights mean the same at every size.
    """
    pixel = first.image.shape[-1] / WIDTH_PX
    rotation = rotation_matrix(first.motion.rotation_rad)
    forth = first.motion.background + first.motion.residual
    back = second.motion.background + second.motion.residual
    view = look_from(first.depth, intrinsics, rotation, forth)
    seen = sample(second.image, view.xy_px, "edge")
    with torch.no_grad():
        depth2 = sample(second.depth, view.xy_px, "edge")
    counts = terms_of.unoccluded(view, depth2)
    weight = terms_of.depth_agreement(view, depth2, counts)
    back_there = sample(back, view.xy_px.detach(), "edge")
    normed = terms_of.in_units_of_motion(first.motion.residual, forth)
    back_rotation = rotation_matrix(second.motion.rotation_rad)
    return {
        "rgb": terms_of.occlusion_aware_l1(seen, first.image, counts),
        "structure": terms_of.occlusion_aware_structure(seen, first.image, weight),
        "rotation_cycle": terms_of.rotation_cycle(rotation, back_rotation),
        "translation_cycle": terms_of.translation_cycle(rotation, forth, back_there, counts),
        "smoothness": pixel * terms_of.disparity_smoothness(first.depth, first.image),
        "group": pixel * terms_of.group_smoothness(normed),
        "sparsity": terms_of.sparsity(normed),
    }
