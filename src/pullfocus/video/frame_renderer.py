"""Render one frame: codes in, codes out, at a focus and with a lens that are given.

    codes -> half size, linear -> depth snapped to edges -> blur -> enlarge + detail -> codes

The blur is computed at half size, less what halving and enlarging blur by themselves. What half
size cannot hold is detail finer than two pixels. It survives only where the picture is sharp, and
there the frame's own is laid back on: see `kept_detail`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped, UInt16

from pullfocus.depth.edges.upsample import RefineSettings, enlarge, refine_to_edges
from pullfocus.depth.subjects.instances import patches_of
from pullfocus.depth.subjects.outline import refine_with_masks
from pullfocus.lens import blur_gain_px, side_of_range
from pullfocus.photo.pixels import linearise
from pullfocus.render.layered.renderer import PreparedScene
from pullfocus.tone import ToneCurve, decode_table, encode_table
from pullfocus.types import DepthMap, Focus, Lens

COEFFICIENTS_PX = 256
"""Size at which outlines of people are fitted to the frame: coarser than in photos, for speed."""
LEAST_PX = 400
"""Frames whose shorter side is below this are rendered at full size: they are quick anyway."""
NOISE = 0.004
"""Contrast (share of the codes) below which detail says nothing about how much of it survived."""
RESAMPLING_PX = 2.0
"""Radius of the disc that blurs as much as halving and enlarging a picture do.

