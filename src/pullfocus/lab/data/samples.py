"""What the readers give and training takes: frozen samples of plain arrays, one kind a file layout.

    files or seeds -> reader (a sequence, lazy) -> sample -> augment -> batch

`Frame` (one picture with measured depth) lives in `truth`, beside the sets that it came with.

Convention: pictures are h w 3 uint8 RGB, sRGB-encoded, upright. Camera axes are x right, y down,
z forward. Intrinsics count pixel centres at +0.5, so that a centred camera has cx = w / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, UInt8

from pullfocus.lab.data.truth import Frame

__all__ = ["Clip", "Frame", "LabelledView", "StereoPair"]


@dataclass(frozen=True, eq=False)
class StereoPair:
    """Two rectified pictures side by side.

    Attributes:
        disparity_px: of the left picture, >= 0, NaN = unknown, 0 = infinitely far; or None.
        focal_px: of both cameras at this picture size; NaN where the layout does not say.
        baseline_m: distance between the cameras; NaN where the layout does not say.

    Convention: the point at x in the left picture lies at x - disparity_px in the right one;
        depth_m = focal_px * baseline_m / disparity_px.
    """

    name: str
    left: UInt8[np.ndarray, "h w 3"]
    right: UInt8[np.ndarray, "h w 3"]
    disparity_px: Float32[np.ndarray, "h w"] | None
    focal_px: float
    baseline_m: float


@dataclass(frozen=True, eq=False)
class Clip:
    """Consecutive frames of one camera.

    Attributes:
        times_s: seconds since the first frame.
        intrinsics: fx 0 cx, 0 fy cy, 0 0 1 in pixels; NaN where unknown.
        poses: camera to world, metres; or None.
        depth_m: forward distance, NaN = unknown, infinity = sky; or None.
        moving: where the surface moves in the world by itself; or None.
        motion_m: how far the surface moves in the world until the next frame, in the axes of this
            frame's camera, 0 where nothing moves; or None.
    """

    name: str
    frames: UInt8[np.ndarray, "n h w 3"]
    times_s: Float[np.ndarray, " n"]
    intrinsics: Float[np.ndarray, "3 3"]
    poses: Float[np.ndarray, "n 4 4"] | None = None
    depth_m: Float32[np.ndarray, "n h w"] | None = None
    moving: Bool[np.ndarray, "n h w"] | None = None
    motion_m: Float32[np.ndarray, "n h w 3"] | None = None

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, eq=False)
class LabelledView:
    """One rendered picture with all that the renderer knows about its surfaces.

    Attributes:
        disparity: 1/m, 0 = sky.
        normal: unit vectors in camera axes, towards the camera; 0 = sky.
        person: where a person stands.
        part: number of the solid that is seen, from 0; -1 = sky.
    """

    name: str
    rgb: UInt8[np.ndarray, "h w 3"]
    disparity: Float32[np.ndarray, "h w"]
    normal: Float32[np.ndarray, "h w 3"]
    person: Bool[np.ndarray, "h w"]
    part: Int32[np.ndarray, "h w"]
