"""Where single scenes are shot: one texture stack a process, one renderer a picture size."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

import numpy as np

from pullfocus.errors import MissingModelError, PullfocusError
from pullfocus.lab.scenes.figures import with_figures
from pullfocus.lab.scenes.generate import draw_layout, is_telling
from pullfocus.lab.scenes.parts import Scene
from pullfocus.lab.scenes.render import Renderer
from pullfocus.lab.scenes.textures import Stack, build_stack

T = TypeVar("T")

FOCAL_SHARE = 0.58
"""Focal length / picture width of stereo rigs and clips: KITTI's (721.5 px of 1242 px)."""
_SEED = 11
_TRIES = 64


@lru_cache(maxsize=1)
def studio_stack() -> Stack:
    """Return the procedural textures, drawn people among them: no photo, the same everywhere."""
    return with_figures(build_stack(None, None, _SEED), _SEED)


def renderer(hw: tuple[int, int]) -> Renderer:
    """Return this process's renderer of pictures h w, with normals and parts.

    Raises:
        MissingModelError: the machine has no EGL driver, or moderngl is not installed.
    """
    return _renderer(hw, os.getpid())  # a context does not survive a fork


@lru_cache(maxsize=4)
def _renderer(hw: tuple[int, int], _process: int) -> Renderer:
    stack = studio_stack()
    try:
        return Renderer(stack.rgba, hw, with_surfaces=True)
    except Exception as error:  # noqa: BLE001 - moderngl raises bare Exception without a driver
        raise MissingModelError(
            f"Scenes cannot be rendered on this machine ({error}); install moderngl and an EGL "
            "driver (Debian: libegl1, libgl1-mesa-dri)."
        ) from None


def focal_px(hw: tuple[int, int]) -> float:
    """Return the focal length of clips and stereo rigs at a picture size."""
    return FOCAL_SHARE * hw[1]


def vertical_fov_deg(hw: tuple[int, int]) -> float:
    """Return the vertical field of view that belongs to `focal_px`."""
    return float(np.rad2deg(2 * np.arctan(hw[0] / 2 / focal_px(hw))))


def intrinsics(hw: tuple[int, int]) -> np.ndarray:
    """Return 3x3 intrinsics in pixels of clips, pixel centres at +0.5."""
    focal = focal_px(hw)
    return np.array([[focal, 0, hw[1] / 2], [0, focal, hw[0] / 2], [0, 0, 1]])


def first_taken(
    seed: int, kinds: tuple[str, ...], shoot: Callable[[np.random.Generator, str, Scene], T | None]
) -> T:
    """Return the first shot that is taken of the places of a seed; ``shoot`` refuses with None.

    Raises:
        PullfocusError: ``_TRIES`` of them were refused, which no seed has been seen to do.
    """
    for attempt in range(_TRIES):
        rng = np.random.default_rng((seed, attempt))
        kind = str(rng.choice(kinds))
        _, scene = draw_layout(studio_stack(), int(rng.integers(2**40)), kind)
        taken = shoot(rng, kind, scene)
        if taken is not None:
            return taken
    raise PullfocusError(
        f"Seed {seed} gave no telling view of {', '.join(kinds)} in {_TRIES} tries; take another."
    )


def shows_depth(disparity: np.ndarray, nearest_m: float = 1.0) -> bool:
    """Tell whether a view is telling and nothing stands closer than ``nearest_m``."""
    return is_telling(disparity) and float(disparity.max()) < 1 / nearest_m
