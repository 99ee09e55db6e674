"""What a network learns from rectified pairs alone: monodepth's loss, and its baselines'.

Every function here returns its weighted terms by name; their sum is the loss.
Convention: disparities are in units of image width, channel 0 left and 1 right, larger = nearer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pullfocus.lab.geometry.warp import shift_horizontally
from pullfocus.lab.losses.image import edge_aware_smoothness, mean, photometric

Image = Float[Tensor, "b 3 h w"]
Disparity = Float[Tensor, "b 1 h w"]
Weights = Float[Tensor, "b n h w"]
Terms = dict[str, Tensor]


def left_right_consistency(left: Disparity, right: Disparity) -> Float[Tensor, ""]:
    """Return mean |d_l - d_r(x - d_l)| + mean |d_r - d_l(x + d_r)|.

    Source: Godard et al. 2017, equation 4 and its mirror.
    """
    seen_right, seen_left = shift_horizontally(right, -left), shift_horizontally(left, right)
    return mean((left - seen_right).abs()) + mean((right - seen_left).abs())


def monodepth_terms(
    disparities: Sequence[Float[Tensor, "b 2 _h _w"]],
    left: Image,
    right: Image,
    left_right: bool = True,
) -> Terms:
    """Return photometric, smoothness (0.1 / 2^s) and left_right terms, summed over the scales.

    Args:
        disparities: of ``networks.monodepth``, finest first.
        left: left view, rectified, in 0..1.
        right: right view.
        left_right: False is the paper's "No LR": the left view alone is rebuilt and smoothed,
            and nothing asks both maps to agree.

    Source: Godard et al. 2017, equation 1 and section 4.1.
    """
    views = 2 if left_right else 1
    names = ("photometric", "smoothness", "left_right")[: views + 1]
    terms = {name: torch.zeros((), device=left.device, dtype=left.dtype) for name in names}
    for scale, disparity in enumerate(disparities):
        small = [_area(view, disparity) for view in (left, right)]
        halves = disparity.split(1, 1)
        for view in range(views):
            # The left view is found to the left in the right one, and the other way round.
            towards = halves[view] if view else -halves[view]
            rebuilt = shift_horizontally(small[1 - view], towards)
            rough = edge_aware_smoothness(halves[view], small[view])
            terms["photometric"] = terms["photometric"] + photometric(rebuilt, small[view])
            terms["smoothness"] = terms["smoothness"] + 0.1 / 2**scale * rough
        if left_right:
            terms["left_right"] = terms["left_right"] + left_right_consistency(*halves)
    return terms


def _area(view: Image, like: Tensor) -> Float[Tensor, "b 3 _h _w"]:
    return functional.interpolate(view, size=like.shape[-2:], mode="area")


def indecision(weights: Weights) -> Float[Tensor, ""]:
    """Return C_max = mean (max_i w_i - 1)^2: 0 where one shift has all the weight.

    Source: Godard et al. 2017, supplementary material, section 3, equation 1.
    """
    return mean((weights.amax(1) - 1).square())


def cumulative_smoothness(weights: Weights) -> Float[Tensor, ""]:
    """Return mean over pixels of |dx cs| + |dy cs| summed over shifts, cs = cumulative sums.

    Between pixels that have decided for one shift each, this is their difference in px.
    Source: Godard et al. 2017, supplementary material, section 3, equations 2 and 3.
    """
    sums = weights.cumsum(1)
    along_x, along_y = (sums.diff(dim=axis).abs().sum(1) for axis in (3, 2))
    return mean(along_x) + mean(along_y)


def deep3d_terms(rebuilt: Image, right: Image, weights: Weights, smooth: bool = False) -> Terms:
    """Return the photometric term of Deep3D and, with ``smooth``, the two that make it Deep3Ds.

    Args:
        rebuilt: the right view as ``networks.deep3d.expected_right`` forms it.
        right: the right view.
        weights: of the shifts, as ``networks.deep3d.Deep3D`` returns them.
        smooth: add 0.02 * ``indecision`` and 0.1 * ``cumulative_smoothness``.

    Source: Godard et al. 2017, section 4.3 and supplementary material, section 3.
    """
    terms = {"photometric": photometric(rebuilt, right)}
    if smooth:
        terms["indecision"] = 0.02 * indecision(weights)
        terms["smoothness"] = 0.1 * cumulative_smoothness(weights)
    return terms
