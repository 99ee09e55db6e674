"""Depth at the photo's size where subjects are: their mask decides on which side a pixel lies.

    disparity, masks -> layers: each subject's surface, and the background carried up to it
    probability, photo -> guided filter -> outline at the photo's size
    background -> refine_to_edges -> inside the outline: surface; outside: background

Colour edges decide everywhere else (`depth.refine`). At the outline of a subject they are a worse
guide than the mask: hair, hands and clothes have colours of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.depth.refine import (
    DEFAULT,
    RefineSettings,
    enlarge,
    gamma_2,
    refine_to_edges,
)
from pullfocus.depth.subjects.surface import carried_from

COEFFICIENTS_PX = 640
"""Longer side of the picture on which the guided filter's coefficients are fitted."""
RADIUS_SHARE = 0.012
"""Radius of its windows, as a share of the longer side: how far the outline may move."""
EPSILON = 1e-4
"""Its regularisation: variance of gamma-2 colour (0..1) below which a window counts as flat."""
INSIDE = 0.45
"""Filtered probability from which a pixel belongs to the subject."""
UNDECIDED = (0.03, 0.97)
"""Probabilities between which the photo's colours are asked."""
FOOT_SHARE = 0.15
"""Share of a subject's height, from its lowest row, in which it may stand on nearer ground."""
TILE_PX = 256
"""Side of the tiles in which the photo is worked on: few of them hold an outline."""

