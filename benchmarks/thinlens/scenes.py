"""The Blender scenes: each builder fills an empty scene and returns its small lights.

"d" scenes are for development; "h" (held-out) ones come from other builders and seeds, and no
constant of the renderer is tuned on them.
"""

from __future__ import annotations

import numpy as np
import textures as tx
from blender_build import (
    HALF,
    at,
    backdrop,
    disc_light,
    ground,
    hair,
    leaf_cloud,
    material,
    px,
    quad,
    sphere,
    tubes,
)

TEXTURE_HW = (1024, 1024)


def skin(rng, make=None, shaded=False, brightness=1.0, tint=(1, 1, 1)):
    """Draw a surface at random and turn it into an emitting material."""
    colour = (make or tx.COLOURS[rng.integers(len(tx.COLOURS))])(rng, TEXTURE_HW)
    return material(colour * np.float32(tint), shaded, brightness)


def green(rng, brightness=1.0):
    """Foliage."""
    return skin(rng, tx.plaster, True, brightness, (0.5, 1.0, 0.3))


def _stand(rng, floor, u, z, radius_px, mat, height=1.0):
    """Add a pole on the floor."""
    foot = at(u, 0, z) * [1, 0, 1] + [0, floor(z), 0]
    top = foot + np.array([rng.normal(0, 0.03), height, 0]) * HALF[1] * z * 2
    tubes([np.linspace(foot, top, 8)], px(z, radius_px), mat, 12)


def _head(rng, u, z, mat, hair_mat, count=260, width_px=0.55, brightness=1.0):
    """Add head, shoulders and loose hair."""
    r = 0.28 * HALF[1] * z
    centre = at(u, 0.2, z)
    sphere(centre, r, mat)
    sphere(centre - np.array([0, 3.0 * r, 0.3 * r]), 2.0 * r, mat)
    strands = hair(rng, centre + np.array([0, 0.2 * r, 0]), count, 2.3 * r, 0.85 * np.pi)
    tubes(strands, px(z, width_px) * rng.uniform(0.6, 1.4, count), hair_mat, 5)


def _lamps(rng, count, z_range, v_range, radius_px=(1.2, 3.0), value=(4, 50)):
    lamps = []
    for _ in range(count):
        z = np.exp(rng.uniform(*np.log(z_range)))
        centre = at(rng.uniform(-1.1, 1.1), rng.uniform(*v_range), z)
        tint = rng.uniform(0.35, 1, 3)
        strength = float(np.exp(rng.uniform(*np.log(value))))
        lamps.append(
            disc_light(centre, px(z, rng.uniform(*radius_px)), strength, tint / tint.max())
        )
    return lamps


def plaza(rng):
    """Slanted ground, balls and poles at all distances."""
    backdrop(9.0, skin(rng))
    floor = ground(0.6, 9.0, 0.25, skin(rng))
    for z in (0.7, 1.0, 1.6, 2.6, 4.5):
        r = rng.uniform(0.12, 0.3) * HALF[1] * z * 1.4
        sphere(
            at(rng.uniform(-0.9, 0.9), 0, z) * [1, 0, 1] + [0, floor(z) + r, 0],
            r,
            skin(rng, None, True),
        )
        _stand(rng, floor, rng.uniform(-1, 1), z * 1.15, rng.uniform(0.7, 2.5), skin(rng))
    return []


def portrait(rng):
    """Somebody with loose hair before an oblique wall."""
    backdrop(3.5, skin(rng, tx.letters), 0.45)
    _head(rng, rng.uniform(-0.3, 0.3), 1.0, skin(rng, tx.stripes, True), skin(rng, tx.plaster))
    sphere(at(0.75, -0.5, 1.9), 0.1, skin(rng, None, True))
    return []


def thicket(rng):
    """Leaves at all distances before a wall."""
    backdrop(6.0, skin(rng, tx.bricks))
    for z0, z1, n in ((0.6, 0.9, 14), (1.0, 2.0, 60), (2.0, 4.5, 120)):
        z = rng.uniform(z0, z1, n)
        centres = at(rng.uniform(-1.1, 1.1, n), rng.uniform(-1.1, 0.9, n), z)
        leaf_cloud(rng, centres, 0.35 * HALF[1] * z0 + 0.03, green(rng))
    return []


