"""Rendered scenes by seed: packs to train on, and frames of other seeds that only measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.lab.data.pack import Item
from pullfocus.lab.data.truth import Frame
from pullfocus.lab.scenes.furniture import Shop
from pullfocus.lab.scenes.layouts import LAYOUTS
from pullfocus.lab.scenes.parts import Scene
from pullfocus.lab.scenes.render import Renderer
from pullfocus.lab.scenes.textures import Stack, build_stack


def draw_layout(stack: Stack, seed: int, only: str | None = None) -> tuple[str, Scene]:
    """Return the kind of place and the scene of a seed; the same for the same stack and seed.

    Args:
        stack: textures.
        seed: decides all.
        only: this kind of place rather than a drawn one.
    """
    rng = np.random.default_rng(seed)
    names = list(LAYOUTS)
    share = np.array([LAYOUTS[name][1] for name in names])
    name = only or names[rng.choice(len(names), p=share / share.sum())]
    return name, LAYOUTS[name][0](Shop(stack, rng))


def is_telling(disparity: np.ndarray) -> bool:
    """Tell whether a view shows depth: not blocked at the lens, not flat, not all sky."""
    seen = disparity > 0
    if seen.mean() < 0.3 or disparity.max() > 8:
        return False
    low, high = np.percentile(disparity[seen], [5, 95])
    return bool(high > 1.3 * low)


def with_lens(rgb: np.ndarray, disparity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture, now and then with a shallow depth of field as a cue (8-bit blend)."""
    if rng.random() > 0.25:
        return rgb
    focus = np.percentile(disparity, rng.uniform(40, 98))
    spread = np.percentile(disparity, 98) + 1e-3
    radius = np.abs(disparity - focus) / spread * rng.uniform(2, 6)
    out = rgb.astype(np.float32)
    for sigma in (1.0, 2.0, 4.0):
        soft = cv2.GaussianBlur(rgb, (0, 0), sigma).astype(np.float32)
        share = np.clip(radius / sigma - 0.5, 0, 1)[..., None]
        out = out * (1 - share) + soft * share
    return out.astype(np.uint8)


def scenes(
    stack: Stack, first_seed: int, count: int, hw: tuple[int, int], only: str | None = None
) -> Iterator[Item]:
    """Yield rendered pictures h w with disparity at half size (1/m, nearest sample)."""
    renderer = Renderer(stack.rgba, hw)
    made, seed = 0, first_seed
    while made < count:
        name, scene = draw_layout(stack, seed, only)
        rgb, disparity = renderer(scene)
        seed += 1
        if not is_telling(disparity):
            continue
        rgb = with_lens(rgb, disparity, np.random.default_rng(seed))
        made += 1
        yield Item(f"{name}-{seed - 1}", f"scene/{name}", rgb, disparity[::2, ::2])


FIRST_SEED = 50_000_000
COUNT = 40
FAR_M = 100.0
"""Farther than this (the sky too) is not scored."""


def rendered(_: Path) -> Iterator[Frame]:
    """Yield test scenes of procedural textures, 240x320; nothing on machines without EGL."""
    try:
        items = list(scenes(build_stack(None, None, 7), FIRST_SEED, COUNT, (240, 320)))
    except Exception:  # noqa: BLE001 - moderngl raises bare Exception without a driver
        return
    for item in items:
        disparity = item.disparity.astype(np.float32)
        rgb = cv2.resize(item.rgb, disparity.shape[::-1], interpolation=cv2.INTER_AREA)
        depth = 1 / np.maximum(disparity, 1e-4)
        yield Frame(item.name, rgb, depth, disparity > 1 / FAR_M, FAR_M)
