"""The shader on sides that no power of two divides: the same gain of lights, the same borders."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pullfocus.render.layered.highlight_recovery import find_lights
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens, linear_to_srgb, srgb_to_linear

pytestmark = pytest.mark.browser

SIZES = [(64, 96), (61, 83), (101, 107), (9, 100), (3, 5)]


def _spots(size_hw):
    """Dim noise with clipped spots at the borders, 8-bit."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 110, (*size_hw, 3), np.uint8)
    picture[size_hw[0] // 2 :, -3:] = 255
    picture[-2:, : size_hw[1] // 3] = 255
    picture[1:3, 1:3] = 255
    return picture


def _sent(pixels):
    """Encode a picture as the page takes it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def gains(chromium, server):
    """Ask the page for the gain of a picture."""
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(server.door)
    tab.wait_for_selector("body[data-ready]")
    yield tab
    context.close()


@pytest.mark.parametrize("size_hw", SIZES)
@pytest.mark.parametrize("make", [_spots, lambda hw: np.full((*hw, 3), 255, np.uint8)])
def test_the_gain_of_lights_is_that_of_the_renderer(gains, size_hw, make):
    pixels = make(size_hw)
    rgba = np.dstack([pixels, np.full(size_hw, 255, np.uint8)])
    told = gains.evaluate(
        """async ([pixels, width, height]) => {
          const {lightGain} = await import('/static/js/gl/lights.js');
          const {gain, columns, rows} = lightGain(pixels, width, height, 1);
          return [Array.from(gain), rows, columns]; }""",
        [rgba.ravel().tolist(), size_hw[1], size_hw[0]],
    )
    lights = find_lights(srgb_to_linear(pixels.astype(np.float32) / 255), 1.0)
    assert lights is not None
    assert (told[1], told[2]) == lights.gain.shape
    assert np.allclose(np.reshape(told[0], lights.gain.shape), lights.gain, atol=5e-3)


def _shown(gains, pixels, radius, highlights):
    """Return what the shader makes of a picture at one radius everywhere, as codes."""
    h, w = pixels.shape[:2]
    url = gains.evaluate(
        """async ([url, highlights, radius, width, height]) => {
          const {Renderer} = await import('/static/js/gl/renderer.js');
          const {lensGain} = await import('/static/js/optics.js');
          const image = new Image();
          image.src = url;
          await image.decode();
          const data = new Float32Array(width * height).fill(1);
          const depth = {width, height, data, kind: 'relative'};
          const lens = {focal_length_mm: 50, sensor_width_mm: 36, highlights};
          const all = {...pullfocus.info.defaults, ...lens};
          data.fill(radius / lensGain(all, depth, 0, Math.max(width, height)));
          const renderer = await Renderer.create();
          renderer.setSource('odd', await createImageBitmap(image), depth, 1);
          renderer.render(all, {plane: 0, range: null});
          return renderer.canvas.toDataURL('image/png'); }""",
        [_sent(pixels), highlights, radius, w, h],
    )
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as image:
        return np.asarray(image.convert("RGB"), float)


def _rendered(pixels, radius, highlights):
    linear = srgb_to_linear(pixels.astype(np.float32) / 255)
    radii = np.full(pixels.shape[:2], radius, np.float32)
    out = render_linear(linear, radii, Lens(highlights=highlights))
    return 255 * linear_to_srgb(np.clip(out, 0, 1))


@pytest.mark.parametrize("size_hw", SIZES)
@pytest.mark.parametrize(("radius", "codes"), [(5, 16), (14, 2)])
def test_borders_are_those_of_the_renderer(gains, size_hw, radius, codes):
    """The page halves from 4 px on, which costs a few codes beside white at 5 px, not at 14."""
    pixels = _spots(size_hw)
    error = np.abs(_shown(gains, pixels, radius, 0) - _rendered(pixels, radius, 0))
    assert error.max() < (codes if min(size_hw) > 16 else 16)


@pytest.mark.parametrize("size_hw", [(64, 96), (61, 83), (101, 107)])
def test_a_light_gets_its_gain_at_its_own_place(gains, size_hw):
    """In the middle of the discs of lights that lie in all sorts of places of their cells."""
    pixels = np.full((*size_hw, 3), 10, np.uint8)
    places = [(8 + 17 * k, 9 + 19 * k) for k in range(min(size_hw) // 20)]
    for row, column in places:
        pixels[row : row + 2, column : column + 2] = 255
    shown, ours = _shown(gains, pixels, 7, 1), _rendered(pixels, 7, 1)
    for row, column in places:
        part = np.s_[row - 1 : row + 3, column - 1 : column + 3]
        assert ours[part].mean() > 40
        assert abs(shown[part].mean() - ours[part].mean()) < 9  # half size: a disc less flat
