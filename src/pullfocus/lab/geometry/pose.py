"""Rigid motions between two cameras.

Convention: camera axes are x right, y down, z forward; a pose (rotation, translation) takes points
from the first camera's frame to the second's, p2 = R p1 + t.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

Rotation = Float[Tensor, "b 3 3"]
Translation = Float[Tensor, "b 3 _h _w"]
"""One vector a picture (b 3 1 1) or one a pixel (b 3 h w)."""


def rotation_matrix(angles_rad: Float[Tensor, "b 3"]) -> Rotation:
    """Return R = Rx Ry Rz for angles about x, y and z.

    Convention: right-handed: a positive angle about z turns x (right) towards y (down).
    Source: Li et al. 2020, Unsupervised monocular depth learning in dynamic scenes (release).
    """
    one, zero = torch.ones_like(angles_rad[:, 0]), torch.zeros_like(angles_rad[:, 0])
    (cx, cy, cz), (sx, sy, sz) = angles_rad.cos().unbind(1), angles_rad.sin().unbind(1)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, 1).view(-1, 3, 3)

    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return about_x @ about_y @ about_z


def rotate(rotation: Rotation, vectors: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return R v for every pixel's vector."""
    return torch.einsum("bij,bjhw->bihw", rotation, vectors)


def move(
    points: Float[Tensor, "b 3 h w"], rotation: Rotation, translation: Translation
) -> Float[Tensor, "b 3 h w"]:
    """Return R p + t for every pixel's point."""
    return rotate(rotation, points) + translation


def invert(rotation: Rotation, translation: Translation) -> tuple[Rotation, Translation]:
    """Return the pose that undoes this one: (R^T, -R^T t)."""
    back = rotation.transpose(1, 2)
    return back, -rotate(back, translation)
