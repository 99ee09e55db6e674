"""Exact thin-lens pictures of layered scenes: planes with alpha, seen from many lens positions.

A plane in space has a disparity that is affine in the pinhole picture's coordinates, and a camera
moved sideways by a lens position sees every point shifted by (lens position) * disparity. So each
view is an exact affine warp of each layer, composited front to back in linear light.

Convention: x, y in output pixels, centres at +0.5, origin top left. Layers are sampled at twice
the output resolution with a margin all round; sub-sample 2 * (i + margin) lies at pixel centre i.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

SUPER = 2
MARGIN_PX = 36  # more than the largest radius, so that the frame's border is right too
TENT = np.array([0.25, 0.5, 0.25], np.float32)  # pixel filter, in sub-samples: centred on a pixel
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


@dataclass(frozen=True)
class Layer:
    """One plane: premultiplied linear RGBA (sub-sampled, with margin) and its disparity.

    plane: (a, b, c); disparity = a * x + b * y + c with x, y in output pixels.
    """

    rgba: np.ndarray
    plane: tuple[float, float, float]


def canvas_hw(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Size of a layer's array for an output size."""
    return tuple(SUPER * (n + 2 * MARGIN_PX) for n in size_hw)


def make_layer(colour: np.ndarray, coverage: np.ndarray | float, plane) -> Layer:
    """Premultiply colour (h, w, 3) by coverage (h, w)."""
    alpha = np.broadcast_to(np.asarray(coverage, np.float32), colour.shape[:2])[..., None]
    rgba = np.concatenate([colour * alpha, alpha], -1).astype(np.float32)
    return Layer(np.ascontiguousarray(rgba), tuple(float(v) for v in np.broadcast_to(plane, 3)))


def flat(disparity: float) -> tuple[float, float, float]:
    """Plane parallel to the sensor."""
    return (0.0, 0.0, disparity)


def lens_positions(count: int) -> np.ndarray:
    """Spread points evenly over the unit disc (sunflower); (count, 2)."""
    i = np.arange(count)
    radius, angle = np.sqrt((i + 0.5) / count), i * GOLDEN_ANGLE
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def view_matrix(plane, shift_px: np.ndarray, focus: float) -> np.ndarray:
    """Map output sub-samples to layer sub-samples for one lens position (2x3).

    shift_px = gain * (lens position): p' = p + shift * (disparity(p) - focus), inverted.
    """
    a, b, c = plane
    forward = np.eye(3)
    forward[:2] += np.outer(shift_px, [a, b, c - focus])
    # sub-sample index s of the output (one extra on each side for the tent): x = (s - 1) / 2 + 0.5
    to_pixel = np.array(
        [[1 / SUPER, 0, 0.5 - 1 / SUPER], [0, 1 / SUPER, 0.5 - 1 / SUPER], [0, 0, 1]]
    )
    offset = SUPER * (MARGIN_PX - 0.5)
    to_sample = np.array([[SUPER, 0, offset], [0, SUPER, offset], [0, 0, 1.0]])
    return (to_sample @ np.linalg.inv(forward) @ to_pixel)[:2]


def add_view(planar: np.ndarray, planes, size_hw, shift_px, focus: float, total: np.ndarray):
    """See the scene from one lens position; add it to total (3, h, w), linear, sub-sampled.

    planar: float32 (layers, 4, h, w), premultiplied, front first; planes: their disparities.
    """
    matrices = np.stack([view_matrix(p, np.asarray(shift_px), focus) for p in planes])
    _composite(planar, matrices, total)


@numba.njit(fastmath=True, nogil=True, cache=True)
def _composite(planar, matrices, total):
    """Front to back over bilinear samples of the layers, one row at a time."""
    _, rows, columns = total.shape
    row, clear = np.empty((4, columns), np.float32), np.empty(columns, np.float32)
    for i in range(rows):
        clear[:] = 1
        for n in range(len(planar)):
            if matrices[n, 0, 0] == 1 and matrices[n, 0, 1] == 0:
                _row_flat(planar[n], matrices[n], i, row)
            else:
                _row_slanted(planar[n], matrices[n], i, row)
            for c in range(3):
                for j in range(columns):
                    total[c, i, j] += clear[j] * row[c, j]
            for j in range(columns):
                clear[j] *= 1 - row[3, j]


