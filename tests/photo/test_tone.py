"""The law of tone curves: encode(decode(code)) == code, in sRGB and any sound profile."""

import pickle
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pullfocus.photo import load
from pullfocus.photo.metadata import icc
from pullfocus.tone import SRGB, ToneCurve, linear_to_srgb, srgb_to_linear

CODES8 = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
CODES16 = np.repeat(np.arange(65536, dtype=np.uint16).reshape(256, 256, 1), 3, axis=2)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def assert_exact(curve: ToneCurve) -> None:
    np.testing.assert_array_equal(curve.encode(curve.decode(CODES8), 8), CODES8)
    np.testing.assert_array_equal(curve.encode(curve.decode(CODES16), 16), CODES16)


def test_convention_srgb_round_trip_is_exact_for_every_code():
    assert_exact(SRGB)


def test_encode_is_the_function_rounded_to_nearest():
    linear = (np.random.default_rng(1).random((200, 200, 3)) ** 3).astype(np.float32)
    exact = linear_to_srgb(linear).astype(np.float64)
    assert np.abs(SRGB.encode(linear, 8) - exact * 255).max() < 0.54
    assert np.abs(SRGB.encode(linear, 16) - exact * 65535).max() < 0.53


def test_encode_clips_and_makes_nan_black():
    odd = np.array([[np.nan, -np.nan, np.inf, -np.inf, -1, 2, 1, 0, 1e-30]], np.float32)
    assert SRGB.encode(odd).tolist() == [[0, 0, 255, 0, 0, 255, 255, 0, 0]]
    assert SRGB.encode(odd, 16).tolist() == [[0, 0, 65535, 0, 0, 65535, 65535, 0, 0]]


def test_encode_takes_views_and_grey():
    linear = np.random.default_rng(2).random((9, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(SRGB.encode(linear[::-1, ::2]), SRGB.encode(linear)[::-1, ::2])
    np.testing.assert_array_equal(SRGB.encode(linear[..., 1]), SRGB.encode(linear)[..., 1])


def test_srgb_functions_invert_each_other():
    x = np.linspace(-1, 2, 1001, dtype=np.float32)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(x)), x, atol=2e-6)


def curv(*values: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def para(kind: int, *values: float) -> bytes:
    numbers = [round(value * 65536) for value in values]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(numbers)}i", kind, 0, *numbers)


SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    "body",
    [
        curv(),
        curv(round(1.8 * 256)),
        curv(*np.rint(np.linspace(0, 1, 1024) ** 2.2 * 65535).astype(int)),
        curv(*np.rint(srgb_to_linear(np.linspace(0, 1, 4096)) * 65535).astype(int)),
        para(0, 2.4),
        para(1, 2.2, 0.95, 0.05),
        para(2, 2.2, 0.95, 0.05, 0.0),
        para(3, *SRGB_PARAMETERS),
        para(4, *SRGB_PARAMETERS, 0.0, 0.0),
    ],
    ids=["identity", "gamma", "table", "srgb table", *(f"para{i}" for i in range(5))],
)
def test_convention_profile_round_trip_is_exact_for_every_code(make_profile, body):
    curve = icc.tone_curve(make_profile([body] * 3))
    assert curve is not None
    codes = CODES16
    if body.startswith(b"curv") and len(body) > 1000:  # a table of 1/65535 steps is flat near 0
        np.testing.assert_array_equal(curve.encode(curve.decode(CODES8))[2:], CODES8[2:])
        codes = CODES16[32:]
        assert np.array_equal(curve.encode(curve.decode(codes), 16), codes)
    else:
        assert_exact(curve)


def test_channels_may_differ(make_profile):
    curve = icc.tone_curve(make_profile([para(0, 1.8), para(0, 2.2), para(3, *SRGB_PARAMETERS)]))
    assert_exact(curve)
    linear = curve.decode(CODES8)
    np.testing.assert_allclose(linear[8, 0, 0], (128 / 255) ** 1.8, rtol=1e-4)
    np.testing.assert_allclose(linear[8, 0, 1], (128 / 255) ** 2.2, rtol=1e-4)


@QUICK
@given(gamma=st.floats(0.45, 3.0))
def test_any_gamma_round_trips(make_profile, gamma):
    curve = icc.tone_curve(make_profile([para(0, gamma)] * 3))
    assert np.array_equal(curve.encode(curve.decode(CODES8)), CODES8)


@QUICK
@given(data=st.binary(max_size=600), cut=st.integers(0, 700))
def test_damaged_profiles_never_raise(gamma_profile, data, cut):
    for profile in (
        data,
        gamma_profile[:cut],
        gamma_profile[:cut] + data + gamma_profile[cut + len(data) :],
    ):
        icc.colour_space(profile)
        curve = icc.tone_curve(profile)
        icc.matrix_to_srgb(profile)
        assert curve is None or np.isfinite(curve.decode(CODES8)).all()


@pytest.mark.parametrize(
    "body", [curv(65535, 30000, 0), curv(5, 5, 5), para(0, -1), para(3, 2, 0, 0, 0, 0), b"junk"]
)
def test_curves_without_inverse_are_refused(make_profile, body):
    assert icc.tone_curve(make_profile([body] * 3)) is None


def test_strange_profile_is_kept_and_noted(make_profile, ramp8, to_bytes):
    profile = make_profile([b"junk" * 4] * 3)
    photo = load(to_bytes(Image.fromarray(ramp8), "PNG", icc_profile=profile))
    assert photo.metadata.icc_profile == profile
    assert any("tone curve" in note for note in photo.metadata.notes)
    np.testing.assert_array_equal(photo.encoded, ramp8)


def test_convention_linear_light_follows_the_profile(gamma_profile, ramp8, to_bytes):
    photo = load(to_bytes(Image.fromarray(ramp8), "PNG", icc_profile=gamma_profile))
    np.testing.assert_allclose(photo.linear, (ramp8 / 255.0) ** (563 / 256), atol=1e-5)
    np.testing.assert_array_equal(photo.encoded, ramp8)


def test_photos_with_profiles_travel_between_processes(gamma_profile, ramp8, to_bytes):
    photo = load(to_bytes(Image.fromarray(ramp8), "PNG", icc_profile=gamma_profile))
    again = pickle.loads(pickle.dumps(photo))
    np.testing.assert_array_equal(again.encoded, ramp8)


def test_light_above_a_profile_s_white_stays_white(make_profile):
    """A curve that ends below 1 has codes beyond the top for what rendering makes brighter."""
    curve = icc.tone_curve(make_profile([curv(0, 4000, 18000, 36000, 58000)] * 3))
    bright = np.linspace(0.9, 3, 60, dtype=np.float32).reshape(4, 5, 3)
    assert (curve.encode(bright, 8) == 255).all()
    assert (curve.encode(bright, 16) == 65535).all()
