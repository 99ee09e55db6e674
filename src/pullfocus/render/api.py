"""`render`: the fifth statement of the line. Resolves the lens and calls the fast renderer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from pullfocus.errors import UsageError
from pullfocus.frozen_arrays import read_only
from pullfocus.lens import blur_gain_px, resolve_lens, side_of_range
from pullfocus.render.push_pull import seen_colours
from pullfocus.types import DepthMap, Focus, Lens, Photo


def render(photo: Photo, depth: DepthMap, focus: Focus, lens: Lens | None = None) -> Photo:
    """Render what `lens`, focused at `focus`, would have taken of the photo.

    Args:
        photo: linear light, (h, w, 3), or whatever `load` takes.
        depth: aligned with the photo, (h, w).
        focus: a plane or a sharp range, in the depth's own unit.
        lens: f/1.8, round, when None. See `lens.optics` for what an f-number means.

    Returns:
        A photo of the same size; metadata, profile and alpha are those of the input.

    Raises:
        UsageError: depth of another size, a distance with relative depth, or a lens that cannot
            focus that near.
    """
    return next(render_many(photo, depth, [focus], lens))


def render_many(
    photo: Photo, depth: DepthMap, focuses: Sequence[Focus], lens: Lens | None = None
) -> Iterator[Photo]:
    """Render one photo at several focus settings, doing once what does not change.

    Raises:
        UsageError: see `render`.
    """
    from pullfocus.photo import as_photo
    from pullfocus.render.layered.renderer import PreparedScene

    photo = as_photo(photo)
    if not isinstance(depth, DepthMap):
        raise UsageError(
            f"The depth is given as a DepthMap, not as {type(depth).__name__}; make one by "
            "DepthMap.from_disparity (larger is nearer) or DepthMap.from_depth_m."
        )
    if depth.size_hw != photo.size_hw:
        raise UsageError(
            f"The depth map is {depth.size_hw[1]}x{depth.size_hw[0]} and the photo "
            f"{photo.width}x{photo.height}; bring it to the photo's size first "
            "(pullfocus.load_depth with size_hw)."
        )
    for focus in focuses:
        focus.checked_for(depth)
    full = resolve_lens(lens or Lens(), depth, photo.metadata.optics)
    long_side_px = max(photo.size_hw)
    gains = [blur_gain_px(full, focus.disparity, long_side_px) for focus in focuses]
    if not gains:
        return
    gain_at_infinity = blur_gain_px(full, 0.0, long_side_px)  # the same for every focus
    disparity = soften_where_doubtful(depth, gain_at_infinity)
    ends = np.array([disparity.min(), disparity.max()], np.float32)
    reach_px = max(
        gain * float(np.abs(side_of_range(ends, focus)).max())
        for gain, focus in zip(gains, focuses, strict=True)
    )
    scene = PreparedScene(seen_colours(photo), disparity, gain_at_infinity, reach_px)
    for focus in focuses:
        linear = scene.render(focus, full, long_side_px)
        yield photo.with_linear(read_only(linear), embedded_depth=None)


def soften_where_doubtful(depth: DepthMap, gain_px: float) -> Float32[np.ndarray, "h w"]:
    """Blend disparity with its neighbourhood's mean where its uncertainty would tear edges.

    The share of the mean grows from 0 to 1 as one standard deviation goes from 2 to 8 px of blur
    radius; without uncertainty the disparity is returned as it is. A torn edge becomes a ramp.
    """
    if depth.uncertainty is None:
        return depth.disparity
    import cv2

    doubt_px = depth.uncertainty * np.float32(gain_px)
    share = np.clip((doubt_px - 2.0) / 6.0, 0.0, 1.0)
    if not share.any():
        return depth.disparity
    window = 2 * max(1, round(max(depth.size_hw) / 400)) + 1
    mean = cv2.blur(depth.disparity, (window, window), borderType=cv2.BORDER_REFLECT)
    share = cv2.blur(share, (window, window), borderType=cv2.BORDER_REFLECT)
    return (depth.disparity + share * (mean - depth.disparity)).astype(np.float32, copy=False)
