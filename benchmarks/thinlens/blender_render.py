"""Render one scene in Blender Cycles: sharp picture, depth and thin-lens truths (bpy environment).

    python blender_render.py NAME OUT.npz [--samples N]

Small lights are traced from the light to the lens instead: a path tracer hits a 2 px light with
one lens sample in a thousand, and the truth would be noise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

sys.path.insert(0, str(Path(__file__).resolve().parent))

import scenes
from blender_build import FOCAL_MM, HEIGHT, SENSOR_MM, WIDTH
from layered import lens_positions

FOCAL_PX = FOCAL_MM / SENSOR_MM * WIDTH
PAD = 8  # px of border in which lights outside the frame are kept


def empty_scene():
    """Start a scene with a camera at the origin that looks along -z."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    camera = bpy.data.cameras.new("camera")
    camera.lens, camera.sensor_width, camera.sensor_fit = FOCAL_MM, SENSOR_MM, "HORIZONTAL"
    camera.clip_start, camera.clip_end = 0.01, 100
    scene.camera = bpy.data.objects.new("camera", camera)
    scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.view_settings.view_transform = "Raw"
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    scene.cycles.max_bounces = 0
    scene.cycles.sample_clamp_direct = 0
    scene.cycles.pixel_filter_type = "BOX"
    return scene