def railing(rng):
    """A near fence parallel to the sensor; balls and a wall behind."""
    backdrop(5.0, skin(rng, tx.bricks), -0.2)
    mat = skin(rng, tx.plaster)
    bars = [at(np.full(8, u), np.linspace(-1.3, 0.7, 8), 0.75) for u in np.arange(-1.1, 1.2, 0.2)]
    bars += [at(np.linspace(-1.3, 1.3, 8), np.full(8, v), 0.75) for v in (-0.7, 0.5)]
    tubes(bars, px(0.75, 3.0), mat, 12)
    for z in (1.2, 1.8, 3.0):
        sphere(at(rng.uniform(-0.8, 0.8), rng.uniform(-0.6, 0.3), z), 0.12, skin(rng, None, True))
    return []


def night_street(rng):
    """Dark wall and ground, many lights far and near, poles."""
    backdrop(10.0, skin(rng, tx.bricks, brightness=0.04))
    floor = ground(0.7, 10.0, 0.0, skin(rng, tx.plaster, brightness=0.08))
    for z in (0.8, 1.5, 3.0):
        _stand(rng, floor, rng.uniform(-0.9, 0.9), z, 2.0, skin(rng, brightness=0.15), 2.0)
    sphere(at(-0.3, -0.35, 1.2), 0.07, skin(rng, None, True, 0.3))
    return _lamps(rng, 40, (3.0, 9.9), (0.05, 1.0)) + _lamps(rng, 6, (0.9, 2.0), (-0.6, 0.6))


def meadow(rng):
    """Blades of grass on slanted ground, a ball among them."""
    backdrop(7.0, skin(rng, tx.plaster))
    floor = ground(0.55, 7.0, 0.25, skin(rng, tx.plaster, tint=(0.4, 0.8, 0.3)))
    for z0, z1, n in ((0.55, 1.0, 60), (1.0, 2.0, 160), (2.0, 5.0, 260)):
        paths, radii = [], []
        for _ in range(n):
            z, t = rng.uniform(z0, z1), np.linspace(0, 1, 10)[:, None]
            foot = at(rng.uniform(-1.1, 1.1), 0, z) * [1, 0, 1] + [0, floor(z), 0]
            tip = np.array([rng.normal(0, 0.03), rng.uniform(0.05, 0.12), rng.normal(0, 0.03)])
            paths.append(foot + tip * t + rng.normal(0, 0.02, 3) * t**2)
            radii.append(px(z, rng.uniform(0.4, 1.2)))
        tubes(paths, np.array(radii), green(rng))
    sphere(at(0.2, 0, 1.4) * [1, 0, 1] + [0, floor(1.4) + 0.06, 0], 0.06, skin(rng, None, True))
    return []


def table_top(rng):
    """Many small balls and leaning cards on a table seen from above."""
    backdrop(3.0, skin(rng, tx.letters))
    floor = ground(0.5, 3.0, 0.75, skin(rng, tx.stripes), 4.0)
    for _ in range(26):
        z = rng.uniform(0.6, 2.6)
        r = rng.uniform(0.012, 0.035)
        spot = at(rng.uniform(-1, 1), 0, z) * [1, 0, 1]
        if rng.random() < 0.6:
            sphere(spot + np.array([0, floor(z) + r, 0]), r, skin(rng, None, True), 32)
        else:
            a, b = rng.normal(0, 0.04, 2)
            low, high = floor(z), floor(z) + 4 * r
            base = spot + np.array([a, 0, b])
            corners = [spot, base, base, spot]
            quad(np.array(corners) + np.outer([low, low, high, high], [0, 1, 0]), skin(rng))
    return []


def behind_leaves(rng):
    """Somebody with hair, seen past leaves close to the lens."""
    backdrop(4.0, skin(rng), 0.2)
    _head(rng, 0.1, 1.3, skin(rng, tx.checks, True), skin(rng, tx.plaster), 320)
    z = rng.uniform(0.6, 0.75, 16)
    left = at(rng.uniform(-1.1, -0.3, 16), rng.uniform(-1, 1, 16), z)
    leaf_cloud(rng, left, 0.05, green(rng))
    return []


