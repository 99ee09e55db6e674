"""Surfaces and cut-outs for rendered scenes: from permitted photos and from noise.

A stack is n s s 4 uint8 RGBA; surfaces are opaque, cut-outs (people, foliage, blobs, rods) are
not. ``Stack.kinds`` says which layers are which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from pullfocus.lab.data.pack import Pack
from pullfocus.lab.teachers import PersonTeacher

SIDE = 160
"""Texture side, px."""


@dataclass(frozen=True)
class Stack:
    """Textures n s s 4 uint8 and, for each kind, the layers of that kind.

    Attributes:
        aspect: n, width / height a cut-out should be shown with.
    """

    rgba: np.ndarray
    kinds: dict[str, np.ndarray]
    aspect: np.ndarray

    @cached_property
    def plain(self) -> np.ndarray:
        """Return the third of the surfaces with the least contrast."""
        surfaces = self.kinds["surface"]
        contrast = self.rgba[surfaces][..., :3].std((1, 2)).mean(1)
        return surfaces[np.argsort(contrast)[: -(-len(surfaces) // 3)]]


def octave_noise(rng: np.random.Generator, side: int = SIDE, first: int = 3) -> np.ndarray:
    """Return side x side noise in 0..1: octaves of halving strength, from ``first`` cells up."""
    total = np.zeros((side, side), np.float32)
    cells, strength = first, 1.0
    while cells < side:
        cell = rng.random((cells, cells), np.float32)
        total += strength * cv2.resize(cell, (side, side), interpolation=cv2.INTER_CUBIC)
        cells, strength = cells * 2, strength * rng.uniform(0.4, 0.75)
    return (total - total.min()) / (np.ptp(total) + 1e-6)


def muted(rng: np.random.Generator) -> np.ndarray:
    """Return a colour 3 in 0..1, most of them near grey or brown as surfaces are."""
    grey = rng.uniform(0.1, 0.95)
    warm = np.array([1.0, 0.9, 0.75]) if rng.random() < 0.4 else np.ones(3)
    return np.clip(grey * warm + rng.normal(0, 1, 3) * rng.choice([0.03, 0.1, 0.25]), 0.02, 1)


def pattern(rng: np.random.Generator) -> np.ndarray:
    """Return one procedural surface SIDE SIDE 3 in 0..1: plain, noise, stripes, bricks, tiles."""
    noise = octave_noise(rng, first=int(rng.integers(2, 12)))[..., None]
    a, b = muted(rng), muted(rng)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    kind = rng.integers(5)
    n = int(rng.integers(2, 9))
    if kind == 0:
        return np.clip(a + 0.15 * (noise - 0.5), 0, 1)
    if kind == 1:
        return a * noise + b * (1 - noise)
    if kind == 2:
        stripes = ((x if rng.random() < 0.5 else y) * n % 1 < rng.uniform(0.1, 0.6))[..., None]
        return np.clip(np.where(stripes, a, b) + 0.2 * (noise - 0.5), 0, 1)
    rows = y * n
    shift = (np.floor(rows) % 2) * 0.5 if kind == 3 else 0 * rows
    joint = (rows % 1 < 0.06) | ((x * max(1, n // 2) + shift) % 1 < 0.04)
    cell = np.floor(rows) * 7.3 + np.floor(x * max(1, n // 2) + shift) * 3.1
    shade = 0.75 + 0.25 * np.sin(cell * 12.9)[..., None]
    return np.clip(np.where(joint[..., None], b, a * shade) + 0.25 * (noise - 0.5), 0, 1)


def blob(rng: np.random.Generator, leafy: bool) -> np.ndarray:
    """Return one procedural cut-out SIDE SIDE 4 in 0..1: a bush (leafy) or a smooth object."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    rough = octave_noise(rng, first=10 if leafy else 3)
    radius = np.hypot(x * rng.uniform(1, 1.4), y) + (rough - 0.5) * (0.5 if leafy else 0.25)
    alpha = radius < 0.38
    colour = pattern(rng)
    if leafy:
        green = np.array([rng.uniform(0.1, 0.5), rng.uniform(0.25, 0.6), rng.uniform(0.05, 0.25)])
        colour = green * (0.4 + 1.2 * octave_noise(rng, first=16)[..., None])
    return np.concatenate([np.clip(colour, 0, 1), alpha[..., None]], 2)


