"""Transfer curves of video: against the standards' own numbers, and there and back."""

import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError
from pullfocus.video.media.colour import HLG, PQ, ColourTags, preview_rgb8, tone_curve_of


@pytest.mark.parametrize("transfer", [1, 2, 4, 5, 6, 8, 13, 14, PQ, HLG])
def test_every_code_comes_back(transfer):
    curve = tone_curve_of(ColourTags(transfer=transfer))
    codes = np.arange(0, 65536, 17, np.uint16)[None, :, None].repeat(3, 2)
    back = curve.encode(curve.decode(codes), 16).astype(int)
    assert np.abs(back - codes).max() <= 32  # half a code of 10 bits
    small = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    if transfer not in (8, PQ):  # they have no 8-bit codes near black that could be told apart
        assert np.abs(curve.encode(curve.decode(small), 8).astype(int) - small).max() <= 1


@pytest.mark.parametrize(
    ("transfer", "encoded", "linear"),
    [
        (1, 0.5, 0.2597),  # BT.709: ((0.5 + 0.099) / 1.099) ^ (1 / 0.45)
        (PQ, 0.5081, 0.01),  # 100 of 10,000 nits: ST 2084
        (PQ, 0.7518, 0.1),
        (HLG, 0.5, 1 / 12),
        (HLG, 0.75, 0.2651),  # reference white: BT.2408
    ],
)
def test_convention_light_of_a_code(transfer, encoded, linear):
    curve = tone_curve_of(ColourTags(transfer=transfer))
    assert float(curve.to_linear(np.float64(encoded))) == pytest.approx(linear, rel=2e-3)
    assert float(curve.to_encoded(np.float64(linear))) == pytest.approx(encoded, rel=2e-3)


def test_matrices():
    assert ColourTags(matrix=2).swscale_matrix(1080) == 1
    assert ColourTags(matrix=2).swscale_matrix(480) == 5
    assert ColourTags(matrix=9).swscale_matrix(480) == 9
    with pytest.raises(UnreadableInputError, match=r"H\.273 code 8"):
        ColourTags(matrix=8).swscale_matrix(480)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_networks_see_hdr_as_bright_as_usual_video(transfer):
    tags = ColourTags(transfer=transfer)
    white = 0.0203 if transfer == PQ else 0.265
    light = np.full((8, 8, 3), 0.18 * white, np.float32)
    grey = preview_rgb8(tone_curve_of(tags).encode(light, 16), tags, 64)
    assert grey.dtype == np.uint8
    assert 90 < grey.mean() < 170
