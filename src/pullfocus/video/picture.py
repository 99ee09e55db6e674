"""Render one frame: codes in, codes out, at a focus and with a lens that are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped

from pullfocus.depth.refine import refine_to_edges
from pullfocus.lens import blur_gain_px
from pullfocus.photo.colour import linearise
from pullfocus.render.fast import PreparedScene
from pullfocus.tone import ToneCurve
from pullfocus.types import Focus, Lens


@dataclass(frozen=True, slots=True)
class FrameRenderer:
    """What all frames of a video are rendered with.

    curve: between codes and light. refine: snap the edges of the depth to those of the frame.
    """

    curve: ToneCurve
    refine: bool = True

    def render(
        self,
        codes: Shaped[np.ndarray, "h w c"],
        disparity: Float32[np.ndarray, "a b"],
        focus: Focus,
        lens: Lens,
    ) -> Shaped[np.ndarray, "h w c"]:
        """Blur a frame; transparency stays as it is. `lens` must be resolved."""
        linear = linearise(codes[..., :3], self.curve)
        long_side_px = max(codes.shape[:2])
        full = refine_to_edges(disparity, linear)
        gain_px = blur_gain_px(lens, 0.0, long_side_px)
        reach_px = blur_gain_px(lens, focus.disparity, long_side_px) * max(
            float(full.max()) - focus.disparity, focus.disparity - float(full.min()), 0.0
        )
        blurred = PreparedScene(linear, full, gain_px, reach_px).render(focus, lens, long_side_px)
        out = self.curve.encode(blurred, 8 if codes.dtype == np.uint8 else 16)
        return np.dstack([out, codes[..., 3:]]) if codes.shape[2] == 4 else out
