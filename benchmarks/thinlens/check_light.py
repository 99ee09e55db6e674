"""Render one small light out of focus in Cycles, with the lens given as people give it.

    /tmp/bpyenv/bin/python benchmarks/thinlens/check_light.py

Blender is told an f-number, not a gain: tests/render compares the disc with `lens.optics`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from blender_build import FOCAL_MM, SENSOR_MM, at, backdrop, disc_light, material, px
from blender_render import FOCAL_PX, empty_scene, shoot

F_NUMBER, FOCUS_M, LIGHT_M, LIGHT_RADIUS_PX = 2.0, 1.0, 1.8, 3.0


def main():
    """Render and save the green channel around the light."""
    scene = empty_scene()
    backdrop(5.0, material(np.zeros((1, 1, 3), np.float32)))
    disc_light(at(0.3, 0.2, LIGHT_M), px(LIGHT_M, LIGHT_RADIUS_PX), 50.0, (1, 1, 1))
    lens = scene.camera.data
    lens.dof.use_dof, lens.dof.focus_distance = True, FOCUS_M
    lens.dof.aperture_fstop = F_NUMBER * (1 - FOCAL_MM / 1000 / FOCUS_M)  # see set_lens
    truth = shoot(scene, 512)[..., 1]
    out = Path(__file__).resolve().parent / "data/one-light.npz"
    np.savez_compressed(
        out,
        truth=truth.astype(np.float16),
        f_number=F_NUMBER,
        focal_length_mm=FOCAL_MM,
        sensor_width_mm=SENSOR_MM,
        focus_m=FOCUS_M,
        light_m=LIGHT_M,
        light_radius_px=LIGHT_RADIUS_PX,
    )
    print(out, f"sharp light radius {LIGHT_RADIUS_PX} px, focal length {FOCAL_PX:.1f} px")


if __name__ == "__main__":
    main()
