"""Where each frame is focused: the plane over time, from what the frames show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pullfocus.focus import focus_at
from pullfocus.types import DepthMap, Focus


@dataclass(slots=True)
class HeldPoint:
    """The plane of the thing at a point of a shot's first frame, held until the next cut."""

    point: tuple[float, float]
    _held: Focus | None = field(default=None, init=False)

    def focus(self, rgb: np.ndarray, disparity: np.ndarray, time_s: float, cut: bool) -> Focus:
        """Return the focus of the next frame."""
        if self._held is None or cut:
            self._held = focus_at(DepthMap(disparity), *self.point)
        return self._held
