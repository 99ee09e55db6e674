"""Edge refinement: a network's small disparity map becomes one with the photo's own sharp edges.

    disparity -> 384: snap -> 768: snap -> 1536: snap -> full: bilinear, and at edges choose a side

A network's depth edge is a ramp several pixels wide and not quite where the photo's edge is. A ramp
makes halos when the picture is refocused: a pixel belongs to the near thing or to the far one. So,
near edges only, every pixel takes the depth on which its like-coloured surroundings agree (weighted
mode), coarse to fine. Slanted surfaces, skies and everything else away from edges stay as they are.

Limits: where both sides of an edge have the same colour there is nothing to snap to; glass and
mirrors keep whatever the network said.

Source: joint bilateral upsampling (Kopf et al. 2007) with the weighted mean replaced by a mode, as
    in "Weighted mode filtering" (Min, Lu, Do 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from pullfocus.cores import in_bands


@dataclass(frozen=True, slots=True)
class RefineSettings:
    """Numbers of the refinement, chosen with benchmarks/refine_edges.py.

    levels_px: longer sides of the pictures at which edges are snapped, coarse to fine.
    reach_px: how far a pixel looks for its like, at each level. rounds: repeats, at each level.
    step: it looks at every step-th pixel.
    colour_sigma: difference of gamma-2 colour (0..1) that counts as unlike.
    edge: share of the map's range by which disparity must bend to count as an edge.
    """

    levels_px: tuple[int, ...] = (384, 768, 1536)
    reach_px: tuple[int, ...] = (6, 8, 6)
    rounds: tuple[int, ...] = (1, 1, 1)
    step: int = 2
    colour_sigma: float = 0.05
    edge: float = 0.01


DEFAULT = RefineSettings()


def enlarge(
    values: Float32[np.ndarray, "a b"], size_hw: tuple[int, int]
) -> Float32[np.ndarray, "h w"]:
    """Resize a map bilinearly (by area when it shrinks), pixel centres at +0.5."""
    import cv2

    h, w = size_hw
    if values.shape == (h, w):
        return np.asarray(values, np.float32)
    shrinks = h < values.shape[0] and w < values.shape[1]
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    source = np.ascontiguousarray(values, np.float32)
    return np.asarray(cv2.resize(source, (w, h), interpolation=mode), np.float32)


def refine_to_edges(
    disparity: Float32[np.ndarray, "a b"],
    linear: Float32[np.ndarray, "h w 3"],
    settings: RefineSettings = DEFAULT,
    guides: list[Float32[np.ndarray, "p q 3"]] | None = None,
) -> Float32[np.ndarray, "h w"]:
    """Enlarge disparity to the photo and snap its edges to the photo's colour edges.

    linear: the photo in linear light. guides: see `guides_of`, where they are there already. The
    result lies between the smallest and largest disparity.
    """
    small = np.asarray(disparity, np.float32)
    limit = settings.edge * max(float(np.ptp(small)), 1e-9)
    guides = guides_of(linear, settings) if guides is None else guides
    for guide, reach, rounds in zip(guides, settings.reach_px, settings.rounds, strict=True):
        small = enlarge(small, guide.shape[:2])
        for _ in range(rounds):
            small = _snapped(small, guide, reach, limit, settings)
    small = _without_specks(small, limit)
    if small.shape == linear.shape[:2]:
        return small
    return _chosen(small, guides[-1], linear, limit, settings)


def guides_of(
    linear: Float32[np.ndarray, "h w 3"], settings: RefineSettings = DEFAULT
) -> list[Float32[np.ndarray, "p q 3"]]:
    """Shrink the photo to each level, gamma 2; never enlarge it."""
    import cv2

    long_side = max(linear.shape[:2])
    guides: list[np.ndarray] = []
    source = linear
    for level in reversed(settings.levels_px):
        scale = min(1.0, level / long_side)
        size = tuple(max(1, round(n * scale)) for n in linear.shape[1::-1])
        if size != source.shape[1::-1]:
            source = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        guides.insert(0, gamma_2(source))
    return guides


def gamma_2(linear: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """Encode linear light with gamma 2, 0..1: differences then are about what an eye sees."""
    return np.sqrt(np.clip(linear, 0, 1)).astype(np.float32, copy=False)


def _snapped(
    disparity: np.ndarray, guide: np.ndarray, reach: int, limit: float, settings: RefineSettings
) -> np.ndarray:
    from pullfocus.depth.edges.kernels import snap_rows

    band, certainty = _edge_band(disparity, reach, limit)
    out = np.empty_like(disparity)
    sharpness = np.float32(0.5 / settings.colour_sigma**2)

    in_bands(
        snap_rows, len(out), disparity, certainty, guide, band, reach, settings.step, sharpness, out
    )
    return out


def _without_specks(disparity: np.ndarray, limit: float) -> np.ndarray:
    """Take single stray pixels at edges back: the median of 3x3, where disparity is no plane."""
    import cv2

    median = cv2.medianBlur(disparity, 3)
    return np.where(np.abs(median - disparity) > limit, median, disparity)


def _edge_band(
    disparity: np.ndarray, reach: int, limit: float
) -> tuple[Bool[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Find where disparity bends, grown by `reach`, and how certain each pixel is in 0..1.

    A slanted plane equals its own local mean, so it is no edge; the foot and the shoulder of a
    ramp are. Certainty falls with the local slope: the middle of a ramp knows least.
    """
    import cv2

    size = 2 * reach + 1
    bend = np.abs(disparity - cv2.blur(disparity, (size, size)))
    band = cv2.dilate((bend > limit).astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    rise = cv2.morphologyEx(disparity, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    certainty = 1 / (1 + (rise / (0.5 * limit)) ** 2)
    return band, certainty.astype(np.float32)


def _chosen(
    small: np.ndarray, guide: np.ndarray, linear: np.ndarray, limit: float, settings: RefineSettings
) -> np.ndarray:
    import cv2

    from pullfocus.depth.edges.kernels import choose_rows

    out = enlarge(small, linear.shape[:2])
    rise = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    cells = cv2.dilate((rise > limit).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    sharpness = np.float32(0.5 / settings.colour_sigma**2)

    in_bands(choose_rows, len(out), small, guide, cells, linear, sharpness, out)
    return out
