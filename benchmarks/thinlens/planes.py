"""Make layered scenes with exact truth: python benchmarks/thinlens/planes.py [--out DIR].

Writes one npz per scene, K (12: radius 11 px at the largest; 32: 29 px) and focus:
    linear           float32 (h, w, 3), sharp picture, HDR, linear light
    truth            float32 (h, w, 3), the thin lens's picture
    disparity        float32 (h, w), at pixel centres, 0.04 (far) .. 0.96 (near)
    focus_disparity  same unit; gain_px: K; radius_px = K * (disparity - focus_disparity)
The names of held-out scenes begin with "h"; constants may be tuned on the others ("d") only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import textures as tx
from layered import MARGIN_PX, SUPER, Layer, canvas_hw, flat, make_layer, pinhole, thin_lens

SIZE_HW = (320, 480)
FAR, NEAR = 0.04, 0.96
DEPTHS = (0.04, 0.27, 0.5, 0.73, 0.96)
H, W = canvas_hw(SIZE_HW)
HAIR_PX = SUPER * 0.7


def five(rng, night=False) -> list[Layer]:
    """Five flat planes: wall, posters, a person with hair, leaves, strands in front."""
    wall = tx.any_colour(rng, (H, W)) * (0.05 if night else 1)
    if night:
        wall = _with_lights(rng, wall, 60)
    layers = [make_layer(wall, 1.0, flat(DEPTHS[0]))]
    block = tx.leaves(rng, (H, W), 7, 0.35 * H) if rng.random() < 0.5 else _boxes(rng)
    layers.append(make_layer(tx.any_colour(rng, (H, W)), block, flat(DEPTHS[1])))
    layers.append(_person(rng, flat(DEPTHS[2]), W * rng.uniform(0.35, 0.65)))
    green = tx.plaster(rng, (H, W), 20) * np.float32([0.5, 1, 0.4])
    foliage = tx.leaves(rng, (H, W), 30, 70, (0, 0.55, 1, 1.0))
    layers.append(make_layer(green, foliage, flat(DEPTHS[3])))
    side = rng.choice([0.12, 0.88]) * W
    hair = tx.strands(rng, (H, W), (side, 0.45 * H), 90, 0.4 * H, SUPER * 1.2)
    layers.append(make_layer(tx.stripes(rng, (H, W), 14), hair, flat(DEPTHS[4])))
    return layers[::-1]


def five_night(rng) -> list[Layer]:
    """The same at night, with bright lights on the farthest plane."""
    return five(rng, night=True)


def ground(rng) -> list[Layer]:
    """Slanted ground from the horizon to the feet, poles and a person standing on it."""
    horizon = 0.42 * SIZE_HW[0]
    slope = (0.93 - FAR) / (SIZE_HW[0] - horizon)
    plane = (0.0, slope, FAR - slope * horizon)
    sky = tx.plaster(rng, (H, W), 120) ** 0.5
    layers = [make_layer(sky, 1.0, flat(FAR)), _ground_layer(rng, plane, horizon)]
    for disparity in (0.15, 0.3, 0.5, 0.75):
        foot = _row((disparity - plane[2]) / slope)
        if disparity == 0.5:
            layers.append(_person(rng, flat(disparity), W * rng.uniform(0.3, 0.7), foot))
        else:
            cover = tx.poles(rng, (H, W), 4, SUPER * (1 + 8 * disparity), foot)
            layers.append(make_layer(tx.any_colour(rng, (H, W)), cover, flat(disparity)))
    return layers[::-1]


def fence(rng) -> list[Layer]:
    """Look through a near wire fence at leaves and a wall."""
    back = tx.bricks(rng, (H, W), 30)
    layers = [make_layer(back, 1.0, (0.0003, 0.0, 0.06))]
    for disparity in (0.3, 0.45):
        green = tx.plaster(rng, (H, W), 25) * np.float32([0.6, 1, 0.3])
        cover = tx.leaves(rng, (H, W), 45, 90, (0, 0.25, 1, 1))
        layers.append(make_layer(green, cover, flat(disparity)))
    mesh = tx.fence((H, W), 110, SUPER * 2.5, diagonal=rng.random() < 0.6)
    layers.append(make_layer(tx.plaster(rng, (H, W), 9), mesh, (0.0002, 0.0, 0.84)))
    return layers[::-1]


def street_night(rng) -> list[Layer]:
    """Dark street: lights far away, wet slanted ground, poles, somebody near."""
    horizon = 0.5 * SIZE_HW[0]
    slope = (0.9 - FAR) / (SIZE_HW[0] - horizon)
    plane = (0.0, slope, FAR - slope * horizon)
    sky = _with_lights(rng, tx.bricks(rng, (H, W), 60) * 0.03, 90, (0.0, 0.2, 1.0, 0.55))
    layers = [make_layer(sky, 1.0, flat(FAR)), _ground_layer(rng, plane, horizon, 0.08)]
    foot = _row((0.25 - plane[2]) / slope)
    lamps = tx.poles(rng, (H, W), 6, SUPER * 3, foot)
    layers.append(make_layer(tx.plaster(rng, (H, W)) * 0.1, lamps, flat(0.25)))
    layers.append(_person(rng, flat(0.8), W * rng.choice([0.25, 0.7]), None, 0.4))
    return layers[::-1]


def oblique(rng) -> list[Layer]:
    """Wall that runs away sideways, an oblique fence before it, hair in front."""
    wall = make_layer(tx.letters(rng, (H, W), 50), 1.0, (0.55 / SIZE_HW[1], 0.0, 0.06))
    bars = tx.fence((H, W), 70, SUPER * 4)
    grille = make_layer(tx.stripes(rng, (H, W)), bars, (-0.2 / SIZE_HW[1], 0.0, 0.83))
    hair = tx.strands(rng, (H, W), (0.3 * W, 0.95 * H), 140, 0.7 * H, HAIR_PX, 0.45 * np.pi)
    front = make_layer(tx.plaster(rng, (H, W), 8), hair, flat(0.93))
    return [front, grille, wall]


def meadow(rng) -> list[Layer]:
    """Rows of grass on flat planes from near to far: coverage everywhere, holes everywhere."""
    layers = [make_layer(tx.any_colour(rng, (H, W)), 1.0, flat(FAR))]
    for n, disparity in enumerate((0.2, 0.4, 0.65, 0.94)):
        size = 0.25 + 0.15 * n
        cover = tx.grass(rng, (H, W), 140 - 25 * n, size * H, SUPER * (1 + 0.7 * n))
        green = tx.plaster(rng, (H, W), 12) * np.float32(rng.uniform(0.3, 1, 3))
        layers.append(make_layer(green, cover, flat(disparity)))
    return layers[::-1]


def canopy(rng) -> list[Layer]:
    """Leaves close to the lens over a lit, sharp figure; lights shine through."""
    back = _with_lights(rng, tx.plaster(rng, (H, W), 80) * 0.25, 40)
    layers = [make_layer(back, 1.0, flat(0.06)), _person(rng, flat(0.42), W * 0.5)]
    for disparity, size in ((0.75, 90), (0.95, 130)):
        cover = tx.leaves(rng, (H, W), 14, size, (0, 0, 1, 0.5))
        layers.append(make_layer(tx.plaster(rng, (H, W), 15), cover, flat(disparity)))
    return layers[::-1]


def _row(y_px: float) -> float:
    return SUPER * (y_px - 0.5 + MARGIN_PX)


def _boxes(rng) -> np.ndarray:
    cover = np.zeros((H, W), np.float32)
    for _ in range(5):
        x, y = int(rng.uniform(0, W)), int(rng.uniform(0, H))
        cover[y : y + int(rng.uniform(60, 260)), x : x + int(rng.uniform(40, 220))] = 1
    return cover


def _person(rng, plane, x, foot=None, brightness=1.0) -> Layer:
    body, hair = tx.figure(rng, (H, W), (x, 0.4 * H), 0.75 * H, 260, HAIR_PX)
    cover = np.maximum(body, hair)
    if foot is not None:
        cover[round(foot) :] = 0
    colour = np.where(
        body[..., None] > 0.5, tx.stripes(rng, (H, W), 16), tx.plaster(rng, (H, W), 7)
    )
    return make_layer(colour * brightness, cover, plane)


def _ground_layer(rng, plane, horizon, brightness=1.0) -> Layer:
    """Perspective floor: tiles whose size follows 1 / disparity, faded where they are too fine."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    x, y = x / SUPER - MARGIN_PX + 0.5, y / SUPER - MARGIN_PX + 0.5
    disparity = np.maximum(plane[1] * y + plane[2], 0.02)
    flat_map = tx.any_colour(rng, (2048, 2048), 60.0)
    u, v = (x - SIZE_HW[1] / 2) / disparity * 0.9 + 1024, 900 / disparity
    levels = [cv2.GaussianBlur(flat_map, (0, 0), s) if s else flat_map for s in (0, 1, 2, 4, 8, 16)]
    stretch = np.log2(np.maximum(0.9 / disparity / SUPER * 3, 1)).clip(0, len(levels) - 1.01)
    colour = np.zeros((H, W, 3), np.float32)
    for n, level in enumerate(levels):
        weight = np.maximum(1 - np.abs(stretch - n), 0)[..., None]
        colour += weight * cv2.remap(level, u % 2047, v % 2047, cv2.INTER_LINEAR)
    cover = np.clip((y - horizon) * SUPER + 0.5, 0, 1)
    return make_layer(colour * brightness, cover, plane)


