"""What comes nearer from frame to frame, for `steady_depth`: a carried map, a moment later.

motion, carried disparity -> the camera's own motion -> how much each surface has grown -> disparity

A surface at disparity d looks larger by 1 + t d after the camera went t towards it, and its
disparity is larger by as much. The flow tells both t and where d = 0 lies in a relative map. Flow
is wrong by a share of the way: a camera that mostly turns or goes sideways says little of how far
it came nearer, and counts the less.

Source: what is taken off for doubt: James and Stein 1961, the positive part.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64

from pullfocus.video.steady_depth_motion import Motion

_STEP_PX = 8
"""Only every so-many-th pixel of either axis is fitted: there are seven unknowns."""
_ROUNDS = 5
"""Repeats of the robust fit; it stands still after four."""
_ENOUGH = 50
"""Followed places without which nothing is fitted."""
_HOLD = 1e-3
"""Weight of "nothing is offset" in the fit: with a flat scene the offset cannot be told."""
_LEAST_OFFSET, _MOST_OFFSET = -0.05, 1.0
"""Where zero disparity may lie below the zero of a shot's unit."""
_DOUBT = 2.0
"""A way forward of less than so many times the mean flow, in shares of the frame, is not believed;
straight ahead it is some eight times that."""
_MOST_GROWTH = 0.2
"""Growth in one frame that is believed."""


def come_nearer(
    carried: Float32[np.ndarray, "h w"], motion: Motion, metric: bool
) -> Float32[np.ndarray, "h w"]:
    """Return what was carried along `motion`, grown by how much nearer the camera came.

    metric: zero disparity is infinity; else its place is fitted too. What moves by itself is taken
    to stand still: it is news to the filter anyway.
    """
    fitted = _camera_motion(carried, motion)
    if fitted is None:
        return carried
    forward, zoom = fitted[5:]
    doubt = _DOUBT * float(motion.way_px[motion.seen].mean()) / max(carried.shape)
    if abs(forward) <= doubt:
        return carried
    offset = 0.0 if metric else float(np.clip(zoom / forward, _LEAST_OFFSET, _MOST_OFFSET))
    inverse_depth = np.maximum(carried + np.float32(offset), 0)
    sure = forward * (1 - (doubt / forward) ** 2)
    growth = np.clip(np.float32(sure) * inverse_depth, -_MOST_GROWTH, _MOST_GROWTH)
    return np.asarray(carried + growth * inverse_depth, np.float32)


def _camera_motion(carried: np.ndarray, motion: Motion) -> Float64[np.ndarray, " 7"] | None:
    """Fit pan, tilt, roll, the three ways times the disparity's unit, and the zoom of its offset.

    Source: Longuet-Higgins and Prazdny 1980, equations 2.6, for small turns and a focal length of
        the longer side, by least squares with Cauchy weights (Holland, Welsch 1977).
    """
    sampled = (slice(_STEP_PX // 2, None, _STEP_PX),) * 2
    seen = motion.seen[sampled]
    if np.count_nonzero(seen) < _ENOUGH:
        return None
    h, w = carried.shape
    y, x = (np.mgrid[:h, :w] - np.array([[[h - 1]], [[w - 1]]]) / 2)[(slice(None), *sampled)]
    before = motion.grid[sampled]
    x, y, d = (a[seen] for a in (x / max(h, w), y / max(h, w), carried[sampled].astype(float)))
    flow = np.concatenate([x, y]) - _centred(before[seen], (h, w)).T.ravel()
    one, none = np.ones_like(x), np.zeros_like(x)
    across = np.stack([one + x * x, x * y, -y, d, none, d * x, x])
    down = np.stack([x * y, one + y * y, x, none, d, d * y, y])
    return _robust_fit(np.concatenate([across, down], axis=1), flow)


def _centred(places: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    h, w = size_hw
    out: np.ndarray = (places - np.array([w - 1, h - 1]) / 2) / max(h, w)
    return out


def _robust_fit(rows: np.ndarray, flow: np.ndarray) -> Float64[np.ndarray, " 7"]:
    weight = np.ones(flow.size)
    found = np.zeros(len(rows))
    for _ in range(_ROUNDS):
        held = np.full(len(rows), 1e-9)
        held[-1] += _HOLD * weight.sum() / 2
        found = np.linalg.solve((rows * weight) @ rows.T + np.diag(held), rows @ (weight * flow))
        miss = np.hypot(*(flow - found @ rows).reshape(2, -1))
        weight = np.tile(1 / (1 + (miss / (2 * np.median(miss) + 1e-6)) ** 2), 2)
    return found
