"""The pinhole camera: from depth to points and back to pixels of another view.

Convention: intrinsics are [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in px for pixel centres at +0.5;
OpenCV's and KITTI's principal points, made for centres at integers, take + 0.5. Depth is z, not
the distance along the ray.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pullfocus.lab.geometry.pose import Rotation, Translation, move
from pullfocus.lab.geometry.warp import pixel_centres

NEAREST = 1e-6
"""Depth below which a point counts as behind the camera; it keeps divisions finite."""


class View(NamedTuple):
    """Where the pixels of one frame stand in another."""

    xy_px: Float[Tensor, "b 2 h w"]
    depth: Float[Tensor, "b 1 h w"]
    """z in the other camera's frame."""
    valid: Bool[Tensor, "b 1 h w"]
    """In front of the other camera and between its outermost pixel centres."""


def _focal_and_centre(intrinsics: Float[Tensor, "b 3 3"]) -> tuple[Tensor, Tensor]:
    focal = intrinsics.diagonal(dim1=1, dim2=2)[:, :2]
    return focal[:, :, None, None], intrinsics[:, :2, 2][:, :, None, None]


def back_project(
    depth: Float[Tensor, "b 1 h w"], intrinsics: Float[Tensor, "b 3 3"]
) -> Float[Tensor, "b 3 h w"]:
    """Return the point seen at every pixel centre, in the camera's frame and depth's unit.

    Source: Hartley and Zisserman 2004, Multiple view geometry, section 6.1.
    """
    focal, centre = _focal_and_centre(intrinsics)
    across = (pixel_centres(depth) - centre) / focal
    return torch.cat([across * depth, depth], 1)


def project(
    points: Float[Tensor, "b 3 h w"], intrinsics: Float[Tensor, "b 3 3"]
) -> Float[Tensor, "b 2 h w"]:
    """Return (x, y) in px of points; finite even where z <= 0 (``View.valid`` tells).

    Source: Hartley and Zisserman 2004, Multiple view geometry, section 6.1.
    """
    focal, centre = _focal_and_centre(intrinsics)
    return points[:, :2] / points[:, 2:].clamp(min=NEAREST) * focal + centre


def look_from(
    depth: Float[Tensor, "b 1 h w"],
    intrinsics: Float[Tensor, "b 3 3"],
    rotation: Rotation,
    translation: Translation,
) -> View:
    """Return where every pixel of the first frame stands in the second, and how deep.

    Source: Li et al. 2020, Unsupervised monocular depth learning in dynamic scenes, section 3:
    p' z' = K R K^-1 p z + K t(p); valid as in the release.
    """
    points = move(back_project(depth, intrinsics), rotation, translation)
    xy_px, z = project(points, intrinsics), points[:, 2:]
    x, y = xy_px[:, :1], xy_px[:, 1:]
    height, width = depth.shape[-2:]
    inside = (x >= 0.5) & (x < width - 0.5) & (y >= 0.5) & (y < height - 0.5)
    return View(xy_px, z, inside & (z > NEAREST) & z.isfinite())
