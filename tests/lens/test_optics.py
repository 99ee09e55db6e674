"""The thin lens: K by hand, the sharp range, what an f-number means."""

import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.lens import blur_gain_px, radius_map_px, resolve_lens
from pullfocus.types import CameraOptics, DepthMap, Focus, Lens

FULL_FRAME = Lens(f_number=1.8, focal_length_mm=50, sensor_width_mm=36)


def test_the_worked_example_of_the_docstring():
    gain = blur_gain_px(FULL_FRAME, focus_disparity=0.5, image_long_side_px=6000)
    assert gain == pytest.approx(118.708, abs=1e-3)
    lamp = DepthMap.from_depth_m(np.full((1, 1), 10.0))
    radius = radius_map_px(lamp, Focus.at_distance_m(2.0), FULL_FRAME, 6000)
    assert radius[0, 0] == pytest.approx(-47.48, abs=0.01)


def test_convention_nearer_than_the_focus_is_positive():
    depth = DepthMap.from_depth_m(np.array([[1.0, 2.0, 4.0]]))
    radius = radius_map_px(depth, Focus.at_distance_m(2.0), FULL_FRAME, 1000)
    assert np.sign(radius).tolist() == [[1, 0, -1]]


def test_blur_is_the_geometry_of_rays_through_the_rim():
    """Radius by similar triangles, without the formula: image planes of focus and object."""
    f, n, focus_m, object_m = 0.085, 2.0, 3.0, 7.0
    image_of_focus, image_of_object = 1 / (1 / f - 1 / focus_m), 1 / (1 / f - 1 / object_m)
    radius_m = (f / n / 2) * abs(image_of_focus - image_of_object) / image_of_object
    lens = Lens(f_number=n, focal_length_mm=85, sensor_width_mm=36)
    depth = DepthMap.from_depth_m(np.full((1, 1), object_m))
    radius_px = radius_map_px(depth, Focus.at_distance_m(focus_m), lens, 6000)[0, 0]
    assert abs(radius_px) == pytest.approx(radius_m / 0.036 * 6000, rel=1e-4)


def test_sharp_range_is_zero_inside_and_continuous_at_its_ends():
    d = np.linspace(0, 1, 1001, dtype=np.float32)[None]
    focus = Focus(0.5).with_range(0.7, 0.3)
    radius = radius_map_px(DepthMap(d), focus, FULL_FRAME, 1000)[0]
    assert np.all(radius[(d[0] >= 0.3) & (d[0] <= 0.7)] == 0)
    assert radius[0] < 0 < radius[-1]
    assert np.abs(np.diff(radius)).max() < 0.1


def test_phone_metadata_gives_the_full_frame_equivalent():
    depth = DepthMap.from_depth_m(np.ones((2, 2)))
    phone = CameraOptics(focal_length_mm=4.2, focal_length_35mm=26)
    assert resolve_lens(Lens(), depth, phone).focal_length_mm == 26
    sensor_only = CameraOptics(focal_length_mm=30, sensor_width_mm=24)
    assert resolve_lens(Lens(), depth, sensor_only).focal_length_mm == 45
    own = resolve_lens(Lens(focal_length_mm=85), depth, phone)
    assert (own.focal_length_mm, own.sensor_width_mm) == (85, 36)


def test_relative_depth_uses_the_reference_scene():
    depth = DepthMap(np.ones((2, 2), np.float32))
    lens = resolve_lens(Lens(), depth, CameraOptics(focal_length_mm=4.2, focal_length_35mm=26))
    assert (lens.focal_length_mm, lens.sensor_width_mm) == (50, 36)


def test_a_lens_cannot_focus_inside_its_focal_length():
    with pytest.raises(UsageError, match="cannot focus at 40 mm"):
        blur_gain_px(FULL_FRAME, 25.0, 1000)