@numba.njit(fastmath=True, nogil=True, cache=True)
def _row_flat(layer, m, i, out):
    """Bilinear samples of a row whose weights are the same everywhere."""
    y, x = i * m[1, 1] + m[1, 2], m[0, 2]
    i0, j0 = int(np.floor(y)), int(np.floor(x))
    fx, fy = np.float32(x - j0), np.float32(y - i0)
    w00, w01, w10, w11 = (1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx
    for c in range(4):
        a, b = layer[c, i0, j0:], layer[c, i0 + 1, j0:]
        for j in range(out.shape[1]):
            out[c, j] = w00 * a[j] + w01 * a[j + 1] + w10 * b[j] + w11 * b[j + 1]


@numba.njit(fastmath=True, nogil=True, cache=True)
def _row_slanted(layer, m, i, out):
    """Bilinear samples of a row along any line; the layer's rim continues outside it."""
    _, height, width = layer.shape
    for j in range(out.shape[1]):
        x = min(max(m[0, 0] * j + m[0, 1] * i + m[0, 2], 0.0), width - 1.001)
        y = min(max(m[1, 0] * j + m[1, 1] * i + m[1, 2], 0.0), height - 1.001)
        j0, i0 = int(x), int(y)
        fx, fy = np.float32(x - j0), np.float32(y - i0)
        for c in range(4):
            upper = (1 - fx) * layer[c, i0, j0] + fx * layer[c, i0, j0 + 1]
            lower = (1 - fx) * layer[c, i0 + 1, j0] + fx * layer[c, i0 + 1, j0 + 1]
            out[c, j] = (1 - fy) * upper + fy * lower


def to_pixels(sub: np.ndarray) -> np.ndarray:
    """Filter sub-samples (3, h, w) to output pixels (h, w, 3) with the tent."""
    sub = np.ascontiguousarray(sub.transpose(1, 2, 0))
    return np.ascontiguousarray(cv2.sepFilter2D(sub, -1, TENT, TENT)[1::SUPER, 1::SUPER])


def pinhole(layers: list[Layer], size_hw) -> tuple[np.ndarray, np.ndarray]:
    """Return the sharp picture (antialiased, linear) and the disparity at the pixel centres."""
    sharp = _blank(size_hw)
    add_view(*_planar(layers), size_hw, (0.0, 0.0), 0.0, sharp)
    picture = to_pixels(sharp)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] + 0.5
    disparity = np.full(size_hw, np.nan)
    inside = slice(SUPER * MARGIN_PX, -SUPER * MARGIN_PX, SUPER)
    for layer in reversed(layers):
        a, b, c = layer.plane
        hit = layer.rgba[inside, inside, 3] > 0.5
        disparity = np.where(hit, a * x + b * y + c, disparity)
    return picture, disparity.astype(np.float32)


def thin_lens(layers: list[Layer], size_hw, gain_px: float, focus: float, count: int) -> np.ndarray:
    """Average the views from `count` lens positions; linear (h, w, 3)."""
    total = _blank(size_hw)
    planar, planes = _planar(layers)
    for position in lens_positions(count):
        add_view(planar, planes, size_hw, gain_px * position, focus, total)
    return to_pixels(total / count)


def _blank(size_hw) -> np.ndarray:
    """Sub-samples of the output and one more on the left and top for the tent."""
    return np.zeros((3, SUPER * size_hw[0] + 1, SUPER * size_hw[1] + 1), np.float32)


def _planar(layers: list[Layer]):
    rgba = np.stack([np.ascontiguousarray(v.rgba.transpose(2, 0, 1)) for v in layers])
    return rgba, [v.plane for v in layers]
