"""What comes nearer from frame to frame, for `steady_depth`: a carried map, a moment later.

    camera's motion, carried disparity -> how much each surface has grown -> disparity

A surface at disparity d looks larger by 1 + t d after the camera went t towards it, and its
disparity is larger by as much. The flow tells both t and where d = 0 lies in a relative map. Flow
is wrong by a share of the way: a camera that mostly turns or goes sideways says little of how far
it came nearer, and counts the less.

Source: what is taken off for doubt: James and Stein 1961, the positive part.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from pullfocus.video.steady_depth_camera import CameraMove
from pullfocus.video.steady_depth_motion import Motion

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
