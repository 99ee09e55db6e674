"""Meshes that emit, built in camera space for Blender; run inside the bpy environment.

Camera space: the camera stands at the origin and looks along -z; x right, y up, in metres. Places
are given as (u, v, z): u, v in -1..1 across the frame's width and height, z the distance in metres.
"""

from __future__ import annotations

import bpy
import numpy as np

FOCAL_MM, SENSOR_MM = 85.0, 36.0
WIDTH, HEIGHT = 480, 320
HALF = np.array([SENSOR_MM / FOCAL_MM / 2, SENSOR_MM / FOCAL_MM / 2 * HEIGHT / WIDTH])


def at(u, v, z):
    """Turn frame fractions and a distance into camera-space points (..., 3)."""
    u, v, z = np.broadcast_arrays(np.float64(u), np.float64(v), np.float64(z))
    return np.stack([u * HALF[0] * z, v * HALF[1] * z, -z], -1)


def px(z, pixels=1.0):
    """Length in metres of some pixels at distance z."""
    return pixels * 2 * HALF[0] * z / WIDTH


def material(colour: np.ndarray, shaded: bool = False, strength: float = 1.0):
    """Emission of an image (h, w, 3), linear; `shaded` darkens what faces away from upper left."""
    mat = bpy.data.materials.new("m")
    mat.use_nodes = True
    nodes, links = mat.node_tree.nodes, mat.node_tree.links
    nodes.clear()
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = _image(colour)
    emission = nodes.new("ShaderNodeEmission")
    emission.inputs["Strength"].default_value = strength
    links.new(texture.outputs["Color"], emission.inputs["Color"])
    if shaded:
        links.new(_shade(nodes, links, strength), emission.inputs["Strength"])
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return mat


def _shade(nodes, links, strength):
    normal = nodes.new("ShaderNodeNewGeometry")
    dot = nodes.new("ShaderNodeVectorMath")
    dot.operation = "DOT_PRODUCT"
    dot.inputs[1].default_value = (-0.5, 0.7, 0.5)
    scale = nodes.new("ShaderNodeMapRange")
    scale.inputs["To Min"].default_value = 0.15 * strength
    scale.inputs["To Max"].default_value = strength
    links.new(normal.outputs["Normal"], dot.inputs[0])
    links.new(dot.outputs["Value"], scale.inputs["Value"])
    return scale.outputs["Result"]


def _image(colour):
    h, w = colour.shape[:2]
    image = bpy.data.images.new("t", w, h, float_buffer=True, is_data=True)
    rgba = np.ones((h, w, 4), np.float32)
    rgba[..., :3] = colour[::-1]
    image.pixels.foreach_set(rgba.ravel())
    return image


def mesh(vertices, faces, mat, uv=None, smooth=False):
    """Add one object; uv: (len(vertices), 2) or None for the frame position."""
    data = bpy.data.meshes.new("o")
    data.from_pydata(np.asarray(vertices, float).tolist(), [], [list(map(int, f)) for f in faces])
    uv = np.asarray(vertices)[:, :2] if uv is None else np.asarray(uv)
    corners = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", corners)
    layer = data.uv_layers.new()
    layer.data.foreach_set("uv", uv[corners].astype(np.float32).ravel())
    data.materials.append(mat)
    if smooth:
        data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    thing = bpy.data.objects.new("o", data)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def quad(corners, mat, repeat=1.0):
    """Add a four-cornered surface, textured once (or `repeat` times) across."""
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * repeat
    return mesh(corners, [[0, 1, 2, 3]], mat, uv)


def backdrop(z, mat, tilt=0.0):
    """Add a wall that fills the frame at distance z; `tilt` makes its right side nearer."""
    left, right = z * (1 + tilt), z * (1 - tilt)
    return quad(at([-1.6, 1.6, 1.6, -1.6], [-1.6, -1.6, 1.6, 1.6], [left, right, right, left]), mat)


def ground(near_z, far_z, horizon_v, mat, repeat=3.0):
    """Add a floor from the frame's lower edge at near_z to row horizon_v at far_z.

    Returns its height at a distance: y_m = floor(z_m).
    """
    slope = HALF[1] * (horizon_v * far_z + near_z) / (far_z - near_z)

    def floor(z):
        return slope * (z - near_z) - HALF[1] * near_z

    corners = []
    for z, sign in ((0.7 * near_z, -1), (0.7 * near_z, 1), (far_z, 1), (far_z, -1)):
        corners.append((sign * HALF[0] * far_z * 1.6, floor(z), -z))
    quad(corners, mat, repeat)
    return floor


