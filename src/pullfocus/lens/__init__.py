"""The lens room: thin-lens optics, aperture shapes, and what EXIF says about the camera."""

from pullfocus.lens.optics import (
    REFERENCE_SCENE,
    blur_gain_px,
    radius_map_px,
    resolve_lens,
    side_of_range,
)

__all__ = ["REFERENCE_SCENE", "blur_gain_px", "radius_map_px", "resolve_lens", "side_of_range"]