def long_fence(rng):
    """A fence that runs from near to far over slanted ground."""
    backdrop(8.0, skin(rng))
    floor = ground(0.5, 8.0, 0.3, skin(rng))
    mat = skin(rng, tx.plaster)
    foot = np.array([-0.12, floor(0.6), -0.6]), np.array([1.2, floor(6.5), -6.5])
    posts, radii = [], []
    for s in np.linspace(0, 1, 40) ** 1.6:
        base = foot[0] * (1 - s) + foot[1] * s
        posts.append(np.linspace(base, base + np.array([0, 0.16, 0]), 5))
        radii.append(0.0025)
    for height in (0.05, 0.13):
        posts.append(np.linspace(foot[0] + [0, height, 0], foot[1] + [0, height, 0], 40))
        radii.append(0.002)
    tubes(posts, np.array(radii), mat, 10)
    sphere(at(-0.5, 0, 2.0) * [1, 0, 1] + [0, floor(2.0) + 0.1, 0], 0.1, skin(rng, None, True))
    return []


def night_portrait(rng):
    """Dim person with hair before city lights."""
    backdrop(9.0, skin(rng, tx.plaster, brightness=0.05))
    _head(rng, -0.2, 1.2, skin(rng, tx.stripes, True, 0.4), skin(rng, tx.plaster, brightness=0.3))
    return _lamps(rng, 60, (3.0, 8.9), (-1.0, 1.0))


def masts(rng):
    """Thin poles and wires everywhere over slanted ground."""
    backdrop(8.0, skin(rng, tx.plaster))
    floor = ground(0.55, 8.0, 0.1, skin(rng, tx.checks))
    for z in np.geomspace(0.65, 7.0, 22):
        _stand(
            rng, floor, rng.uniform(-1, 1), z, rng.uniform(0.4, 1.8), skin(rng), rng.uniform(0.6, 2)
        )
    wires = []
    for v in rng.uniform(0.2, 0.9, 8):
        ends = at([-1.3, 1.3], [v, v + rng.normal(0, 0.2)], rng.uniform(0.7, 5, 2))
        wires.append(np.linspace(ends[0], ends[1], 20))
    tubes(wires, 0.0012, skin(rng, tx.plaster, brightness=0.3))
    return []


def branches(rng):
    """Leafy branches over a ball and a few lights in the dusk."""
    backdrop(6.0, skin(rng, tx.bricks, brightness=0.25), 0.3)
    sphere(at(0.1, -0.2, 1.5), 0.08, skin(rng, tx.checks, True))
    for z0 in (0.7, 1.1, 2.5):
        start = at(rng.choice([-1.2, 1.2]), rng.uniform(0.2, 1.0), z0)
        paths = hair(rng, start, 7, 0.55 * HALF[0] * z0 * 2, np.pi)
        tubes(paths, px(z0, 1.5), skin(rng, tx.plaster, brightness=0.5))
        points = np.concatenate([p[3:] for p in paths])
        leaf_cloud(rng, points + rng.normal(0, 0.01, points.shape), 0.028 * z0, green(rng, 0.7))
    return _lamps(rng, 14, (3.0, 5.9), (-0.9, 0.9), value=(3, 20))


DEV = {
    "plaza": (plaza, 101),
    "portrait": (portrait, 102),
    "thicket": (thicket, 103),
    "railing": (railing, 104),
    "night-street": (night_street, 105),
    "meadow": (meadow, 106),
}
HELD_OUT = {
    "table-top": (table_top, 201),
    "behind-leaves": (behind_leaves, 202),
    "long-fence": (long_fence, 203),
    "night-portrait": (night_portrait, 204),
    "masts": (masts, 205),
    "branches": (branches, 206),
}
RADII_PX = (6.0, 10.0, 14.0, 20.0, 28.0, 40.0)  # largest in the picture, in turn