def lattice(rng: np.random.Generator) -> np.ndarray:
    """Return one cut-out of thin rods SIDE SIDE 4 in 0..1: fences, railings, branches, stems."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    if rng.random() < 0.5:
        step = int(rng.integers(10, 40))
        for at in range(step // 2, SIDE, step):
            cv2.line(canvas, (at, 0), (at, SIDE), 255, int(rng.integers(2, 6)))
        for at in rng.integers(0, SIDE, 2):
            cv2.line(canvas, (0, int(at)), (SIDE, int(at)), 255, int(rng.integers(2, 7)))
    else:
        for _ in range(int(rng.integers(5, 25))):
            start = rng.normal([SIDE / 2, SIDE], [SIDE / 8, 4]).astype(int)
            end = rng.integers(0, SIDE, 2)
            cv2.line(canvas, start.tolist(), end.tolist(), 255, int(rng.integers(1, 5)))
    return np.concatenate([pattern(rng), (canvas > 0)[..., None]], 2)


def photo_surface(photos: Pack, rng: np.random.Generator) -> np.ndarray:
    """Return a crop of a random photo, SIDE SIDE 3 uint8."""
    rgb = photos[int(rng.integers(len(photos)))].rgb
    side = int(min(rgb.shape[:2]) * rng.uniform(0.3, 1.0))
    y, x = (int(rng.integers(0, n - side + 1)) for n in rgb.shape[:2])
    return cv2.resize(rgb[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def person_cutouts(
    photos: Pack, teacher: PersonTeacher, limit: int
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield people cut out of photos by a public network: SIDE SIDE 4 uint8 and their aspect."""
    found = 0
    for item in photos:
        soft = teacher(item.rgb)
        mask = cv2.resize(soft, item.rgb.shape[1::-1]) > 0.5
        unsure = ((soft > 0.2) & (soft < 0.8)).mean() / max((soft > 0.5).mean(), 1e-6)
        if not 0.05 < mask.mean() < 0.7 or unsure > 0.2:
            continue
        stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8))[2]
        x, y, w, h, area = stats[1 + np.argmax(stats[1:, cv2.CC_STAT_AREA])]
        if h < 80 or area < 0.25 * w * h or h < w:
            continue
        cut = np.dstack([item.rgb, mask.astype(np.uint8) * 255])[y : y + h, x : x + w]
        yield cv2.resize(cut, (SIDE, SIDE), interpolation=cv2.INTER_AREA), w / h
        found += 1
        if found == limit:
            return


def build_stack(photos: Pack | None, people: PersonTeacher | None, seed: int) -> Stack:
    """Return 700 or so textures, deterministic by seed; procedural ones only without photos."""
    rng = np.random.default_rng(seed)
    made: list[tuple[str, np.ndarray, float]] = []
    made += [("surface", _byte(pattern(rng)), 1.0) for _ in range(120)]
    made += [("leaf", _byte(blob(rng, True)), rng.uniform(0.6, 1.3)) for _ in range(40)]
    made += [("object", _byte(blob(rng, False)), rng.uniform(0.5, 1.5)) for _ in range(30)]
    made += [("rods", _byte(lattice(rng)), rng.uniform(0.5, 2.0)) for _ in range(40)]
    if photos is not None:
        made += [("photo", photo_surface(photos, rng), 1.0) for _ in range(300)]
        if people is not None:
            cutouts = person_cutouts(photos, people, 250)
            made += [("person", rgba, aspect) for rgba, aspect in cutouts]
    names = np.array([kind for kind, _, _ in made])
    rgba = np.stack([_opaque(t) for _, t, _ in made])
    kinds = {kind: np.flatnonzero(names == kind) for kind in set(names.tolist())}
    kinds.setdefault("photo", kinds["surface"])
    kinds.setdefault("person", kinds["object"])
    return Stack(rgba, kinds, np.array([aspect for _, _, aspect in made]))


def _byte(texture: np.ndarray) -> np.ndarray:
    return (texture * 255).astype(np.uint8)


def _opaque(texture: np.ndarray) -> np.ndarray:
    if texture.shape[2] == 4:
        return texture
    return np.dstack([texture, np.full(texture.shape[:2], 255, np.uint8)])