def shoot(scene, samples: int) -> np.ndarray:
    """Render and read back linear float32 (h, w, 3)."""
    scene.cycles.samples = samples
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = f"{folder}/shot.exr"
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        image.colorspace_settings.name = "Non-Color"
        pixels = np.empty(WIDTH * HEIGHT * 4, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
    return pixels.reshape(HEIGHT, WIDTH, 4)[::-1, :, :3].copy()


def shoot_depth(scene) -> np.ndarray:
    """Return the distance along the optical axis (metres) at the pixel centres, float32 (h, w)."""
    mat = bpy.data.materials.new("depth")
    mat.use_nodes = True
    nodes, links = mat.node_tree.nodes, mat.node_tree.links
    nodes.clear()
    z = nodes.new("ShaderNodeCameraData").outputs["View Z Depth"]
    emission = nodes.new("ShaderNodeEmission")
    links.new(z, emission.inputs["Strength"])
    emission.inputs["Color"].default_value = (1, 1, 1, 1)
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(emission.outputs["Emission"], output.inputs["Surface"])
    scene.view_layers[0].material_override = mat
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BLACKMAN_HARRIS", 0.01
    depth = shoot(scene, 1)[..., 0]
    scene.view_layers[0].material_override = None
    scene.cycles.pixel_filter_type = "BOX"
    return depth


def set_lens(scene, gain_px: float, focus_disparity: float):
    """Open the aperture so that radius_px = gain_px * (1/z - 1/z_focus).

    Blender's `lens` fixes the field of view (the image distance), so its blur has no factor
    z_f / (z_f - f); the f-number asked from Blender makes up for that.
    """
    camera = scene.camera.data
    camera.dof.use_dof = True
    camera.dof.focus_distance = 1 / focus_disparity
    aperture_radius_m = gain_px / FOCAL_PX
    camera.dof.aperture_fstop = FOCAL_MM / 1000 / (2 * aperture_radius_m)
    camera.dof.aperture_blades = 0


def obstacles(lamps) -> BVHTree:
    """Gather all triangles except the lights."""
    skip = {lamp["thing"].name for lamp in lamps}
    vertices, faces = [], []
    for thing in bpy.data.objects:
        if thing.type == "MESH" and thing.name not in skip:
            base = len(vertices)
            vertices += [tuple(v.co) for v in thing.data.vertices]
            faces += [[base + i for i in p.vertices] for p in thing.data.polygons]
    return BVHTree.FromPolygons(vertices, faces)


def trace_lights(lamps, tree, gain_px: float, focus: float) -> np.ndarray:
    """Send rays from each light's centre to the lens, then spread by its size; linear (h, w, 3)."""
    total = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for lamp in lamps:
        z = -lamp["centre"][2]
        size_px = lamp["radius"] * FOCAL_PX / z
        shift_px = gain_px * (1 / z - focus)
        lens = lens_positions(int(np.clip(6 * np.pi * shift_px**2, 500, 30000)))
        # a nearer point moves with the lens position; image rows count downwards
        eyes = np.pad(-lens * [1, -1] * gain_px / FOCAL_PX, ((0, 0), (0, 1)))
        seen = np.array([_clear(tree, lamp["centre"], eye) for eye in eyes])
        pinhole = lamp["centre"][:2] * [1, -1] * FOCAL_PX / z + [WIDTH / 2, HEIGHT / 2]
        share = _splat((pinhole + shift_px * lens)[seen]) / len(lens)
        share = cv2.filter2D(share, -1, _disc(size_px), borderType=cv2.BORDER_CONSTANT)
        total += share[PAD:-PAD, PAD:-PAD, None] * lamp["linear"] * np.pi * size_px**2
    return total


def _clear(tree, point, eye) -> bool:
    way = eye - point
    return tree.ray_cast(Vector(point), Vector(way), float(np.linalg.norm(way)))[0] is None


def _splat(places_px: np.ndarray) -> np.ndarray:
    """Count points on the padded pixel grid, shared out bilinearly."""
    grid = np.zeros((HEIGHT + 2 * PAD, WIDTH + 2 * PAD), np.float32)
    x, y = (places_px - 0.5 + PAD).T
    inside = (x >= 0) & (y >= 0) & (x < grid.shape[1] - 1) & (y < grid.shape[0] - 1)
    x, y = x[inside], y[inside]
    i, j, fy, fx = y.astype(int), x.astype(int), y % 1, x % 1
    for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (fy if di else 1 - fy) * (fx if dj else 1 - fx)
        np.add.at(grid, (i + di, j + dj), weight)
    return grid


def _disc(radius_px: float) -> np.ndarray:
    """Antialiased disc that sums to one."""
    reach = int(radius_px) + 2
    fine = (np.arange(-8 * reach - 4, 8 * reach + 4) + 0.5) / 8
    inside = (fine[:, None] ** 2 + fine**2 <= radius_px**2).astype(np.float32)
    kernel = inside.reshape(2 * reach + 1, 8, 2 * reach + 1, 8).mean((1, 3))
    return kernel / kernel.sum()


def blacken(lamps):
    """Switch the lights off; they still hide what is behind them."""
    for lamp in lamps:
        node = lamp["thing"].data.materials[0].node_tree.nodes["Emission"]
        node.inputs["Strength"].default_value = 0


def focuses(disparity: np.ndarray) -> tuple[float, float, float]:
    """Choose three distances to focus on: far, middle, near (1/m)."""
    far, near = np.quantile(disparity, (0.03, 0.98))
    middle = disparity[(disparity > far + 0.25 * (near - far)) & (disparity < near)]
    return float(far), float(np.median(middle)), float(near)


def main():
    """Render one scene with its three focus distances."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=256)
    args = parser.parse_args()
    names = [*scenes.DEV, *scenes.HELD_OUT]
    build, seed = {**scenes.DEV, **scenes.HELD_OUT}[args.name]
    scene = empty_scene()
    lamps = build(np.random.default_rng(seed))
    depth_m = shoot_depth(scene)
    linear = shoot(scene, 144)
    blacken(lamps)
    tree = obstacles(lamps)
    disparity = 1 / np.maximum(depth_m, 1e-3)
    found = {"linear": linear, "disparity": disparity}
    for n, focus in enumerate(focuses(disparity)):
        span = float(np.quantile(np.abs(disparity - focus), 0.995))
        radius = scenes.RADII_PX[(names.index(args.name) + 2 * n) % len(scenes.RADII_PX)]
        gain = radius / span
        set_lens(scene, gain, focus)
        truth = shoot(scene, args.samples) + trace_lights(lamps, tree, gain, focus)
        found |= {f"truth{n}": truth, f"focus{n}": focus, f"gain{n}": gain}
    np.savez(args.out, **found)


if __name__ == "__main__":
    main()