Mask = Bool[np.ndarray, "h w"]
Map = Float32[np.ndarray, "h w"]


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Both sides of every outline, at the network's resolution, each known beyond the outline too.

    surface: disparity of the subjects. background: disparity of what is around and behind them.
    """

    surface: Float32[np.ndarray, "h w"]
    background: Float32[np.ndarray, "h w"]


def refine_with_masks(
    disparity: Map,
    subjects: list[Mask],
    probability: Float32[np.ndarray, "a b"],
    linear: Float32[np.ndarray, "m n 3"],
    settings: RefineSettings = DEFAULT,
    coefficients_px: int = COEFFICIENTS_PX,
) -> Float32[np.ndarray, "m n"]:
    """Enlarge disparity to the photo: cut by the masks at subjects, snapped to colours elsewhere.

    disparity: at the network's resolution, every subject one surface (see `surface.as_surfaces`).
    subjects: one mask each, on the same grid. probability: 0..1, of any subject, the same picture.
    linear: the photo in linear light. coefficients_px: see COEFFICIENTS_PX.
    """
    everyone = np.logical_or.reduce(subjects) if subjects else np.zeros(disparity.shape, bool)
    if not everyone.any() or everyone.all():
        return refine_to_edges(disparity, linear, settings)
    layers = layers_of(disparity, subjects)
    out = refine_to_edges(layers.background, linear, settings)
    size_hw = (linear.shape[0], linear.shape[1])
    wanted = _only_near(enlarge(probability, disparity.shape), everyone)
    coefficients = _guided_coefficients(wanted, linear, coefficients_px)
    for tile in _tiles(wanted, size_hw):
        likely = tile.crop(wanted)
        inside = likely > 0.5
        if tile.has_outline:
            a_b = tile.crop(coefficients)
            alpha = (a_b[..., :3] * gamma_2(linear[tile.slices])).sum(axis=2) + a_b[..., 3]
            undecided = (likely > UNDECIDED[0]) & (likely < UNDECIDED[1])
            inside = np.where(undecided, alpha > INSIDE, inside)
        out[tile.slices] = np.where(inside, tile.crop(layers.surface), out[tile.slices])
    return out


def layers_of(disparity: Map, subjects: list[Mask]) -> Layers:
    """Split a map at the outlines of subjects and carry either side beyond them."""
    everyone = np.logical_or.reduce(subjects)
    background = np.where(everyone, carried_from(disparity, ~everyone), disparity)
    surface = np.where(everyone, disparity, carried_from(disparity, everyone))
    for subject in subjects:
        lift = _foot_weight(subject) * np.maximum(background - surface, 0)
        surface = np.where(subject, surface + lift, surface)
    return Layers(surface.astype(np.float32), background.astype(np.float32))


def _foot_weight(subject: Mask) -> np.ndarray:
    """Return a column of weights: 1 at the lowest row, 0 from FOOT_SHARE of the height upwards.

    Feet are as near as the ground they stand on. A subject cut by the picture's lower border shows
    no feet.
    """
    rows = np.flatnonzero(subject.any(axis=1))
    height = max(int(rows[-1] - rows[0]), 1)
    if rows[-1] >= len(subject) - 2:
        return np.zeros((len(subject), 1), np.float32)
    above = (rows[-1] - np.arange(len(subject), dtype=np.float32)) / height
    return np.clip(1 - above / FOOT_SHARE, 0, 1)[:, None]


def _only_near(probability: Map, everyone: Mask) -> Map:
    """Forget what the network sees away from the subjects that count."""
    import cv2

    reach = max(3, round(2 * RADIUS_SHARE * max(everyone.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(everyone.astype(np.uint8), kernel) > 0
    return np.where(near, probability, np.float32(0)).astype(np.float32)


def _guided_coefficients(
    probability: Map, linear: Float32[np.ndarray, "m n 3"], coefficients_px: int
) -> Float32[np.ndarray, "c d 4"]:
    """Fit probability = a . colour + b in windows; return a (3 channels) and b, smoothed.

    Source: He, Sun, Tang 2013, "Guided image filtering", equations 14, 15 and 18; subsampled as in
        He and Sun 2015, "Fast guided filter".
    """
    import cv2

    scale = min(1.0, coefficients_px / max(linear.shape[:2]))
    size_wh = tuple(max(1, round(n * scale)) for n in linear.shape[1::-1])
    guide = gamma_2(cv2.resize(linear, size_wh, interpolation=cv2.INTER_AREA))
    p = enlarge(probability, guide.shape[:2])
    side = 2 * max(2, round(RADIUS_SHARE * max(guide.shape))) + 1

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT))

    colour, level = mean(guide), mean(p)
    with_p = mean(guide * p[..., None]) - colour * level[..., None]
    products = [guide[..., i] * guide[..., j] for i, j in _PAIRS]
    spread = mean(np.dstack(products)) - np.dstack(
        [colour[..., i] * colour[..., j] for i, j in _PAIRS]
    )
    a = _solved(spread, with_p)
    b = level - (a * colour).sum(axis=2)
    return mean(np.dstack([a, b]))


_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def _solved(spread: np.ndarray, right: np.ndarray) -> Float32[np.ndarray, "c d 3"]:
    """Solve (spread + EPSILON I) a = right for symmetric 3x3 matrices given as _PAIRS.

    Source: Cramer's rule; the cofactors of a symmetric matrix.
    """
    rr, rg, rb, gg, gb, bb = np.moveaxis(spread, -1, 0)
    rr, gg, bb = rr + np.float32(EPSILON), gg + np.float32(EPSILON), bb + np.float32(EPSILON)
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    over = 1 / (rr * c00 + rg * c01 + rb * c02)
    r, g, b = np.moveaxis(right, -1, 0)
    out = [c00 * r + c01 * g + c02 * b, c01 * r + c11 * g + c12 * b, c02 * r + c12 * g + c22 * b]
    return np.dstack([part * over for part in out]).astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class _Tile:
    """A rectangle of the photo, and how maps of any size are read there."""

    slices: tuple[slice, slice]
    size_hw: tuple[int, int]
    has_outline: bool

    def crop(self, values: np.ndarray) -> np.ndarray:
        """Enlarge what a map of the whole picture holds here, bilinearly, pixel centres at +0.5."""
        import cv2

        rows, columns = self.slices
        sy, sx = (n / full for n, full in zip(values.shape[:2], self.size_hw, strict=True))
        to_map = np.array(
            [
                [sx, 0, (columns.start + 0.5) * sx - 0.5],
                [0, sy, (rows.start + 0.5) * sy - 0.5],
            ]
        )
        size_wh = (columns.stop - columns.start, rows.stop - rows.start)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(values, to_map, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        )


def _tiles(probability: Map, size_hw: tuple[int, int]) -> Iterator[_Tile]:
    """Yield the tiles of the photo that hold some of a subject."""
    h, w = size_hw
    for top in range(0, h, TILE_PX):
        for left in range(0, w, TILE_PX):
            bottom, right = min(top + TILE_PX, h), min(left + TILE_PX, w)
            part = probability[_covering(top, bottom, h, probability.shape[0])][
                :, _covering(left, right, w, probability.shape[1])
            ]
            if part.max() > UNDECIDED[0]:
                slices = slice(top, bottom), slice(left, right)
                yield _Tile(slices, size_hw, bool(part.min() < UNDECIDED[1]))


def _covering(first: int, end: int, length: int, cells: int) -> slice:
    """Return the cells of a map that pixels first..end of `length` read, one to spare."""
    low = int(np.floor(first * cells / length)) - 1
    high = int(np.ceil(end * cells / length)) + 1
    return slice(max(low, 0), min(high, cells))
