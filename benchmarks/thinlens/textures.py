"""Procedural colours and shapes for the benchmark scenes: numpy and OpenCV, seeded, no files.

Colours are linear-light float32 (h, w, 3) in 0..1; shapes are coverage float32 (h, w) in 0..1.
Lengths are in pixels of the array that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

SHAPE_OVERSAMPLING = 2  # shapes are drawn this many times larger, then averaged
SUBPIXEL_BITS = 4  # OpenCV draws with fixed-point coordinates


def noise(rng: np.random.Generator, size_hw: tuple[int, int], cell_px: float, octaves: int = 4):
    """Sum octaves of smooth noise, scaled to 0..1."""
    h, w = size_hw
    total = np.zeros(size_hw, np.float32)
    for octave in range(octaves):
        cell = max(cell_px / 2**octave, 1.0)
        grid = rng.random((int(h / cell) + 3, int(w / cell) + 3), np.float32)
        big = cv2.resize(grid, None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
        total += big[:h, :w] * 0.6**octave
    total -= total.min()
    return total / total.max()


def palette(rng: np.random.Generator, count: int = 3, low: float = 0.02, high: float = 0.8):
    """Draw colours, dark to bright."""
    colours = rng.uniform(low, high, (count, 3)).astype(np.float32)
    return colours[np.argsort(colours.mean(1))]


def paint(value: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Map 0..1 to colours by straight-line interpolation."""
    at = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(value, at, c) for c in colours.T], -1).astype(np.float32)


def plaster(rng, size_hw, cell_px=40.0):
    """Rough wall: cloudy colour and fine grain."""
    value = 0.7 * noise(rng, size_hw, cell_px, 6) + 0.3 * noise(rng, size_hw, 3, 2)
    return paint(value, palette(rng))


def checks(rng, size_hw, cell_px=24.0):
    """Checkerboard with grain, turned by a random angle."""
    h, w = size_hw
    angle = rng.uniform(0, np.pi)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    u = (x * np.cos(angle) + y * np.sin(angle)) / cell_px
    v = (y * np.cos(angle) - x * np.sin(angle)) / cell_px
    board = (np.floor(u) + np.floor(v)) % 2
    return paint(0.75 * board + 0.25 * noise(rng, size_hw, 6, 3), palette(rng))


def bricks(rng, size_hw, cell_px=18.0):
    """Bricks of single tints with pale joints."""
    h, w = size_hw
    y, x = np.mgrid[:h, :w].astype(np.float32)
    row = np.floor(y / cell_px)
    u = x / (2.2 * cell_px) + 0.5 * (row % 2)
    tint = rng.random((int(h / cell_px) + 2, int(w / cell_px) + 4), np.float32)
    value = tint[row.astype(int), np.floor(u).astype(int)]
    joint = ((y / cell_px) % 1 < 0.12) | (u % 1 < 0.06)
    grain = noise(rng, size_hw, 5, 3)
    colour = paint(0.6 * value + 0.4 * grain, palette(rng))
    return np.where(joint[..., None], np.float32(0.55) + 0.1 * grain[..., None], colour)


def letters(rng, size_hw, cell_px=30.0):
    """Posters: text of many sizes on cloudy paper."""
    h, w = size_hw
    page = plaster(rng, size_hw, 60)
    for _ in range(int(h * w / cell_px**2 / 2) + 4):
        word = "".join(rng.choice(list("pullfocusABXR8&"), 4))
        where = (int(rng.integers(-20, w)), int(rng.integers(0, h + 20)))
        scale = cell_px / 30 * rng.uniform(0.5, 1.6)
        colour = rng.uniform(0, 0.9, 3).tolist()
        cv2.putText(page, word, where, 3, scale, colour, max(1, int(2 * scale)), cv2.LINE_AA)
    return page


