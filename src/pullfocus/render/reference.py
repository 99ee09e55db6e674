"""The oracle of the render room: rays from every pixel through many points of the lens.

Slow, float64 and obvious; tests compare `fast` with it, nobody else imports it.

A point of the scene with signed blur radius r (positive = nearer than the focus) that the pinhole
sees at q is seen at p = q + r * u from the point u of the unit lens. So the ray that belongs to
pixel p and lens point u passes, at the depth where the radius is r, over the place

    q(r) = p - r * u

of the picture. We follow it from the nearest depth to the farthest and take the first surface it
meets: the visible one, or, once it has slipped behind an edge, the hidden one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped

from pullfocus.errors import UsageError

STEP_PX = 0.25  # how far q moves between two looks
EDGE_JUMP_PX = 1.0  # neighbours whose radii differ by more are not one surface


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What lies in one direction of every pixel.

    linear: (h, w, 3) linear light. radius_px: (h, w) signed blur radius, positive = nearer than
    the focus; NaN where there is no surface.
    """

    linear: Shaped[np.ndarray, "h w 3"]
    radius_px: Shaped[np.ndarray, "h w"]


def round_lens_points(count: int) -> Float64[np.ndarray, "count 2"]:
    """Spread points (x, y) evenly over the unit disc.

    Source: Vogel 1979, A better way to construct the sunflower head.
    """
    i = np.arange(count)
    radius, angle = np.sqrt((i + 0.5) / count), i * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def pixel_points(count: int) -> Float64[np.ndarray, "count 2"]:
    """Spread points (x, y) evenly over the unit square, independently of the lens points.

    Source: Roberts 2018, the R2 low-discrepancy sequence (plastic number 1.3247).
    """
    plastic = 1.32471795724474602596
    steps = np.arange(1, count + 1)[:, None] * np.array([1 / plastic, 1 / plastic**2])
    return (0.5 + steps) % 1


def render_reference(
    visible: Surface,
    hidden: Surface | None = None,
    lens_points: Shaped[np.ndarray, "n 2"] | None = None,
) -> Float64[np.ndarray, "h w 3"]:
    """Average what every pixel sees through the points of the lens.

    Args:
        visible: the picture and the signed radius of its pixels; each pixel is a small square.
        hidden: what continues behind the visible surface, never nearer than it. Without it, rays
            that end in what the picture does not show are left out of the average.
        lens_points: places on the aperture, in units of its radius; 256 on a round one by default.

    Returns:
        (h, w, 3) linear light, float64. Beyond the border the picture's rim goes on.

    Raises:
        UsageError: shapes that do not match, or a visible surface with holes.

    Convention: (row, column) arrays; lens points and pixel offsets are (x, y).
    """
    _check(visible, hidden)
    points = round_lens_points(256) if lens_points is None else np.asarray(lens_points, float)
    offsets = pixel_points(len(points)) - 0.5
    light = np.zeros((*visible.radius_px.shape, 3))
    rays = np.zeros(visible.radius_px.shape)
    for point, offset in zip(points, offsets, strict=True):
        seen, met = look_through(visible, hidden, point, offset)
        light += seen
        rays += met
    own = np.asarray(visible.linear, float)
    return np.where(rays[..., None] > 0, light / np.maximum(rays, 1)[..., None], own)


def look_through(visible, hidden, point, offset):
    """Follow one ray a pixel; return (linear light met or 0, whether anything was met)."""
    h, w = visible.radius_px.shape
    row, column = np.mgrid[:h, :w] + 0.5
    x, y = column + offset[0], row + offset[1]
    found = np.zeros((h, w, 3))
    open_rays = np.ones((h, w), bool)
    before = None  # the visible surface under the ray one look ago
    in_front = np.ones((h, w), bool)  # was the ray nearer than it?
    for r in _depths(visible, hidden, float(np.hypot(*point))):
        i, j = _under(x, y, r, point)
        surface = visible.radius_px[i, j]
        reached = surface >= r
        i_there, j_there = _under(x, y, surface, point)
        through_this_square = (i_there == i) & (j_there == j)
        same = before is not None and np.abs(surface - before) <= EDGE_JUMP_PX
        hit = open_rays & reached & (through_this_square | (in_front & same))
        found[hit] = visible.linear[i, j][hit]
        open_rays &= ~hit
        if hidden is not None:
            # behind the visible surface: NaN compares false, so holes are never hit
            hit = open_rays & reached & (hidden.radius_px[i, j] >= r)
            found[hit] = hidden.linear[i, j][hit]
            open_rays &= ~hit
        before, in_front = surface, ~reached
        if not open_rays.any():
            break
    return found, ~open_rays


def _under(x, y, r, point):
    """Find the pixel (row, column) under the rays at signed radius r; the rim goes on outside."""
    h, w = x.shape
    i, j = np.floor(y - r * point[1]).astype(int), np.floor(x - r * point[0]).astype(int)
    return np.clip(i, 0, h - 1), np.clip(j, 0, w - 1)


def _depths(visible, hidden, reach: float) -> np.ndarray:
    """List signed radii from the nearest surface to the farthest, in small steps."""
    radii = [visible.radius_px] + ([] if hidden is None else [hidden.radius_px])
    near = max(float(np.nanmax(r)) for r in radii)
    far = min(float(np.nanmin(r)) for r in radii)
    count = int(np.ceil((near - far) * reach / STEP_PX)) + 1
    return np.linspace(near, far, count + 1)


def _check(visible: Surface, hidden: Surface | None) -> None:
    size = visible.radius_px.shape
    for surface in (visible, *([] if hidden is None else [hidden])):
        if surface.radius_px.shape != size or surface.linear.shape != (*size, 3):
            raise UsageError(
                f"Surfaces must share one size: radius {surface.radius_px.shape}, "
                f"picture {surface.linear.shape}, expected {size}."
            )
    if not np.isfinite(visible.radius_px).all():
        raise UsageError("The visible surface has holes; every pixel needs a finite radius.")