def _with_lights(rng, colour, count, region=(0.0, 0.0, 1.0, 1.0)) -> np.ndarray:
    cover, light = tx.lights(rng, (H, W), count, (1.0, 3.5), region=region)
    return colour * (1 - cover[..., None]) + light * cover[..., None]


DEV: dict[str, tuple[Callable, int, tuple[float, float]]] = {
    "five-a": (five, 11, (FAR, 0.5)),
    "five-b": (five, 12, (NEAR, 0.5)),
    "five-night": (five_night, 13, (0.5, NEAR)),
    "ground": (ground, 14, (0.5, 0.1)),
    "fence": (fence, 15, (0.3, 0.9)),
    "street-night": (street_night, 16, (0.8, FAR)),
    "oblique": (oblique, 17, (0.3, 0.93)),
}
HELD_OUT: dict[str, tuple[Callable, int, tuple[float, float]]] = {
    "five-c": (five, 21, (FAR, 0.5)),
    "five-d": (five, 22, (NEAR, 0.27)),
    "five-night": (five_night, 23, (0.5, FAR)),
    "ground": (ground, 24, (0.5, 0.75)),
    "fence": (fence, 25, (0.3, 0.9)),
    "meadow": (meadow, 26, (0.4, 0.94)),
    "canopy": (canopy, 27, (0.42, 0.95)),
}
COUNT = {12: 320, 32: 640}  # lens positions: at most four pixels of the largest disc each


def write(path: Path, layers: list[Layer], gain_px: float, focus: float):
    """Render one scene and save it."""
    linear, disparity = pinhole(layers, SIZE_HW)
    truth = thin_lens(layers, SIZE_HW, gain_px, focus, COUNT[int(gain_px)])
    np.savez(
        path,
        linear=linear,
        truth=truth,
        disparity=disparity,
        focus_disparity=np.float32(focus),
        gain_px=np.float32(gain_px),
    )


def main():
    """Render all scenes, dev first; existing files are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("/tmp/thinlens/planes"))
    parser.add_argument("--only", default="", help="part of a name")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    jobs = [(g, half) for half in ("d", "h") for g in COUNT]
    for gain, half in jobs:
        for scenes in (DEV if half == "d" else HELD_OUT,):
            for name, (build, seed, focuses) in scenes.items():
                for focus in focuses:
                    path = args.out / f"{half}-{name}-K{gain}-{round(100 * focus):02d}.npz"
                    if path.exists() or args.only not in path.stem:
                        continue
                    write(path, build(np.random.default_rng(seed)), float(gain), focus)
                    print(path, flush=True)


if __name__ == "__main__":
    main()
