"""The shape of a point of light out of focus: aperture kernels for any radius and lens.

Used by `render/layered` (one kernel per band of blur) and by the tests of the browser's shader.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32

from pullfocus.types import Lens

_SUPERSAMPLING = ((4.0, 32), (24.0, 8), (math.inf, 2))  # below a radius, so many samples a side
_BAND_ROWS = 64  # drawn at a time: a lamp's disc across the picture would need gigabytes at once


def aperture_kernel(
    radius_px: float,
    lens: Lens,
    vignette_xy: tuple[float, float] = (0.0, 0.0),
    flipped: bool = False,
) -> Float32[np.ndarray, "k k"]:
    """Draw the aperture at a blur radius; the weights sum to 1.

    Args:
        radius_px: distance from the centre to the farthest point of the aperture's image.
        lens: blades, rotation, roundness, squeeze, ring and edge softness are read.
        vignette_xy: shift of the second pupil, in aperture radii, that cuts a cat's eye.
        flipped: turn by 180 degrees, as the near side of the focus does.

    Returns:
        float32 (k, k), k = 2 * ceil(radius + 1/2) + 1, area-sampled 8 x 8 per pixel
        (32 x 32 below 4 px, 2 x 2 from 24 px on).

    Convention: gathering weights: output(p) = sum kernel[dy, dx] * source(p + (dx, dy)).
    """
    half = math.ceil(radius_px + 0.5)
    size = 2 * half + 1
    if radius_px < 0.25:
        delta = np.zeros((size, size), np.float32)
        delta[half, half] = 1.0
        return delta
    steps = next(steps for below, steps in _SUPERSAMPLING if radius_px < below)
    axis = ((np.arange(size * steps) + 0.5) / steps - half - 0.5) / radius_px
    axis = -axis if flipped else axis
    kernel = np.empty((size, size))
    for top in range(0, size, _BAND_ROWS):
        y = axis[top * steps : (top + _BAND_ROWS) * steps, None]
        density = aperture_density(axis[None], y, lens, vignette_xy)
        parts = density.reshape(len(y) // steps, steps, size, steps)
        kernel[top : top + _BAND_ROWS] = parts.mean(axis=(1, 3))
    total = float(kernel.sum())
    if total <= 0:
        kernel[half, half] = total = 1.0
    return (kernel / total).astype(np.float32)


def aperture_density(
    x: np.ndarray, y: np.ndarray, lens: Lens, vignette_xy: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Evaluate the brightness of the aperture's image at points in units of its radius.

    Straight blades are chords between points on the circle; `roundness` bends them to arcs.
    Edge softness s > 0 weights by (1 - rho^2)^(1.5 s) (under-corrected, creamy), s < 0 adds a
    bright rim 1 + 2 |s| rho^8 (over-corrected, "soap bubbles").

    Source: Nasse, "Depth of field and bokeh" (Zeiss, 2010), for shapes and rims.
    """
    squeeze = lens.squeeze
    u, v = (x * squeeze, y) if squeeze >= 1 else (x, y / squeeze)
    rho2 = u * u + v * v
    inside = rho2 <= 1.0
    if lens.blades:
        inside &= np.sqrt(rho2) <= _blade_radius(np.arctan2(v, u), lens)
    if lens.ring > 0:
        inside &= rho2 >= lens.ring**2
    shift_x, shift_y = vignette_xy
    if shift_x or shift_y:
        inside &= (u - shift_x) ** 2 + (v - shift_y) ** 2 <= 1.0
    return np.where(inside, _rim_profile(np.minimum(rho2, 1.0), lens.edge_softness), 0.0)


def _blade_radius(angle: np.ndarray, lens: Lens) -> np.ndarray:
    sector = 2 * math.pi / lens.blades
    turned = np.mod(angle - math.radians(lens.rotation_deg) + math.pi / 2, sector) - sector / 2
    chord = math.cos(sector / 2) / np.cos(turned)
    return chord + (1.0 - chord) * lens.roundness


def _rim_profile(rho2: np.ndarray, softness: float) -> np.ndarray:
    if softness >= 0:
        return (1.0 - 0.98 * rho2) ** (1.5 * softness)
    return 1.0 - 2.0 * softness * rho2**4