Source: variances add up: a box of 2 px has 1/3, a tent of 2 px to either side 2/3, a disc r^2 / 4.
"""


@dataclass(slots=True)
class FrameRenderer:
    """What all frames of a video are rendered with; frames may be rendered side by side.

    curve: between codes and light. refine: snap the edges of the depth to those of the frame.
    fine: render at full size, which takes three times as long. quick: snap edges in one step.
    """

    curve: ToneCurve
    refine: bool = True
    fine: bool = False
    quick: bool = False

    def render(
        self,
        codes: Shaped[np.ndarray, "h w c"],
        depth: DepthMap,
        focus: Focus,
        lens: Lens,
    ) -> Shaped[np.ndarray, "h w c"]:
        """Blur a frame; transparency stays as it is. `lens` must be resolved.

        depth: of any size; where it has a mask of people, that cuts it at their outlines.
        """
        small = not self.fine and min(codes.shape[:2]) >= LEAST_PX
        colours = np.ascontiguousarray(codes[..., :3])
        out = (self._at_half_size if small else self._at_full_size)(colours, depth, focus, lens)
        return np.dstack([out, codes[..., 3:]]) if codes.shape[2] == 4 else out

    def _at_full_size(
        self, codes: np.ndarray, depth: DepthMap, focus: Focus, lens: Lens
    ) -> np.ndarray:
        linear = linearise(codes, self.curve)
        blurred = _blurred(linear, self._fitted(depth, linear), focus, lens)
        return self.curve.encode(blurred, 8 if codes.dtype == np.uint8 else 16)

    def _at_half_size(
        self, codes: np.ndarray, depth: DepthMap, focus: Focus, lens: Lens
    ) -> np.ndarray:
        from pullfocus.video.half_res_kernels import compose, halve

        h, w = codes.shape[:2]
        linear = np.empty(((h + 1) // 2, (w + 1) // 2, 3), np.float32)
        halve(codes, decode_table(self.curve, 8 * codes.itemsize)[0], linear)
        fitted = self._fitted(depth, linear)
        radius_px = _radius_px(fitted, focus, lens, max(h, w))
        gain_px = blur_gain_px(lens, focus.disparity, max(h, w))
        left = _without_resampling(fitted, focus, gain_px)
        plain = self._encoded(linear)
        blurred = self._encoded(_blurred(linear, left, focus, lens))
        out = np.empty((h, w, 3), codes.dtype)
        scale = np.iinfo(codes.dtype).max / 65535
        compose(codes, blurred, plain, kept_detail(blurred, plain, radius_px), scale, out)
        return out

    def _encoded(self, linear: np.ndarray) -> UInt16[np.ndarray, "a b 3"]:
        from pullfocus.video.half_res_kernels import to_codes

        table = encode_table(self.curve, 16)
        codes = np.empty(linear.shape, np.uint16)
        to_codes(linear, table.shift, table.offset, table.slope, codes)
        return codes

    def _fitted(self, depth: DepthMap, linear: np.ndarray) -> np.ndarray:
        h, w = linear.shape[:2]
        disparity = depth.disparity
        if not self.refine:
            return enlarge(disparity, (h, w))
        # the last level is the frame itself: nothing is left to enlarge
        long_side_px = max(h, w)
        if self.quick:
            steps = RefineSettings((long_side_px,), (4,), (1,))
        else:
            steps = RefineSettings((max(disparity.shape), long_side_px), (6, 2), (1, 1))
        if depth.person is None:
            return refine_to_edges(disparity, linear, steps)
        person = enlarge(depth.person, depth.size_hw)
        people = patches_of(person)
        return refine_with_masks(disparity, people, person, linear, steps, COEFFICIENTS_PX)


def kept_detail(
    blurred: UInt16[np.ndarray, "a b 3"],
    plain: UInt16[np.ndarray, "a b 3"],
    radius_px: Float32[np.ndarray, "a b"],
) -> Float32[np.ndarray, "a b"]:
    """Say by how much detail too fine for half size survives: 0 none of it, 1 all.

    The finest detail that half size holds is compared before and after the blur, in small windows:
    that accounts for veils of nearer things and for changed contrast at edges. Where a surface is
    itself out of focus by less than RESAMPLING_PX, a mixture of the frame and of its half-size copy
    has the variance of its disc: the share of the frame is 1 - (radius / RESAMPLING_PX)^2.

    radius_px: blur radius in pixels of the full size.
    """
    import cv2

    before, after = (_finest(picture) for picture in (plain, blurred))
    window = (5, 5)
    common = cv2.boxFilter(before * after, -1, window) + NOISE**2
    survived = common / (cv2.boxFilter(before * before, -1, window) + NOISE**2)
    least = cv2.erode(radius_px, np.ones((3, 3), np.uint8))  # an edge belongs to its sharper side
    share = np.maximum(1 - (least / np.float32(RESAMPLING_PX)) ** 2, 0)
    return np.clip(survived, 0, 1).astype(np.float32, copy=False) * share


def _finest(picture: np.ndarray) -> np.ndarray:
    """Return what a picture loses to a blur of 3x3, as a share of the codes."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(65535)
    return grey - cv2.blur(grey, (3, 3))


def _blurred(linear: np.ndarray, disparity: np.ndarray, focus: Focus, lens: Lens) -> np.ndarray:
    long_side_px = max(linear.shape[:2])
    reach_px = float(_radius_px(disparity, focus, lens, long_side_px).max())
    scene = PreparedScene(linear, disparity, blur_gain_px(lens, 0.0, long_side_px), reach_px)
    return scene.render(focus, lens, long_side_px)


def _without_resampling(disparity: np.ndarray, focus: Focus, gain_px: float) -> np.ndarray:
    """Move disparity towards the focus so that blur and resampling together have the radius."""
    side = side_of_range(disparity, focus)
    left = np.sqrt(np.maximum(side * side - np.float32((RESAMPLING_PX / gain_px) ** 2), 0))
    out: np.ndarray = np.maximum(np.float32(focus.disparity) + np.copysign(left, side), 0)
    return out


def _radius_px(disparity: np.ndarray, focus: Focus, lens: Lens, long_side_px: int) -> np.ndarray:
    """Return the blur radius of every pixel, without its sign."""
    gain_px = blur_gain_px(lens, focus.disparity, long_side_px)
    return np.abs(np.float32(gain_px) * side_of_range(disparity, focus))
