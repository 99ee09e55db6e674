"""What stands where: kinds of places, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pullfocus.lab.scenes.furniture import Shop
from pullfocus.lab.scenes.parts import Camera, Scene


def _sky(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    day = rng.choice([1.0, 0.8, 0.35], p=[0.7, 0.2, 0.1])
    zenith = np.array([0.35, 0.55, 0.9]) * day + rng.normal(0, 0.12, 3)
    horizon = np.array([0.85, 0.88, 0.92]) * day + rng.normal(0, 0.1, 3)
    return np.clip(zenith, 0, 1), np.clip(horizon, 0, 1)


def _scene(shop: Shop, camera: Camera, outdoors: bool, hills: tuple[float, float]) -> Scene:
    rng = shop.rng
    light = np.array([rng.normal(0, 0.6), rng.uniform(0.4, 1.2), rng.normal(0.3, 0.6)])
    haze = float(rng.choice([0, 0.002, 0.01, 0.03])) if outdoors else 0.0
    return Scene(shop.parts, camera, _sky(rng), light, float(rng.uniform(0.35, 0.8)), haze, hills)


def _camera(
    rng: np.random.Generator,
    height: tuple[float, float],
    pitch: tuple[float, float],
    turn_deg: float = 15.0,
) -> Camera:
    return Camera(
        (float(rng.normal(0, 0.3)), float(rng.uniform(*height)), 0.0),
        float(rng.normal(0, turn_deg)),
        float(rng.uniform(*pitch)),
        float(rng.normal(0, 2.0)),
        float(rng.uniform(32, 66)),
    )


def room(shop: Shop) -> Scene:
    """A furnished room seen from within."""
    rng = shop.rng
    w, d, h = rng.uniform(2.5, 8), rng.uniform(2.5, 9), rng.uniform(2.2, 3.5)
    back = rng.uniform(0.3, 1.5)
    shop.shell(w, d, h, back)
    for _ in range(rng.integers(3, 12)):
        at = (rng.uniform(-w / 2, w / 2) * 0.85, 0.0, back - rng.uniform(0.3, 0.95) * d)
        shop.furnish(at)
    for _ in range(rng.integers(0, 3)):
        at = (rng.uniform(-w / 2, w / 2) * 0.7, 0.0, back - rng.uniform(0.35, 0.9) * d)
        shop.cutout("person", at, rng.uniform(1.2, 1.85))
    camera = _camera(rng, (0.8, min(2.0, h - 0.3)), (-28, 6), 25)
    return _scene(shop, camera, False, (0.0, 0.0))


def street(shop: Shop) -> Scene:
    """House fronts on both sides, cars, poles, trees, people; or open road."""
    rng = shop.rng
    width, length = rng.uniform(3, 12), rng.uniform(40, 150)
    shop.ground("surface", 300, float(rng.uniform(0.1, 0.6)))
    for side in (-1, 1):
        if rng.random() < 0.85:
            shop.house_row(side, width, length)
        for _ in range(rng.integers(0, 7)):
            shop.car((side * width * rng.uniform(0.4, 0.8), 0, -(rng.uniform(4, length) ** 0.9)))
        for _ in range(rng.integers(0, 8)):
            shop.tree((side * width * rng.uniform(0.8, 1.1), 0, -rng.uniform(4, length)))
        for _ in range(rng.integers(0, 6)):
            shop.mast((side * width * rng.uniform(0.7, 1.0), 0, -rng.uniform(3, length * 0.6)))
    for _ in range(rng.integers(0, 8)):
        at = (rng.uniform(-1, 1) * width, 0, -rng.uniform(2, 30))
        shop.cutout("person", at, rng.uniform(1.5, 1.9))
    return _scene(shop, _camera(rng, (1.2, 2.2), (-10, 5), 10), True, (0.0, 0.0))


def road(shop: Shop) -> Scene:
    """Traffic seen through a windscreen: lanes of cars and trucks, rails, bridges, verges.

    Every second road is jammed: vehicles close behind each other, those of the next lanes beside
    the camera, so that the frame cuts them off.
    """
    rng = shop.rng
    shop.ground("surface", 300, float(rng.uniform(0.05, 0.4)))
    lanes, jammed = rng.integers(1, 3), rng.random() < 0.5
    first, gap, trucks = ((-1, 9), (5, 10), 0.4) if jammed else ((2, 14), (7, 25), 0.25)
    for lane in range(-lanes, lanes + 1):
        z = -rng.uniform(5, 16) if lane == 0 else -rng.uniform(*first)
        while z > -70 and rng.random() < (0.92 if jammed else 0.8):
            place = shop.truck if rng.random() < trucks else shop.car
            place((lane * 3.4 + rng.normal(0, 0.3), 0, z))
            z -= rng.uniform(*gap)
    for side in (-1, 1):
        edge = side * (3.4 * lanes + 2.5)
        if rng.random() < 0.6:
            shop.rail(edge, 120)
        if rng.random() < 0.4:
            shop.house_row(side, abs(edge) + rng.uniform(0, 8), 120)
        for _ in range(rng.integers(0, 14)):
            shop.tree((edge + side * rng.uniform(1, 6), 0, -rng.uniform(4, 90)))
        for _ in range(rng.integers(0, 5)):
            shop.mast((edge + side * 0.5, 0, -rng.uniform(4, 60)))
    if rng.random() < 0.3:
        shop.bridge(float(rng.uniform(15, 60)))
    return _scene(shop, _camera(rng, (1.3, 2.2), (-6, 3), 6), True, (0.0, 0.0))


def landscape(shop: Shop) -> Scene:
    """Hills, trees, rocks, now and then a house or a fence, open sky."""
    rng = shop.rng
    shop.land(400, float(rng.uniform(0.05, 0.4)))
    for _ in range(rng.integers(4, 50)):
        z = -np.exp(rng.uniform(np.log(4), np.log(150)))
        shop.tree((rng.normal(0, 0.5) * abs(z), 0, z))
    for _ in range(rng.integers(0, 12)):
        z = -np.exp(rng.uniform(np.log(2), np.log(40)))
        shop.rock((rng.normal(0, 0.4) * abs(z), 0, z))
    if rng.random() < 0.3:
        shop.block((rng.uniform(-20, 20), 0, -rng.uniform(20, 80)), "photo")
    if rng.random() < 0.3:
        shop.fence(float(rng.uniform(2, 8)))
    camera = _camera(rng, (1.2, 4.0), (-12, 6))
    return _scene(shop, camera, True, (float(rng.choice([0, 4, 15, 40])), float(rng.random())))


def table_top(shop: Shop) -> Scene:
    """Small things on a table, seen from close by and above."""
    rng = shop.rng
    shop.slab(float(rng.uniform(0.8, 2.5)))
    shop.shell(6, float(rng.uniform(2, 7)), 3, 1.0, floor=-0.75)
    for _ in range(rng.integers(4, 22)):
        shop.small_thing((rng.normal(0, 0.25), 0, -0.55 + rng.normal(0, 0.22)))
    camera = _camera(rng, (0.18, 0.7), (-55, -12), 8)
    return _scene(shop, camera, False, (0.0, 0.0))


def crowd(shop: Shop) -> Scene:
    """People (and bushes, objects) on open ground, with or without a wall behind."""
    rng = shop.rng
    shop.ground("surface", 200, float(rng.uniform(0.1, 1.0)))
    for _ in range(rng.integers(2, 20)):
        z = -np.exp(rng.uniform(np.log(1.2), np.log(25)))
        shop.cutout("person", (rng.normal(0, 0.35) * abs(z), 0, z), rng.uniform(1.2, 1.9))
    for _ in range(rng.integers(0, 8)):
        z = -np.exp(rng.uniform(np.log(2), np.log(30)))
        shop.cutout(str(rng.choice(["leaf", "object"])), (rng.normal(0, 0.5) * abs(z), 0, z), 1.2)
    if rng.random() < 0.6:
        shop.backdrop(float(rng.uniform(5, 40)))
    return _scene(shop, _camera(rng, (0.8, 2.5), (-18, 4)), True, (0.0, 0.0))


def portrait(shop: Shop) -> Scene:
    """One or two subjects close by, a busy place behind them, sometimes rods between."""
    rng = shop.rng
    shop.ground("surface", 200, float(rng.uniform(0.1, 1.0)))
    shop.backdrop(float(np.exp(rng.uniform(np.log(2.5), np.log(40)))))
    for _ in range(rng.integers(1, 3)):
        z = -rng.uniform(0.7, 2.5)
        height = rng.uniform(0.9, 2.2)
        kind = str(rng.choice(["person", "object", "leaf"], p=[0.75, 0.15, 0.1]))
        shop.cutout(kind, (rng.normal(0, 0.3), 1.35 - height, z), height)
    for _ in range(rng.integers(0, 10)):
        shop.furnish((rng.normal(0, 2), 0, -rng.uniform(2.5, 8)))
    if rng.random() < 0.2:
        shop.cutout("rods", (rng.normal(0, 0.3), 0.3, -rng.uniform(0.5, 3)), rng.uniform(0.8, 2))
    return _scene(shop, _camera(rng, (1.0, 1.6), (-10, 8), 4), True, (0.0, 0.0))


def square(shop: Shop) -> Scene:
    """A wide paved place seen from a drone: parked cars, piles, rocks, trees, perhaps a house."""
    rng = shop.rng
    shop.ground("surface", 300, float(rng.uniform(0.06, 0.12)))
    for _ in range(rng.integers(4, 9)):
        at = (float(rng.uniform(-10, 10)), 0.0, -float(rng.uniform(3, 22)))
        makers = [shop.car, shop.rock, shop.tree, shop.mast, lambda at: shop.pile(at, 0.0)]
        makers[rng.integers(len(makers))](at)
    if rng.random() < 0.5:
        shop.house_row(int(rng.choice([-1, 1])), float(rng.uniform(6, 10)), 60)
    return _scene(shop, _camera(rng, (6, 8), (-42, -32), 20), True, (0.0, 0.0))


def corner(shop: Shop) -> Scene:
    """A kitchen or an office within hand's reach: counters, desks, chairs, books; any tilt."""
    rng = shop.rng
    w, d, h = rng.uniform(2.4, 5.5), rng.uniform(2.2, 5.5), rng.uniform(2.2, 3.2)
    back = rng.uniform(0.2, 0.9)
    shop.shell(w, d, h, back)
    shop.pictures(w, d, back)
    walls = [
        (0.0, back - d, w, 0.0),
        (-w / 2, back - d / 2, d, 90.0),
        (w / 2, back - d / 2, d, -90.0),
    ]
    for x, z, length, turn in walls:
        if rng.random() < 0.6:
            shop.counter((x, 0.0, z), length * rng.uniform(0.5, 1.0), turn)
    for _ in range(rng.integers(1, 3)):
        turn = float(rng.normal(0, 25) + rng.choice([0, 90]))
        at = (rng.uniform(-0.3, 0.3) * w, 0.0, -rng.uniform(0.5, 0.6 * d))
        shop.desk(at, turn)
    for _ in range(rng.integers(0, 5)):
        at = (rng.uniform(-0.4, 0.4) * w, 0.0, -rng.uniform(0.6, 0.8 * d))
        shop.slatted_chair(at, float(rng.uniform(0, 360)))
    if rng.random() < 0.25:
        at = (rng.uniform(-0.3, 0.3) * w, 0.0, -rng.uniform(1.0, 0.7 * d))
        shop.cutout("person", at, rng.uniform(1.5, 1.85))
    camera = Camera(
        (
            float(rng.uniform(-0.25, 0.25) * w),
            float(rng.uniform(0.9, 1.9)),
            float(rng.uniform(-0.3, 0.1)),
        ),
        float(rng.normal(0, 30)),
        float(rng.uniform(-50, 4)),
        float(rng.normal(0, 6)),
        float(rng.uniform(36, 60)),
    )
    return _scene(shop, camera, False, (0.0, 0.0))


LAYOUTS: dict[str, tuple[Callable[[Shop], Scene], float]] = {
    "room": (room, 0.30),
    "street": (street, 0.22),
    "road": (road, 0.12),
    "landscape": (landscape, 0.12),
    "table": (table_top, 0.16),
    "crowd": (crowd, 0.10),
    "portrait": (portrait, 0.10),
    "square": (square, 0.0),
    "corner": (corner, 0.0),
}
"""Kinds of place and how often each is drawn; 0 = only where it is asked for by name."""
