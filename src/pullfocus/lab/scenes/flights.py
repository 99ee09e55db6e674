"""Rendered video from a drone: textured ground everywhere, one car that drives across the view."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pullfocus.lab.data.samples import Clip
from pullfocus.lab.scenes.clips import Drive, Mover, film
from pullfocus.lab.scenes.furniture import Shop
from pullfocus.lab.scenes.parts import Part, Scene
from pullfocus.lab.scenes.studio import first_taken, studio_stack, vertical_fov_deg

SMALLEST_SHARE, LARGEST_SHARE = 0.03, 0.15
"""Share of every frame that the car may take."""
LOOKED_AT_HW, CELLS = (64, 128), (4, 8)
"""Size at which a frame is asked for texture, and the rows and columns of parts asked."""
LEAST_CONTRAST = 2.5
"""8-bit levels a pixel along the direction in which a part changes least."""


def flight(seed: int, hw: tuple[int, int], count: int) -> Clip:
    """Return ``count`` frames h w of a seed with exact depth, poses, motion and masks.

    The camera flies 6 to 8 m above a square and looks down at 32 to 42 degrees, so that near and
    far ground part at once, and the car crosses its path, which no depth can explain.

    Raises:
        MissingModelError: the machine cannot render.
    """

    def shoot(rng: np.random.Generator, kind: str, scene: Scene) -> Clip | None:
        start = replace(scene.camera, vertical_fov_deg=vertical_fov_deg(hw), roll_deg=0.0)
        forward_m, drift_m = float(rng.uniform(0.25, 0.5)), float(rng.uniform(-0.15, 0.15))
        yaw_deg, pitch_deg = rng.normal(0, [0.8, 0.2]).tolist()
        drive = Drive(forward_m, yaw_deg, pitch_deg, drift_m)
        scene, car = _with_crossing(replace(scene, camera=start), rng)
        made = film(f"above-{kind}-{seed}", scene, [car], drive, hw, count)
        return made if made is not None and _is_telling(made) else None

    return first_taken(seed, ("square",), shoot)


def _with_crossing(scene: Scene, rng: np.random.Generator) -> tuple[Scene, Mover]:
    """Add a car near the middle of the view that drives to its left or right."""
    shop = Shop(studio_stack(), rng)
    yaw = np.deg2rad(scene.camera.yaw_deg)
    middle = scene.camera.position[1] / np.tan(np.deg2rad(-scene.camera.pitch_deg))
    ahead = middle * float(rng.uniform(0.8, 1.1))
    aside = ahead * float(rng.uniform(-0.3, 0.3))
    at = (aside * np.cos(yaw) - ahead * np.sin(yaw), -aside * np.sin(yaw) - ahead * np.cos(yaw))
    shop.car((0.0, 0.0, 0.0))
    heading = yaw + np.deg2rad(float(rng.choice([-90, 90]) + rng.uniform(-20, 20)))
    parts = [*scene.parts, *(_put(part, heading, at) for part in shop.parts)]
    step_m = -float(rng.uniform(0.3, 0.5)) * np.array([np.sin(heading), 0, np.cos(heading)])
    return replace(scene, parts=parts), Mover(len(scene.parts), len(parts), step_m)


def _put(part: Part, turn: float, at: tuple[float, float]) -> Part:
    """Return a part turned about the world's upright axis (rad), then moved over the ground."""
    sine, cosine = np.sin(turn), np.cos(turn)
    matrix = np.eye(4)
    matrix[:3, :3] = [[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]
    matrix[[0, 2], 3] = at
    return replace(part, matrix=matrix @ part.matrix)


def _is_telling(made: Clip) -> bool:
    """Tell whether the car is in sight and most of every frame has texture in all directions."""
    shares = made.moving.mean((1, 2)) if made.moving is not None else np.zeros(1)
    in_sight = ((shares > SMALLEST_SHARE) & (shares < LARGEST_SHARE)).all()
    return bool(in_sight) and all(_least_contrast(frame) > LEAST_CONTRAST for frame in made.frames)


def _least_contrast(rgb: np.ndarray) -> float:
    """Return the contrast that a fifth of the picture's parts fall short of.

    A part's is the root of the smaller eigenvalue of its mean structure tensor: 0 on stripes.
    """
    small = cv2.resize(rgb, LOOKED_AT_HW[::-1], interpolation=cv2.INTER_AREA)
    dy, dx = np.gradient(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32))
    products = np.stack([dx * dx, dx * dy, dy * dy], 2)
    xx, xy, yy = cv2.resize(products, CELLS[::-1], interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
    least = (xx + yy) / 2 - np.hypot((xx - yy) / 2, xy)
    return float(np.sqrt(np.percentile(np.maximum(least, 0), 20)))
