"""sRGB pictures for networks: converted from the photo's primaries, averaged in linear light."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pullfocus.photo import load
from pullfocus.photo.pixels import to_srgb8
from pullfocus.types import Photo


def test_srgb_photos_come_back_as_they_are(ramp8, srgb_profile, to_bytes):
    np.testing.assert_array_equal(to_srgb8(Photo.from_array(ramp8)), ramp8)
    tagged = load(to_bytes(Image.fromarray(ramp8), "PNG", icc_profile=srgb_profile))
    assert np.abs(to_srgb8(tagged).astype(int) - ramp8).max() <= 1


def test_other_primaries_agree_with_a_colour_management_system(ramp8, gamma_profile, to_bytes):
    muted = (ramp8 // 2 + 64).astype(np.uint8)
    photo = load(to_bytes(Image.fromarray(muted), "PNG", icc_profile=gamma_profile))
    expected = ImageCms.profileToProfile(
        Image.fromarray(muted), io.BytesIO(gamma_profile), ImageCms.createProfile("sRGB")
    )
    assert np.abs(to_srgb8(photo).astype(int) - np.asarray(expected)).max() <= 2


def test_display_p3_of_a_phone(shared):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    photo = load(shared("phone/heic/pug.heic"))
    assert photo.tone_curve.name == "Display P3"
    small = to_srgb8(photo, 64)
    assert small.shape == (48, 64, 3)


@pytest.mark.parametrize(("side", "shape"), [(20, (12, 20)), (40, (24, 40)), (400, (24, 40))])
def test_it_is_made_smaller_but_never_larger(side, shape, ramp8):
    assert to_srgb8(Photo.from_array(ramp8), side).shape[:2] == shape


def test_convention_averages_are_taken_in_linear_light():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    small = to_srgb8(Photo.from_array(np.dstack([checks] * 3).astype(np.uint8)), 8)
    assert np.unique(small).tolist() == [188]  # half the light, not half the code
