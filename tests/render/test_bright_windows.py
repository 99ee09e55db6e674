"""Dark places beside bright windows keep their own light: rounding leaves no trace of the window.

The oracle is a plain convolution in float64. Light of 1000 and more is what float TIFFs hold.
"""

import cv2
import numpy as np
import pytest

from pullfocus.lens.aperture import aperture_kernel
from pullfocus.render.layered.blur_levels import (
    aperture_only,
    block_taps,
    column_sum_taps,
    reduced_radius_px,
    rung_level,
    rung_radius_px,
)
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens

DARK = 0.001
LENSES = [
    Lens(highlights=0.0),
    Lens(blades=5, rotation_deg=17, highlights=0.0),
    Lens(ring=0.4, highlights=0.0),
    Lens(squeeze=1.5, edge_softness=0.3, highlights=0.0),
]
KERNELS = [(radius, lens) for radius in (1.0, 3.0, 4.6, 6.3, 8.9) for lens in LENSES]


def _window(light, size_hw=(260, 230)):
    picture = np.full((*size_hw, 3), DARK, np.float32)
    picture[20:150, 15:170] = light
    return picture


def _oracle(picture, rung, lens):
    kernel = aperture_kernel(rung_radius_px(rung), aperture_only(lens)).astype(np.float64)
    return cv2.filter2D(picture.astype(np.float64), -1, kernel, borderType=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("light", [1.0, 1e3, 1e6])
@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("rung", [1, 4, 6, 7])
def test_a_window_is_blurred_as_by_a_plain_convolution(rung, lens, light):
    picture = _window(light)
    out = render_linear(picture, np.full(picture.shape[:2], -rung_radius_px(rung)), lens)
    expected = _oracle(picture, rung, lens)
    dark = expected < 2 * DARK
    assert dark.sum() > 20_000
    assert np.abs(out / expected - 1)[dark].max() < 1e-4
    assert np.abs(out / expected - 1).max() < 1e-3


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("radius", [-2.6, -7.8, -14.0, 30.0])
def test_no_side_of_a_window_loses_light(radius, turns):
    """At any level of the pyramid, between rungs, on either side of the focus."""
    picture = np.ascontiguousarray(np.rot90(_window(1e5), turns))
    out = render_linear(picture, np.full(picture.shape[:2], radius, np.float32), LENSES[0])
    assert out.min() > 0
    far = cv2.erode((picture[..., 0] < 1).astype(np.uint8), np.ones((141, 141))) > 0
    assert far.any()
    assert np.abs(out[far] / DARK - 1).max() < 1e-4


def test_a_row_of_lamps_leaves_nothing_below_their_discs():
    picture = np.zeros((300, 200, 3), np.float32)
    picture[60:64, 20:180:7] = (1e6, 3e5, 7e5)
    for lens in (LENSES[0], LENSES[1]):
        out = render_linear(picture, np.full((300, 200), -30.0, np.float32), lens)
        assert out.min() == 0.0
        assert out[100:].max() == 0.0


@pytest.mark.parametrize(("radius", "lens"), KERNELS)
def test_blocks_of_rows_make_up_the_kernel(radius, lens):
    kernel = aperture_kernel(radius, lens)
    half = kernel.shape[0] // 2
    made = np.zeros(kernel.shape)
    for block, dy, dx, weight in zip(*block_taps(kernel), strict=True):
        made[dy + half : dy + half + (1 << block), dx + half] += weight
    assert np.abs(made - kernel).max() <= 1e-5 * kernel.max()
    assert (made > 0).sum() == np.count_nonzero(kernel)


@pytest.mark.parametrize(("radius", "lens"), KERNELS)
def test_taps_of_every_column_sum_to_nothing(radius, lens):
    """Else a part of every light would be left in all rows below it."""
    _, dx, weight = column_sum_taps(aperture_kernel(radius, lens))
    for column in np.unique(dx):
        assert weight[dx == column].sum(dtype=np.float32) == 0.0


def test_the_tensors_show_the_same_window():
    pytest.importorskip("torch")
    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    picture = _window(1e4)
    picture[200, 40:190:9] = 1e5  # lamps, whose discs are summed down the columns
    radius = np.full(picture.shape[:2], 1.0, np.float32)
    scene = upload_scene(picture, radius, 40.0, 40.0, device="cpu")
    for gain in (6.0, 40.0):
        out = render_on_device(scene, gain, 0.0, 0.0, LENSES[0]).numpy().transpose(1, 2, 0)
        fast = render_linear(picture, gain * radius, LENSES[0])
        assert out.min() >= DARK * (1 - 1e-4)
        assert np.abs(out - fast).max() <= 2e-3 * fast.max()


def test_reduced_rungs_stay_within_the_tallest_block():
    for rung in range(60):
        reach = aperture_kernel(reduced_radius_px(rung), Lens()).shape[0]
        assert reach < 32, (rung, rung_level(rung))
