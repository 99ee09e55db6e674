"""What a scene is made of: textured solids in a world of metres.

Convention: x to the right, y up, z towards the viewer (the camera looks along -z at yaw 0).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Shape = Literal["box", "ball", "pole", "card", "land"]


@dataclass(frozen=True)
class Part:
    """One solid.

    Attributes:
        shape: unit solid: box and ball and pole (a cylinder) span -.5...5, card is an upright
            unit quad (bottom at y = 0) cut out by its texture's alpha, land is a hilly square.
        matrix: 4x4, local to world.
        layer: index into the texture stack.
        repeat: texture repeats along the solid; 0 = per metre of its own size.
        tint: colour factor.
    """

    shape: Shape
    matrix: np.ndarray
    layer: int
    repeat: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Camera:
    """A pinhole: position in metres, angles in degrees (pitch < 0 looks down), field of view."""

    position: tuple[float, float, float]
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    vertical_fov_deg: float


@dataclass(frozen=True)
class Scene:
    """Parts, a camera and the light they stand in.

    Attributes:
        sky: colours at the zenith and at the horizon; open sky has disparity 0.
        light: direction to the sun; ambient: share of light from everywhere.
        haze: share of contrast lost per metre.
        hills: height in metres and seed of ``land`` parts.
    """

    parts: list[Part]
    camera: Camera
    sky: tuple[np.ndarray, np.ndarray]
    light: np.ndarray
    ambient: float = 0.5
    haze: float = 0.0
    hills: tuple[float, float] = field(default=(0.0, 0.0))


def placed(
    at: tuple[float, float, float],
    size: tuple[float, float, float],
    turn_deg: float = 0.0,
    lean_deg: float = 0.0,
) -> np.ndarray:
    """Return the 4x4 matrix: scale, lean about x, turn about y, move (metres, degrees)."""
    t, p = np.deg2rad(turn_deg), np.deg2rad(lean_deg)
    turn = np.array([[np.cos(t), 0, np.sin(t)], [0, 1, 0], [-np.sin(t), 0, np.cos(t)]])
    lean = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ lean @ np.diag(size)
    matrix[:3, 3] = at
    return matrix


def view_matrix(camera: Camera) -> np.ndarray:
    """Return the 4x4 matrix, world to camera (camera looks along -z)."""
    y, p, r = np.deg2rad([camera.yaw_deg, camera.pitch_deg, camera.roll_deg])
    yaw = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), np.sin(r), 0], [-np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turn = roll @ pitch @ yaw
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = -turn @ np.array(camera.position)
    return matrix


def projection_matrix(vertical_fov_deg: float, aspect: float, near_m: float = 0.05) -> np.ndarray:
    """Return the 4x4 OpenGL perspective matrix, far plane at 2000 m."""
    f, far = 1 / np.tan(np.deg2rad(vertical_fov_deg) / 2), 2000.0
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1], matrix[3, 2] = f / aspect, f, -1
    matrix[2, 2], matrix[2, 3] = (far + near_m) / (near_m - far), 2 * far * near_m / (near_m - far)
    return matrix
