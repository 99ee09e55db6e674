"""Rendered stereo pairs with exact disparity: the pairs on which monodepth learns without a car."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pullfocus.lab.data.samples import StereoPair
from pullfocus.lab.scenes.parts import Camera, Scene, view_matrix
from pullfocus.lab.scenes.studio import (
    first_taken,
    focal_px,
    renderer,
    shows_depth,
    vertical_fov_deg,
)

BASELINE_M = 0.54
"""Between the two cameras: KITTI's."""
NEAREST_M = 2.2
"""Nothing stands closer, so that disparity stays below 0.15 of the width (networks reach 0.3)."""
PLACES = ("road", "street")


def beside(camera: Camera, metres: float) -> Camera:
    """Return the camera moved along its own x axis."""
    x, y, z = (np.array(camera.position) + metres * view_matrix(camera)[0, :3]).tolist()
    return replace(camera, position=(x, y, z))


def stereo_pair(seed: int, hw: tuple[int, int]) -> StereoPair:
    """Return the rectified pair of a seed, both pictures h w, with exact disparity.

    One rig for all seeds (`BASELINE_M`, `studio.FOCAL_SHARE`, cameras 1.2 to 2.2 m above a road),
    as in the driving sets: a network can learn metres from it.

    Raises:
        MissingModelError: the machine cannot render.
    """
    draw = renderer(hw)
    focal = focal_px(hw)

    def shoot(_rng: np.random.Generator, kind: str, scene: Scene) -> StereoPair | None:
        camera = replace(scene.camera, vertical_fov_deg=vertical_fov_deg(hw), roll_deg=0.0)
        left, disparity = draw(replace(scene, camera=camera))
        if not shows_depth(disparity, NEAREST_M):
            return None
        right, _ = draw(replace(scene, camera=beside(camera, BASELINE_M)))
        disparity_px = disparity * np.float32(focal * BASELINE_M)
        return StereoPair(f"{kind}-{seed}", left, right, disparity_px, focal, BASELINE_M)

    return first_taken(seed, PLACES, shoot)
