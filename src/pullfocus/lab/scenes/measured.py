"""Rendered scenes that only measure: seeds and textures that training never uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.lab.data.truth import Frame
from pullfocus.lab.scenes.generate import scenes
from pullfocus.lab.scenes.textures import build_stack

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
