"""The camera's own motion between two frames, for `steady_depth`: it says where still things were.

    motion, carried disparity -> CameraMove -> flow of all that stands still
                                            -> Motion, by that flow where it explains the picture

Flow alone loses what has little texture, is small or moves fast; what stands still moves as the
camera and its distance say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from pullfocus.video.temporal_depth.optical_flow import (
    ALIKE,
    Motion,
    difference,
    inside,
    pixel_grid,
    sampled,
)

_STEP_PX = 8
"""Only every so-many-th pixel of either axis is fitted: there are seven unknowns."""
_ROUNDS = 5
"""Repeats of the robust fit; it stands still after four."""
_ENOUGH = 50
"""Followed places without which nothing is fitted."""
_HOLD = 1e-3
"""Weight of "nothing is offset" in the fit: with a flat scene the offset cannot be told."""
_AS_WELL = 0.02
"""Difference (0..1) by which the camera's flow may explain the picture worse than flow itself."""
_WINDOW_PX = 7
"""Side of the window in which both are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraMove:
    """Pan, tilt, roll; the ways across, down and forward times the disparity's unit; a zoom.

    numbers: float64 (7,), in that order. zoom: of disparity's offset, where its zero is not at
    infinity. Places and flow are in shares of the frame's longer side, from its middle.

    Source: Longuet-Higgins and Prazdny 1980, equations 2.6, for small turns and a focal length of
        the longer side.
    """

    numbers: Float64[np.ndarray, " 7"]

    @property
    def forward(self) -> float:
        """How far the camera went towards the scene, times the disparity's unit."""
        return float(self.numbers[5])

    @property
    def zoom(self) -> float:
        """The growth of what has disparity zero."""
        return float(self.numbers[6])

    def flow_px(self, disparity: Float32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w 2"]:
        """Return how far each pixel came from the frame before, if it stands still."""
        h, w = disparity.shape
        x, y = _places(h, w)
        pan, tilt, roll, across, down, forward, zoom = self.numbers.astype(np.float32)
        growth = forward * disparity + zoom
        flow_x = pan * (1 + x * x) + tilt * x * y - roll * y + across * disparity + growth * x
        flow_y = pan * x * y + tilt * (1 + y * y) + roll * x + down * disparity + growth * y
        return np.asarray(np.dstack([flow_x, flow_y]) * max(h, w), np.float32)


def camera_move(carried: Float32[np.ndarray, "h w"], motion: Motion) -> CameraMove | None:
    """Fit the camera's motion to where the pixels of `motion` went; None where few were followed.

    carried: disparity before, on the grid of now. By least squares with Cauchy weights (Holland,
    Welsch 1977), so that what moves by itself weighs little.
    """
    places = (slice(_STEP_PX // 2, None, _STEP_PX),) * 2
    seen = motion.seen[places]
    if np.count_nonzero(seen) < _ENOUGH:
        return None
    h, w = carried.shape
    x, y = (np.broadcast_to(a, (h, w))[places][seen].astype(float) for a in _places(h, w))
    d = carried[places][seen].astype(float)
    before = (motion.grid[places][seen] - np.array([w - 1, h - 1]) / 2) / max(h, w)
    flow = np.concatenate([x - before[:, 0], y - before[:, 1]])
    one, none = np.ones_like(x), np.zeros_like(x)
    across = np.stack([one + x * x, x * y, -y, d, none, d * x, x])
    down = np.stack([x * y, one + y * y, x, none, d, d * y, y])
    return CameraMove(_robust_fit(np.concatenate([across, down], axis=1), flow))


def still_followed(
    motion: Motion,
    move: CameraMove,
    disparity: Float32[np.ndarray, "h w"],
    before: UInt8[np.ndarray, "h w 3"],
    now: UInt8[np.ndarray, "h w 3"],
) -> Motion:
    """Follow by the camera's motion whatever it explains as well as flow does, or flow lost.

    disparity: of the frame before, on its own grid.
    """
    import cv2

    pixels, grid = pixel_grid(*disparity.shape), motion.grid
    for _ in range(2):  # where it was needs its disparity, which is found where it was
        grid = pixels - move.flow_px(sampled(disparity, grid))
    by_camera, by_flow = (_around(difference(before, now, at)) for at in (grid, motion.grid))
    alike = by_camera < ALIKE
    still = np.where(motion.seen, by_camera <= by_flow + _AS_WELL, alike) & inside(grid)
    places = cv2.copyTo(grid, still.astype(np.uint8), motion.grid.copy())
    return Motion(places, np.where(still, alike, motion.seen))


def _places(h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x (1, w) and y (h, 1) from the middle, in shares of the longer side."""
    x, y = (np.arange(n, dtype=np.float32) - np.float32((n - 1) / 2) for n in (w, h))
    return x[None] / max(h, w), y[:, None] / max(h, w)


def _around(values: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.blur(values, (_WINDOW_PX, _WINDOW_PX)))


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


_LEAST_OFFSET, _MOST_OFFSET = -0.05, 1.0
"""Where zero disparity may lie below the zero of a shot's unit."""
_DOUBT = 2.0
"""A way forward of less than so many times the mean flow, in shares of the frame, is not believed;
straight ahead it is some eight times that."""
_MOST_GROWTH = 0.2
"""Growth in one frame that is believed."""


def come_nearer(
    carried: Float32[np.ndarray, "h w"], motion: Motion, move: CameraMove | None, metric: bool
) -> Float32[np.ndarray, "h w"]:
    """Return what was carried along `motion`, grown by how much nearer the camera came.

    move: the camera's, None if unknown. metric: zero disparity is infinity; else its place is the
    move's. What moves by itself is taken to stand still: it is news to the filter anyway.
    """
    if move is None:
        return carried
    way_px = (motion.way_px * motion.seen).sum() / max(np.count_nonzero(motion.seen), 1)
    doubt = _DOUBT * float(way_px) / max(carried.shape)
    forward = move.forward
    if abs(forward) <= doubt:
        return carried
    offset = 0.0 if metric else float(np.clip(move.zoom / forward, _LEAST_OFFSET, _MOST_OFFSET))
    inverse_depth = np.maximum(carried + np.float32(offset), 0)
    sure = forward * (1 - (doubt / forward) ** 2)
    growth = np.clip(np.float32(sure) * inverse_depth, -_MOST_GROWTH, _MOST_GROWTH)
    return np.asarray(carried + growth * inverse_depth, np.float32)
