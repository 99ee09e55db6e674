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

from pullfocus.cores import in_bands
from pullfocus.depth.edges.upsample import (
    DEFAULT,
    RefineSettings,
    enlarge,
    gamma_2,
    guides_of,
    refine_to_edges,
)
from pullfocus.depth.subjects.surface import carried_from

COEFFICIENTS_PX = 640
"""Longer side of the picture on which the guided filter's coefficients are fitted."""
RADIUS_SHARE = 0.006
"""Radius of its windows, as a share of the longer side: how far the outline may move."""
REACH_SHARE = 0.025
"""Share of the longer side around a subject in which its probability counts."""
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
    guides = guides_of(linear, settings)
    out = refine_to_edges(layers.background, linear, settings, guides)
    wanted = _only_near(enlarge(probability, disparity.shape), everyone)
    coefficients = _guided_coefficients(wanted, guides[-1], coefficients_px)
    tiles = list(_tiles(wanted, (linear.shape[0], linear.shape[1])))

    def cut(first: int, end: int) -> None:
        for tile in tiles[first:end]:
            inside = _inside(tile, wanted, coefficients, linear)
            np.copyto(out[tile.slices], tile.crop(layers.surface), where=inside)

    in_bands(cut, len(tiles))
    return out


def _inside(
    tile: _Tile, probability: Map, coefficients: np.ndarray, linear: np.ndarray
) -> Bool[np.ndarray, "p q"]:
    """Say which pixels of a tile belong to a subject."""
    likely = tile.crop(probability)
    inside: np.ndarray = likely > 0.5
    undecided = (likely > UNDECIDED[0]) & (likely < UNDECIDED[1])
    rows, columns = np.flatnonzero(undecided.any(axis=1)), np.flatnonzero(undecided.any(axis=0))
    if not rows.size:
        return inside
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    smaller = tile.part(*part)
    a_b = smaller.crop(coefficients)
    alpha = np.einsum("yxc,yxc->yx", a_b[..., :3], gamma_2(linear[smaller.slices])) + a_b[..., 3]
    inside[part] = np.where(undecided[part], alpha > INSIDE, inside[part])
    return inside


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

    reach = max(3, round(REACH_SHARE * max(everyone.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(everyone.astype(np.uint8), kernel) > 0
    return np.where(near, probability, np.float32(0)).astype(np.float32)


def _guided_coefficients(
    probability: Map, guide: Float32[np.ndarray, "m n 3"], coefficients_px: int
) -> Float32[np.ndarray, "c d 4"]:
    """Fit probability = a . colour + b in windows; return a (3 channels) and b, smoothed.

    Source: He, Sun, Tang 2013, "Guided image filtering", equations 14, 15 and 18; subsampled as in
        He and Sun 2015, "Fast guided filter".
    """
    import cv2

    scale = min(1.0, coefficients_px / max(guide.shape[:2]))
    size_wh = tuple(max(1, round(n * scale)) for n in guide.shape[1::-1])
    guide = cv2.resize(guide, size_wh, interpolation=cv2.INTER_AREA)
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

    def part(self, rows: slice, columns: slice) -> _Tile:
        """Return a rectangle of this one, given in its own pixels."""
        top, left = self.slices[0].start, self.slices[1].start
        moved = (
            slice(top + rows.start, top + rows.stop),
            slice(left + columns.start, left + columns.stop),
        )
        return _Tile(moved, self.size_hw)

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
                yield _Tile(slices, size_hw)


def _covering(first: int, end: int, length: int, cells: int) -> slice:
    """Return the cells of a map that pixels first..end of `length` read, one to spare."""
    low = int(np.floor(first * cells / length)) - 1
    high = int(np.ceil(end * cells / length)) + 1
    return slice(max(low, 0), min(high, cells))
