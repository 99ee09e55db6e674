"""Rendered samples with exact truth: video with moving things, single views, stereo pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pullfocus.lab.data.samples import Clip, LabelledView, StereoPair
from pullfocus.lab.scenes.furniture import Shop
from pullfocus.lab.scenes.parts import Camera, Part, Scene, view_matrix
from pullfocus.lab.scenes.studio import (
    first_taken,
    focal_px,
    intrinsics,
    renderer,
    shows_depth,
    studio_stack,
    vertical_fov_deg,
)

FRAMES_PER_SECOND = 10.0
PLACES = ("road", "street")
SMALLEST_SHARE, LARGEST_SHARE = 0.01, 0.4
"""Share of the first frame that moving things may take."""
_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenGL's camera axes (x right, y up, z back) to those of `Clip` (x right, y down, z forward)."""


@dataclass(frozen=True)
class Mover:
    """Parts ``first`` up to ``last`` of a scene, and how far they go in the world each frame."""

    first: int
    last: int
    step_m: np.ndarray


@dataclass(frozen=True)
class Drive:
    """How the camera goes each frame: metres forward and to the right, degrees of yaw and pitch."""

    forward_m: float
    yaw_deg: float
    pitch_deg: float
    drift_m: float = 0.0

    def camera(self, start: Camera, frame: int) -> Camera:
        """Return the camera at a frame; it moves over level ground."""
        x, y, z = start.position
        yaw = start.yaw_deg
        for _ in range(frame):
            sine, cosine = np.sin(np.deg2rad(yaw)), np.cos(np.deg2rad(yaw))
            x += self.drift_m * cosine - self.forward_m * sine
            z -= self.drift_m * sine + self.forward_m * cosine
            yaw += self.yaw_deg
        pitch = start.pitch_deg + frame * self.pitch_deg
        return replace(start, position=(float(x), y, float(z)), yaw_deg=yaw, pitch_deg=pitch)


def clip(seed: int, hw: tuple[int, int], count: int) -> Clip:
    """Return ``count`` frames h w of a seed with exact depth, poses, motion and masks.

    Raises:
        MissingModelError: the machine cannot render.
    """

    def shoot(rng: np.random.Generator, kind: str, scene: Scene) -> Clip | None:
        start = replace(scene.camera, vertical_fov_deg=vertical_fov_deg(hw), roll_deg=0.0)
        drive = Drive(float(rng.uniform(0.15, 0.5)), *rng.normal(0, [0.5, 0.1]).tolist())
        moving, movers = _with_movers(replace(scene, camera=start), rng)
        return film(f"{kind}-{seed}", moving, movers, drive, hw, count)

    return first_taken(seed, PLACES, shoot)


def film(
    name: str, scene: Scene, movers: list[Mover], drive: Drive, hw: tuple[int, int], count: int
) -> Clip | None:
    """Return a clip of a scene, or None where a frame is blocked or what moves is out of sight."""
    draw = renderer(hw)
    seen: list[tuple[np.ndarray, ...]] = []
    for still in _frames(scene, movers, drive, count):
        rgb, disparity = draw(still)
        step = _steps(draw.surfaces().part, movers)
        moving = (step != 0).any(-1)
        in_sight = seen or SMALLEST_SHARE < moving.mean() < LARGEST_SHARE
        if not (shows_depth(disparity, 0.8) and in_sight):
            return None
        world_to_camera = _FLIP @ view_matrix(still.camera)
        with np.errstate(divide="ignore"):
            depth_m = 1 / disparity
        motion_m = (step @ world_to_camera[:3, :3].T).astype(np.float32)
        seen.append((rgb, np.linalg.inv(world_to_camera), depth_m, moving, motion_m))
    frames, *truth = (np.stack(arrays) for arrays in zip(*seen, strict=True))
    return Clip(name, frames, np.arange(count) / FRAMES_PER_SECOND, intrinsics(hw), *truth)


def _with_movers(scene: Scene, rng: np.random.Generator) -> tuple[Scene, list[Mover]]:
    """Add one to three cars, trucks, people or piles in front of the camera, with their steps."""
    shop = Shop(studio_stack(), rng)
    shop.parts = list(scene.parts)
    movers = []
    for _ in range(rng.integers(1, 4)):
        first = len(shop.parts)
        z = -float(rng.uniform(5, 14))
        at = (float(rng.uniform(-0.45, 0.45) * z), 0.0, z)
        maker = rng.choice(["car", "car", "truck", "person", "pile"])
        if maker == "person":
            shop.cutout("person", at, float(rng.uniform(1.5, 1.9)))
        elif maker == "pile":
            shop.pile(at, 0.0)
        else:
            {"car": shop.car, "truck": shop.truck}[str(maker)](at)
        heading = rng.uniform(0, 2 * np.pi)
        speed = rng.uniform(0.15, 0.5)
        step = speed * np.array([np.sin(heading), 0.0, np.cos(heading)])
        movers.append(Mover(first, len(shop.parts), step))
    return replace(scene, parts=shop.parts), movers


def _frames(scene: Scene, movers: list[Mover], drive: Drive, count: int) -> Iterator[Scene]:
    for frame in range(count):
        parts = list(scene.parts)
        for mover in movers:
            for n in range(mover.first, mover.last):
                parts[n] = _moved(parts[n], frame * mover.step_m)
        yield replace(scene, parts=parts, camera=drive.camera(scene.camera, frame))


def _moved(part: Part, by_m: np.ndarray) -> Part:
    matrix = part.matrix.copy()
    matrix[:3, 3] += by_m
    return replace(part, matrix=matrix)


def _steps(part: np.ndarray, movers: list[Mover]) -> np.ndarray:
    """Return the world step h w 3 of what is seen at every pixel."""
    steps = np.zeros((*part.shape, 3))
    for mover in movers:
        steps[(part >= mover.first) & (part < mover.last)] = mover.step_m
    return steps


VIEW_PLACES = ("room", "crowd", "portrait", "street")


def labelled_view(
    seed: int, hw: tuple[int, int], kinds: tuple[str, ...] = VIEW_PLACES
) -> LabelledView:
    """Return the view of a seed, h w, with disparity, normals, parts and the mask of people.

    Raises:
        MissingModelError: the machine cannot render.
    """
    draw = renderer(hw)

    def shoot(_rng: np.random.Generator, kind: str, scene: Scene) -> LabelledView | None:
        rgb, disparity = draw(scene)
        if not shows_depth(disparity, 0.3):
            return None
        seen = draw.surfaces()
        person = person_parts(scene)[seen.part] & (seen.part >= 0)
        return LabelledView(f"{kind}-{seed}", rgb, disparity, seen.normal, person, seen.part)

    return first_taken(seed, kinds, shoot)


def person_parts(scene: Scene) -> np.ndarray:
    """Return for each part whether it is a person of the studio's stack."""
    layers = np.array([part.layer for part in scene.parts])
    return np.isin(layers, studio_stack().kinds["person"])


BASELINE_M = 0.54
"""Between the two cameras: KITTI's."""
NEAREST_M = 2.2
"""Nothing stands closer, so that disparity stays below 0.15 of the width (networks reach 0.3)."""
PAIR_PLACES = ("road", "street")


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

    return first_taken(seed, PAIR_PLACES, shoot)
