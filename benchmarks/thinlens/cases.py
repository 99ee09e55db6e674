"""Load what the renderers are scored on: layered scenes ("planes") and Blender scenes ("scenes").

Blender scenes lie in data/NAME.npz, packed small: pictures as 16-bit PNG of sRGB-encoded values
(extended above 1) times CODES_PER_UNIT, disparity as float32. Packing costs less than 70 dB shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pullfocus.types import linear_to_srgb, srgb_to_linear

PLANES_DIR = Path("/tmp/thinlens/planes")
SCENES_DIR = Path(__file__).resolve().parent / "data"
CODES_PER_UNIT = 1023.0  # of a linear value 1; 16 bits reach an encoded 64


@dataclass(frozen=True)
class Case:
    """One picture to render, and what the lens would have seen.

    half: "dev" or "held-out"; family: "planes K12", "planes K32" or "scenes".
    linear, truth: float32 (h, w, 3), linear light, HDR; disparity: float32 (h, w).
    """

    name: str
    half: str
    family: str
    linear: np.ndarray
    truth: np.ndarray
    disparity: np.ndarray
    focus: float
    gain_px: float

    @property
    def radius_px(self) -> np.ndarray:
        """Signed blur radius, positive = nearer than the focus, float32 (h, w)."""
        return (self.gain_px * (self.disparity - self.focus)).astype(np.float32)


def pack(linear: np.ndarray) -> np.ndarray:
    """Compress a linear picture to PNG bytes (uint8 array)."""
    code = np.clip(linear_to_srgb(np.maximum(linear, 0)) * CODES_PER_UNIT + 0.5, 0, 65535)
    return cv2.imencode(".png", code.astype(np.uint16), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]


def unpack(png: np.ndarray) -> np.ndarray:
    """Undo `pack`; float32 linear."""
    return srgb_to_linear(cv2.imdecode(png, cv2.IMREAD_UNCHANGED) / np.float32(CODES_PER_UNIT))


def plane_cases(only: str = "") -> Iterator[Case]:
    """Yield the layered scenes whose name contains `only`."""
    for path in sorted(PLANES_DIR.glob("*.npz")):
        if only in path.stem:
            z = np.load(path)
            half = "dev" if path.stem.startswith("d-") else "held-out"
            yield Case(
                path.stem,
                half,
                f"planes K{int(z['gain_px'])}",
                z["linear"],
                z["truth"],
                z["disparity"],
                float(z["focus_disparity"]),
                float(z["gain_px"]),
            )


def scene_cases(only: str = "") -> Iterator[Case]:
    """Yield the Blender scenes, three focus distances each."""
    for path in sorted(SCENES_DIR.glob("*.npz")):
        if path.stem == "one-light":  # for a test, see check_light.py
            continue
        z = np.load(path)
        linear = unpack(z["linear"])
        for n, (focus, gain) in enumerate(zip(z["focus"], z["gain_px"], strict=True)):
            name = f"{path.stem}-{('far', 'mid', 'near')[n]}-r{round(float(z['reach_px'][n]))}"
            if only in name:
                yield Case(
                    name,
                    str(z["half"]),
                    "scenes",
                    linear,
                    unpack(z[f"truth{n}"]),
                    z["disparity"],
                    float(focus),
                    float(gain),
                )