def stripes(rng, size_hw, cell_px=10.0):
    """Cloth: two crossed waves with grain."""
    h, w = size_hw
    y, x = np.mgrid[:h, :w].astype(np.float32)
    a, b = rng.uniform(0.6, 1.6, 2) * 2 * np.pi / cell_px
    wave = 0.5 + 0.25 * np.sin(a * x + 2 * noise(rng, size_hw, 50, 2)) + 0.25 * np.sin(b * y)
    return paint(0.8 * wave + 0.2 * noise(rng, size_hw, 4, 2), palette(rng))


COLOURS: tuple[Callable, ...] = (plaster, checks, bricks, letters, stripes)


def any_colour(rng, size_hw, cell_px=None):
    """Draw one of the coloured surfaces."""
    make = COLOURS[rng.integers(len(COLOURS))]
    return make(rng, size_hw) if cell_px is None else make(rng, size_hw, cell_px)


def drawn(size_hw: tuple[int, int], draw: Callable) -> np.ndarray:
    """Let `draw(canvas, scale)` paint 255 on a larger canvas; return its coverage."""
    scale = SHAPE_OVERSAMPLING
    canvas = np.zeros((size_hw[0] * scale, size_hw[1] * scale), np.uint8)
    draw(canvas, scale)
    small = cv2.resize(canvas, size_hw[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def curve(canvas, points_px: np.ndarray, width_px: float, scale: float):
    """Draw a curve through points at sub-pixel precision; the width is rounded to >= 1."""
    fixed = np.round(points_px * scale * 2**SUBPIXEL_BITS).astype(np.int32)[:, None]
    width = max(1, round(width_px * scale))
    cv2.polylines(canvas, [fixed], False, 255, width, cv2.LINE_AA, SUBPIXEL_BITS)


def strands(rng, size_hw, root_xy, count=200, length_px=120.0, width_px=1.0, lean=np.pi):
    """Hair: curved strands that leave a root in all directions within `lean` radians of up."""

    def draw(canvas, scale):
        t = np.linspace(0, 1, 24, dtype=np.float32)[:, None]
        for _ in range(count):
            angle = rng.uniform(-lean, lean) - np.pi / 2
            reach = length_px * rng.uniform(0.4, 1)
            ahead = np.array([np.cos(angle), np.sin(angle)]) * reach
            side = np.array([-ahead[1], ahead[0]]) * rng.normal(0, 0.35)
            start = np.asarray(root_xy) + rng.normal(0, length_px * 0.06, 2)
            sag = np.array([0, reach * 0.3]) * t**2
            points = start + ahead * t + side * t * (1 - t) * 2 + sag
            curve(canvas, points, width_px * rng.uniform(0.5, 1.2), scale)

    return drawn(size_hw, draw)


def grass(rng, size_hw, count=200, length_px=120.0, width_px=2.0, foot_y=None):
    """Blades that grow from a line, the bottom edge by default."""
    h, w = size_hw
    foot = h if foot_y is None else foot_y

    def draw(canvas, scale):
        t = np.linspace(0, 1, 16, dtype=np.float32)[:, None]
        for _ in range(count):
            start = np.array([rng.uniform(0, w), foot])
            tip = np.array([rng.normal(0, 0.35), -1]) * length_px * rng.uniform(0.4, 1)
            bend = np.array([rng.normal(0, 0.3), 0]) * length_px * t**2
            curve(canvas, start + tip * t + bend, width_px * rng.uniform(0.5, 1.3), scale)

    return drawn(size_hw, draw)


def leaves(rng, size_hw, count=60, length_px=40.0, region=(0.0, 0.0, 1.0, 1.0)):
    """Pointed ellipses, somewhere inside region = (x0, y0, x1, y1) in fractions."""
    h, w = size_hw

    def draw(canvas, scale):
        for _ in range(count):
            x = rng.uniform(region[0], region[2]) * w * scale
            y = rng.uniform(region[1], region[3]) * h * scale
            half = length_px * rng.uniform(0.3, 0.6) * scale
            t = np.linspace(0, np.pi, 14)
            rim = np.sin(t) * half * rng.uniform(0.25, 0.45)
            along = np.cos(t) * half
            outline = np.stack([np.r_[along, along[::-1]], np.r_[rim, -rim[::-1]]], 1)
            a = rng.uniform(0, 2 * np.pi)
            turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
            points = (outline @ turn + (x, y)) * 2**SUBPIXEL_BITS
            cv2.fillPoly(canvas, [points.astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL_BITS)

    return drawn(size_hw, draw)


def fence(size_hw, pitch_px=36.0, width_px=4.0, diagonal=False):
    """Parallel bars with two rails, or a diagonal wire mesh."""
    h, w = size_hw

    def draw(canvas, scale):
        for x in np.arange(-h, w + h, pitch_px):
            if diagonal:
                for way in (-1, 1):
                    ends = np.array([[x, 0.0], [x + way * h, h]])
                    curve(canvas, ends, width_px, scale)
            else:
                curve(canvas, np.array([[x, 0.15 * h], [x, h]]), width_px, scale)
        if not diagonal:
            for y in (0.3 * h, 0.7 * h):
                curve(canvas, np.array([[0.0, y], [w, y]]), width_px, scale)

    return drawn(size_hw, draw)


def poles(rng, size_hw, count=5, width_px=4.0, foot_y=None, region=(0.0, 1.0)):
    """Nearly upright thin poles, from the top edge or from a random height, to `foot_y`."""
    h, w = size_hw

    def draw(canvas, scale):
        for _ in range(count):
            x = rng.uniform(*region) * w
            top = rng.uniform(-0.2, 0.3) * h
            foot = h if foot_y is None else foot_y
            ends = np.array([[x + rng.normal(0, 0.02 * w), top], [x, foot]])
            curve(canvas, ends, width_px * rng.uniform(0.4, 1.5), scale)

    return drawn(size_hw, draw)


def figure(rng, size_hw, centre_xy, height_px, hair=250, hair_px=1.0):
    """Head, shoulders and loose hair; returns (body coverage, hair coverage)."""
    x, y = centre_xy
    head = height_px * 0.22

    def draw(canvas, scale):
        def ellipse(cx, cy, ax, ay):
            centre = (round(cx * scale), round(cy * scale))
            axes = (round(ax * scale), round(ay * scale))
            cv2.ellipse(canvas, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)

        ellipse(x, y, head * 0.8, head)
        ellipse(x, y + head * 3.2, head * 2.2, head * 2.1)
        cv2.rectangle(
            canvas,
            (round((x - head * 2.2) * scale), round((y + head * 3.2) * scale)),
            (round((x + head * 2.2) * scale), canvas.shape[0]),
            255,
            -1,
        )

    crown = (x, y - head * 0.2)
    loose = strands(rng, size_hw, crown, hair, head * 2.2, hair_px, lean=0.8 * np.pi)
    return drawn(size_hw, draw), loose


def lights(rng, size_hw, count=30, radius_px=(1.0, 3.0), value=(4.0, 50.0), region=(0, 0, 1, 1)):
    """Small bright discs: (coverage, linear colour up to max(value))."""
    h, w = size_hw
    coverage = np.zeros(size_hw, np.float32)
    colour = np.ones((*size_hw, 3), np.float32)
    for _ in range(count):
        x, y = rng.uniform(region[0], region[2]) * w, rng.uniform(region[1], region[3]) * h
        r = rng.uniform(*radius_px)
        x0, y0, x1, y1 = int(x - r - 2), int(y - r - 2), int(x + r + 3), int(y + r + 3)
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, w), min(y1, h)
        if x1 <= x0 or y1 <= y0:
            continue
        yy, xx = np.mgrid[y0:y1, x0:x1]
        disc = np.clip(r + 0.5 - np.hypot(xx - x, yy - y), 0, 1)
        tint = rng.uniform(0.35, 1, 3)
        strength = np.exp(rng.uniform(*np.log(value)))
        colour[y0:y1, x0:x1][disc > 0] = tint / tint.max() * strength
        coverage[y0:y1, x0:x1] = np.maximum(coverage[y0:y1, x0:x1], disc)
    return coverage, colour
