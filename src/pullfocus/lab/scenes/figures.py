"""Drawn people for scenes that have no photos to cut people out of: cut-outs with their masks."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from pullfocus.lab.scenes.textures import SIDE, Stack, octave_noise

ASPECT = 0.45
"""Width / height at which a figure is shown."""


def figure(rng: np.random.Generator) -> np.ndarray:
    """Return one standing person SIDE SIDE 4 uint8: head, hair, clothes, limbs on nothing."""
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    skin, hair, top, legs = _colours(rng)
    middle = SIDE // 2 + int(rng.integers(-8, 9))
    hip, shoulder = int(SIDE * rng.uniform(0.5, 0.58)), int(SIDE * 0.2)
    half = int(SIDE * rng.uniform(0.2, 0.3))
    for side in (-1, 1):
        foot = (middle + side * int(rng.integers(12, 42)), SIDE - 2)
        _limb(canvas, mask, (middle + side * half // 2, hip), foot, 26, legs)
        hand = (
            middle + side * int(half * rng.uniform(1.0, 1.7)),
            int(SIDE * rng.uniform(0.3, 0.55)),
        )
        _limb(canvas, mask, (middle + side * half, shoulder + 8), hand, 16, top)
        _disc(canvas, mask, hand, (7, 6), skin)
    _disc(canvas, mask, (middle, (hip + shoulder) // 2), (half, (hip - shoulder) // 2 + 8), top)
    _disc(canvas, mask, (middle, 13), (18, 13), hair)
    _disc(canvas, mask, (middle, 18), (15, 13), skin)
    shade = 0.7 + 0.5 * octave_noise(rng, first=6)[..., None]
    return np.dstack([np.clip(canvas * shade, 0, 255).astype(np.uint8), mask])


def with_figures(stack: Stack, seed: int, count: int = 40) -> Stack:
    """Return the stack with ``count`` drawn people as its kind "person"; the rest stays."""
    rng = np.random.default_rng(seed)
    people = np.stack([figure(rng) for _ in range(count)])
    layers = len(stack.rgba) + np.arange(count)
    return replace(
        stack,
        rgba=np.concatenate([stack.rgba, people]),
        kinds=stack.kinds | {"person": layers},
        aspect=np.concatenate([stack.aspect, np.full(count, ASPECT)]),
    )


def _colours(rng: np.random.Generator) -> list[tuple[int, ...]]:
    tone = rng.uniform(0.3, 1.0)
    skin = np.array([235, 190, 160]) * tone
    hair = np.array([60, 45, 30]) * rng.uniform(0.3, 2.5)
    cloth = rng.uniform(15, 240, (2, 3))
    return [tuple(int(v) for v in np.clip(c, 0, 255)) for c in (skin, hair, *cloth)]


def _limb(
    canvas: np.ndarray,
    mask: np.ndarray,
    start: tuple[int, int],
    end: tuple[int, int],
    thick: int,
    colour: tuple[int, ...],
) -> None:
    cv2.line(canvas, start, end, colour, thick)
    cv2.line(mask, start, end, 255, thick)


def _disc(
    canvas: np.ndarray,
    mask: np.ndarray,
    at: tuple[int, int],
    radii: tuple[int, int],
    colour: tuple[int, ...],
) -> None:
    cv2.ellipse(canvas, at, radii, 0, 0, 360, colour, -1)
    cv2.ellipse(mask, at, radii, 0, 0, 360, 255, -1)
