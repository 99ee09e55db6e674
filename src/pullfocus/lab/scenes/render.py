"""Draw a scene on the CPU or GPU (moderngl over EGL): picture and exact disparity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from pullfocus.lab.scenes.parts import Part, Scene, Shape, projection_matrix, view_matrix
from pullfocus.lab.scenes.shaders import FRAGMENT, VERTEX


def _faces(corners: np.ndarray) -> np.ndarray:
    """Return 6 vertices (x y z u v) for each quad of q 4 5."""
    return corners[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 5)


def _grid(across: int, up: int) -> np.ndarray:
    """Return the unit square as quads: q 4 2 in 0..1, counter-clockwise."""
    u, v = np.meshgrid(np.arange(across), np.arange(up), indexing="ij")
    cell = np.stack([u.ravel(), v.ravel()], 1)[:, None]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    return (cell + corners[None]) / np.array([across, up])


@cache
def mesh(shape: Shape) -> np.ndarray:
    """Return the vertices of a unit solid: n 5 float32 (x y z u v), triangles."""
    if shape == "box":
        square = _grid(1, 1)[0] - 0.5
        sides = []
        for axis in range(3):
            for sign in (-1, 1):
                corner = np.zeros((4, 5))
                a, b = [(2, 1), (0, 2), (0, 1)][axis]
                corner[:, axis] = sign * 0.5
                corner[:, a], corner[:, b] = square[:, 0], square[:, 1]
                corner[:, 3:] = square + 0.5
                sides.append(corner)
        return _faces(np.array(sides)).astype(np.float32)
    if shape == "card":
        square = _grid(1, 1)
        flat = np.concatenate([square - [0.5, 0], np.zeros((1, 4, 1)), square], 2)
        return _faces(flat).astype(np.float32)
    if shape == "land":
        square = _grid(96, 96)
        x, z = square[..., 0] - 0.5, square[..., 1] - 0.5
        return _faces(np.stack([x, 0 * x, -z, *np.moveaxis(square, 2, 0)], 2)).astype(np.float32)
    across, up = (18, 10) if shape == "ball" else (14, 1)
    square = _grid(across, up)
    angle = square[..., 0] * 2 * np.pi
    height = square[..., 1] - 0.5
    radius = np.full_like(height, 0.5)
    if shape == "ball":
        radius, height = 0.5 * np.cos(height * np.pi), 0.5 * np.sin(height * np.pi)
    x, z = radius * np.cos(angle), -radius * np.sin(angle)
    body = _faces(np.stack([x, height, z, *np.moveaxis(square, 2, 0)], 2))
    if shape == "pole":
        top = np.stack([x, 0 * x + 0.5, z, x + 0.5, z + 0.5], 2)[:, [0, 1]]
        centre = np.array([0, 0.5, 0, 0.5, 0.5])
        lid = np.concatenate([top, np.broadcast_to(centre, (len(top), 1, 5))], 1)
        body = np.concatenate([body, lid.reshape(-1, 5)])
    return body.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Surfaces:
    """What is seen at every pixel of the picture drawn last.

    Attributes:
        normal: h w 3 float32 in camera axes (x right, y down, z forward), towards the camera;
            0 = sky.
        part: h w int32, index into the scene's parts; -1 = sky.
    """

    normal: np.ndarray
    part: np.ndarray


class Renderer:
    """A drawing context that holds the texture stack.

    Args:
        stack: n s s 4 uint8 RGBA textures (n <= 2048 on most drivers).
        hw: picture size.
        with_surfaces: also draw normals and parts, for `surfaces`.

    Raises:
        Exception: moderngl's own, when no EGL driver is installed
            (Debian: libegl1, libgl1-mesa-dri).
    """

    def __init__(
        self, stack: np.ndarray, hw: tuple[int, int] = (240, 320), *, with_surfaces: bool = False
    ) -> None:
        import moderngl

        self.hw = hw
        self._gl = moderngl.create_context(  # backend: moderngl's stubs are wrong
            standalone=True,
            backend="egl",  # type: ignore[arg-type]
        )
        self._gl.enable(moderngl.DEPTH_TEST)
        self._program = self._gl.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
        n, side = stack.shape[:2]
        self._stack = self._gl.texture_array((side, side, n), 4, stack[:, ::-1].tobytes())
        self._stack.build_mipmaps()
        self._stack.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        size = (hw[1], hw[0])
        self._targets = [self._gl.texture(size, 4), self._gl.texture(size, 1, dtype="f4")]
        if with_surfaces:
            self._targets.append(self._gl.texture(size, 4, dtype="f4"))
        depth = self._gl.depth_renderbuffer(size)
        self._screen = self._gl.framebuffer(self._targets, depth)
        shapes: tuple[Shape, ...] = ("box", "ball", "pole", "card", "land")
        self._solids = {s: self._gl.buffer(mesh(s).tobytes()) for s in shapes}

    def __call__(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """Return rgb h w 3 uint8 and disparity h w float32 in 1/m (0 = sky)."""
        h, w = self.hw
        with self._gl:  # another renderer of this process may have drawn last
            self._screen.use()
            self._screen.clear(0.0, 0.0, 0.0, 0.0)
            self._set_uniforms(scene, w / h)
            self._stack.use(0)
            for shape in self._solids:
                numbered = [(n, p) for n, p in enumerate(scene.parts, 1) if p.shape == shape]
                if numbered:
                    self._draw(shape, numbered)
            rgba = self._read(0, np.uint8)
            disparity = self._read(1, np.float32)[..., 0]
        zenith, horizon = scene.sky
        blend = np.linspace(0, 1, h)[:, None, None] ** 0.7
        sky = np.clip(zenith * (1 - blend) + horizon * blend, 0, 1) * 255
        solid = rgba[..., 3:] > 0
        rgb = np.where(solid, rgba[..., :3], sky.astype(np.uint8))
        return rgb, np.where(solid[..., 0], disparity, 0).astype(np.float32)

    def surfaces(self) -> Surfaces:
        """Return normals and parts of the scene drawn last (``with_surfaces`` only)."""
        with self._gl:
            seen = self._read(2, np.float32)
        normal = np.where(seen[..., 3:] > 0, seen[..., :3], 0) * np.array([1, -1, -1], np.float32)
        return Surfaces(normal, seen[..., 3].astype(np.int32) - 1)

    def _read(self, target: int, dtype: type) -> np.ndarray:
        flat: np.ndarray = np.frombuffer(self._targets[target].read(), dtype)
        return flat.reshape(*self.hw, -1)[::-1]

    def _set_uniforms(self, scene: Scene, aspect: float) -> None:
        program: Any = self._program
        projection = projection_matrix(scene.camera.vertical_fov_deg, aspect)
        program["view"].write(view_matrix(scene.camera).T.astype(np.float32).tobytes())
        program["projection"].write(projection.T.astype(np.float32).tobytes())
        program["hills"] = scene.hills
        program["light"] = tuple(scene.light / np.linalg.norm(scene.light))
        program["ambient"], program["haze"] = scene.ambient, scene.haze
        program["haze_colour"] = tuple(scene.sky[1])

    def _draw(self, shape: Shape, numbered: list[tuple[int, Part]]) -> None:
        rows = np.zeros((len(numbered), 23), np.float32)
        for row, (number, part) in zip(rows, numbered, strict=True):
            row[:16] = part.matrix.T.ravel()
            row[16:20] = part.layer, part.repeat, shape == "land", number
            row[20:] = part.tint
        instances = self._gl.buffer(rows.tobytes())
        array = self._gl.vertex_array(
            self._program,
            [
                (self._solids[shape], "3f 2f", "position", "uv"),
                (instances, "16f 4f 3f/i", "model", "look", "tint"),
            ],
        )
        array.render(instances=len(numbered))
        array.release()
        instances.release()
