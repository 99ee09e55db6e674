"""Thin-lens optics: from disparity, focus and lens to a signed blur radius in pixels.

The step between `focus` and `render` on the line. Blur of a thin lens is linear in disparity:

    radius_px = K * (disparity - focus_disparity)          positive = nearer than the focus
    K = f^2 * z_f / (N * (z_f - f)) / 2 / sensor_width * image_width      (all in metres)

Worked example: 50 mm at f/1.8 on a 36 mm wide sensor, focused at 2 m, 6000 px wide. K =
0.05^2 * 2 / (1.8 * 1.95) / 2 / 0.036 * 6000 = 118.7 px per 1/m. A lamp at 10 m lies 0.4 1/m behind
the focus and becomes a disc of radius 47.5 px: 1/63 of the picture's width in diameter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from pullfocus.errors import UsageError
from pullfocus.types import CameraOptics, DepthMap, Focus, Lens

FULL_FRAME_WIDTH_MM = 36.0


@dataclass(frozen=True, slots=True)
class ReferenceScene:
    """What an f-number means when depth has an order but no metres.

    Relative disparity 0..1 is read as 0..1 per metre: the nearest thing stands at 1 m and the
    farthest at infinity, in front of a 50 mm lens on a full-frame (36 mm) sensor. A portrait
    distance, so that f/1.8 looks as people expect it from a portrait.
    """

    nearest_m: float = 1.0
    focal_length_mm: float = 50.0
    sensor_width_mm: float = FULL_FRAME_WIDTH_MM


REFERENCE_SCENE = ReferenceScene()


def resolve_lens(lens: Lens, depth: DepthMap, optics: CameraOptics | None = None) -> Lens:
    """Fill in focal length and sensor width that the lens leaves open.

    Given values win. With metric depth the camera's own come next, as full-frame equivalents:
    f/1.8 then means what f/1.8 does on a full-frame camera with this field of view (a phone's
    real f/1.8 blurs next to nothing). If `sensor_width_mm` alone is given, the focal length keeps
    the camera's field of view. With relative depth, or a silent file: the reference scene.
    """
    focal, sensor = lens.focal_length_mm, lens.sensor_width_mm
    if depth.kind == "metric" and focal is None and optics is not None:
        equivalent = _equivalent_focal_mm(optics)
        if equivalent is not None:
            focal = equivalent * (sensor or FULL_FRAME_WIDTH_MM) / FULL_FRAME_WIDTH_MM
    return replace(
        lens,
        focal_length_mm=focal or REFERENCE_SCENE.focal_length_mm,
        sensor_width_mm=sensor or REFERENCE_SCENE.sensor_width_mm,
    )


def _equivalent_focal_mm(optics: CameraOptics) -> float | None:
    if optics.focal_length_35mm:
        return optics.focal_length_35mm
    if optics.focal_length_mm and optics.sensor_width_mm:
        return optics.focal_length_mm * FULL_FRAME_WIDTH_MM / optics.sensor_width_mm
    return None


def blur_gain_px(lens: Lens, focus_disparity: float, image_long_side_px: int) -> float:
    """Compute K: pixels of blur radius per unit of disparity (1/m) away from the focus.

    Args:
        lens: with focal length and sensor width filled in (see `resolve_lens`).
        focus_disparity: 1/m; 0 focuses at infinity.
        image_long_side_px: the picture's longer side; the sensor's width lies along it.

    Raises:
        UsageError: the lens cannot focus that near (inside its focal length), or is incomplete.

    Source: thin-lens equation; ../shared/design.md, "Words and units".
    """
    if lens.focal_length_mm is None or lens.sensor_width_mm is None:
        raise UsageError("The lens needs a focal length and a sensor width; use resolve_lens.")
    f_m, sensor_m = lens.focal_length_mm / 1000.0, lens.sensor_width_mm / 1000.0
    closeness = 1.0 - f_m * focus_disparity  # (z_f - f) / z_f
    if closeness <= 1e-3:
        raise UsageError(
            f"A {lens.focal_length_mm:g} mm lens cannot focus at {1000 / focus_disparity:.0f} mm; "
            "choose a farther focus or a shorter lens."
        )
    return f_m**2 / (lens.f_number * closeness) / 2.0 / sensor_m * image_long_side_px


def side_of_range(disparity: np.ndarray, focus: Focus) -> np.ndarray:
    """Compute the signed distance, in disparity, from the focus or from the ends of its range."""
    d = np.asarray(disparity, np.float32)
    if focus.near_disparity is None or focus.far_disparity is None:
        return d - np.float32(focus.disparity)
    near = np.maximum(d - np.float32(focus.near_disparity), np.float32(0))
    return near + np.minimum(d - np.float32(focus.far_disparity), np.float32(0))


def radius_map_px(
    depth: DepthMap, focus: Focus, lens: Lens, image_long_side_px: int
) -> Float32[np.ndarray, "h w"]:
    """Compute the signed blur radius of every pixel; 0 inside the sharp range.

    Convention: positive = nearer than the focus, negative = farther. A sharp range moves the two
    sides towards zero, so that blur grows continuously from the ends of the range.
    """
    gain = blur_gain_px(lens, focus.disparity, image_long_side_px)
    return np.float32(gain) * side_of_range(depth.disparity, focus.checked_for(depth))
