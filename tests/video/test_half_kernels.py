"""The loops of rendering at half size against what they stand for."""

import numpy as np
import pytest

from pullfocus.tone import SRGB, ToneCurve, encode_table
from pullfocus.video.half_res_kernels import compose, to_codes
from pullfocus.video.media.colour import ColourTags, tone_curve_of

_CHANNELS = np.array([1.0, 1.5, 2.0])
A_CURVE_EACH = ToneCurve("each", lambda x: x**_CHANNELS, lambda y: y ** (1 / _CHANNELS))


@pytest.mark.parametrize("curve", [SRGB, tone_curve_of(ColourTags(transfer=16)), A_CURVE_EACH])
def test_light_becomes_the_codes_of_its_curve(curve):
    light = np.random.default_rng(0).random((40, 50, 3), np.float32) * np.float32(1.2)
    light[0, 0], light[0, 1] = (-0.1, 0.0, 1.0), (1e-6, 0.5, 1.1)
    table = encode_table(curve, 16)
    codes = np.empty(light.shape, np.uint16)
    to_codes(light, table.shift, table.offset, table.slope, codes)
    assert np.abs(codes.astype(int) - curve.encode(light, 16)).max() <= 1


@pytest.mark.parametrize("size_hw", [(20, 30), (21, 31)])
def test_enlarging_adds_the_frames_own_detail_where_it_is_kept(size_hw):
    h, w = size_hw
    half_hw = (h + 1) // 2, (w + 1) // 2
    codes = np.random.default_rng(1).integers(0, 256, (h, w, 3), np.uint8)
    plain = np.full((*half_hw, 3), 100 * 257, np.uint16)
    blurred = np.full((*half_hw, 3), 120 * 257, np.uint16)
    kept = np.zeros(half_hw, np.float32)
    kept[:, half_hw[1] // 2 :] = 1.0
    out = np.empty_like(codes)
    compose(codes, blurred, plain, kept, 255 / 65535, out)
    edge = 2 * (half_hw[1] // 2)
    assert (out[:, : edge - 1] == 120).all()
    with_detail = np.clip(codes[:, edge + 1 :].astype(int) + 20, 0, 255)
    assert np.abs(out[:, edge + 1 :] - with_detail).max() <= 1