def sphere(centre, radius, mat, steps=48):
    """Add a ball, smooth."""
    v, u = np.mgrid[0 : steps + 1, 0 : steps + 1] / steps
    theta, phi = v * np.pi, u * 2 * np.pi
    unit = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], -1)
    points = unit.reshape(-1, 3) * radius + centre
    index = np.arange((steps + 1) ** 2).reshape(steps + 1, -1)
    faces = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1)
    uv = np.stack([u, 1 - v], -1).reshape(-1, 2)
    return mesh(points, faces.reshape(-1, 4), mat, uv, smooth=True)


def tubes(paths, radius, mat, sides=5):
    """Add thin tubes along polylines, list of (n, 3); one radius for all or one for each."""
    radii = np.broadcast_to(radius, len(paths))
    vertices, faces, uv, base = [], [], [], 0
    ring = np.arange(sides) * 2 * np.pi / sides
    for path, r in zip(paths, radii, strict=True):
        ahead = np.gradient(path, axis=0)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        side = np.cross(ahead, [0.31, 0.17, 0.93])
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        over = np.cross(ahead, side)
        around = np.cos(ring)[:, None, None] * side + np.sin(ring)[:, None, None] * over
        points = (path + r * around).transpose(1, 0, 2)
        n = len(path)
        vertices.append(points.reshape(-1, 3))
        i = base + np.arange(n - 1)[:, None] * sides
        j, k = np.arange(sides), (np.arange(sides) + 1) % sides
        faces.append(np.stack([i + j, i + k, i + sides + k, i + sides + j], -1).reshape(-1, 4))
        tint = np.random.default_rng(base).random()
        uv.append(np.stack([np.full(n * sides, tint), np.repeat(np.arange(n) / n, sides)], -1))
        base += n * sides
    return mesh(np.concatenate(vertices), np.concatenate(faces), mat, np.concatenate(uv))


def leaf_cloud(rng, centres, size, mat):
    """Add folded leaves at points (n, 3) with random sizes and directions."""
    t = np.linspace(0, 1, 6)
    width = 0.35 * np.sin(np.pi * t**0.8)
    vertices, faces, uv = [], [], []
    for n, centre in enumerate(centres):
        axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        length = size * rng.uniform(0.5, 1.2)
        rows = []
        for s in (-1, 0, 1):
            flat = np.stack([t - 0.5, s * width, 0.2 * abs(s) * width], -1) * length
            rows.append(flat @ axes + centre)
        vertices.append(np.stack(rows, 1).reshape(-1, 3))
        i = n * 18 + np.arange(5)[:, None] * 3 + np.arange(2)
        faces.append(np.stack([i, i + 1, i + 4, i + 3], -1).reshape(-1, 4))
        offset = rng.random(2)
        uv.append(offset + 0.1 * np.stack([np.repeat(t, 3), np.tile([-1, 0, 1], 6)], -1))
    return mesh(np.concatenate(vertices), np.concatenate(faces), mat, np.concatenate(uv))


def hair(rng, root, count, length, spread=np.pi, steps=16):
    """Draw strands from a root: list of (steps, 3)."""
    t = np.linspace(0, 1, steps)[:, None]
    paths = []
    for _ in range(count):
        angle = rng.uniform(-spread, spread)
        way = np.array([np.sin(angle), np.cos(angle), rng.normal(0, 0.5)])
        way *= length * rng.uniform(0.4, 1) / np.linalg.norm(way)
        bend = rng.normal(0, 0.3, 3) * length
        start = root + rng.normal(0, 0.07, 3) * length
        sag = np.array([0, -0.3 * length, 0]) * t**2
        paths.append(start + way * t + bend * t * (1 - t) + sag)
    return paths


def disc_light(centre, radius, strength, tint):
    """Add a small disc that faces the camera; returns what the light tracer needs."""
    ring = np.arange(24) * 2 * np.pi / 24
    rim = centre + radius * np.stack([np.cos(ring), np.sin(ring), 0 * ring], -1)
    colour = np.asarray(tint, np.float32)
    mat = material(colour[None, None], strength=strength)
    thing = mesh(rim, [list(range(24))], mat)
    return {"thing": thing, "centre": centre, "radius": radius, "linear": colour * strength}
