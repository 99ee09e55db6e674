"""The GPU shows what `render` makes: at least 38 dB, for every shape of lens and side of focus."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

LENSES = [
    {"focus_disparity": 0.8},
    {"focus_disparity": 0.1, "f_number": 1.0},
    {"focus_disparity": 0.5, "range": [0.6, 0.4], "f_number": 1.2},
    {"focus_disparity": 0.9, "f_number": 1.2, "blades": 6, "rotation_deg": 20, "roundness": 0.3},
    {"focus_disparity": 0.9, "squeeze": 1.6, "edge_softness": 0.6, "highlights": 1.0},
    {"focus_disparity": 0.2, "ring": 0.5, "edge_softness": -0.7},
    {"focus_disparity": 0.7, "cats_eye": 0.8, "f_number": 1.2},
    {"focus_disparity": 0.5, "f_number": 8.0},
]


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((a - b) ** 2), 1e-9)))


def test_the_shader_matches_the_renderer(new_page, client, server):
    page = new_page()
    page.enter()
    page.page.locator("[data-sample=hibiscus]").click()
    page.idle()
    id_ = page.js("() => pullfocus.photo.id")
    scores = {}
    for lens in LENSES:
        settings = page.js("(lens) => ({...pullfocus.info.defaults, ...lens})", lens)
        url = page.js(
            """(settings) => { const p = pullfocus.picture; pullfocus.photo.edit.now = settings;
              p.photo = pullfocus.photo; p.how = {}; p.renderHere();
              return p.renderer.canvas.toDataURL('image/png'); }""",
            settings,
        )
        here = decoded(base64.b64decode(url.split(",")[1]))
        answer = client.post(f"/api/photos/{id_}/preview", json={"settings": settings})
        scores[str(lens)] = psnr(here, decoded(answer.content))
    assert min(scores.values()) > 38, scores


def test_kernels_are_those_of_the_lens_room(new_page):
    from pullfocus.lens.aperture import aperture_kernel
    from pullfocus.types import Lens

    page = new_page()
    page.enter()
    for radius in (0.1, 1.0, 2.5, 5.0, 7.3):
        for lens in (Lens(), Lens(blades=5, roundness=0.2), Lens(squeeze=1.5, ring=0.4)):
            fields = {name: getattr(lens, name) for name in Lens.__dataclass_fields__}
            for flipped in (False, True):
                made = page.js(
                    """async ([radius, lens, flipped]) => {
                      const {apertureKernel, tapsOf} = await import('/static/js/gl/kernel.js');
                      const kernel = apertureKernel(radius, lens, flipped);
                      const sum = tapsOf(kernel, true).reduce((s, tap) => s + tap[2], 0);
                      return [Array.from(kernel.weights), sum]; }""",
                    [radius, fields, flipped],
                )
                expected = aperture_kernel(radius, lens, flipped=flipped)
                assert np.abs(np.array(made[0]).reshape(expected.shape) - expected).max() < 2e-4
                assert made[1] == pytest.approx(1)


def test_ladder_and_gain_are_those_of_python(new_page):
    from pullfocus.lens.optics import blur_gain_px
    from pullfocus.render.layered.blur_levels import ladder_index, rung_level, rung_radius_px
    from pullfocus.types import Lens

    page = new_page()
    page.enter()
    radii = [0, 0.3, 1, 2.2, 8.2, 8.5, 20, 77]
    told = page.js(
        """async (radii) => {
          const o = await import('/static/js/optics.js');
          return {places: radii.map(o.ladderIndex), radii: radii.map((_, k) => o.rungRadius(4 * k)),
            levels: radii.map((_, k) => o.rungLevel(4 * k)),
            gain: o.blurGain(1.8, 50, 36, 0.5, 6000)}; }""",
        radii,
    )
    assert np.allclose(told["places"], ladder_index(np.array(radii)), atol=1e-4)
    assert np.allclose(told["radii"], [rung_radius_px(4 * k) for k in range(len(radii))])
    assert told["levels"] == [rung_level(4 * k) for k in range(len(radii))]
    lens = Lens(f_number=1.8, focal_length_mm=50, sensor_width_mm=36)
    assert told["gain"] == pytest.approx(blur_gain_px(lens, 0.5, 6000))


def test_focus_point_is_read_as_python_reads_it(page, client):
    from pullfocus.focus import focus_at
    from pullfocus.types import DepthMap

    shape = page.js("() => [pullfocus.photo.depth.height, pullfocus.photo.depth.width]")
    data = np.array(page.js("() => Array.from(pullfocus.photo.depth.data)"), np.float32)
    depth = DepthMap(data.reshape(shape))
    for x, y in ((0.1, 0.2), (0.5, 0.5), (0.99, 0.999), (0.0, 1.0)):
        told = page.js("([x, y]) => pullfocus.photo.disparityAt(x, y)", [x, y])
        assert told == pytest.approx(focus_at(depth, x, y).disparity, abs=1e-6)


@pytest.mark.parametrize("lens", [{"f_number": 0.5, "focal_length_mm": 400}, {"f_number": 256}])
def test_extreme_lenses_keep_the_light(page, lens):
    told = page.js(
        """(lens) => { const p = pullfocus.picture, photo = pullfocus.photo;
          photo.edit.now = {...photo.edit.now, highlights: 0, ...lens};
          p.photo = photo; p.how = {}; p.renderHere();
          return [p.renderer.canvas.toDataURL('image/png'), p.renderer.context.gl.getError()]; }""",
        lens,
    )
    assert told[1] == 0
    shown = decoded(base64.b64decode(told[0].split(",")[1]))
    original = page.js(
        """() => { const c = document.createElement('canvas'), i = pullfocus.photo.image;
          c.width = i.width; c.height = i.height; c.getContext('2d').drawImage(i, 0, 0);
          return c.toDataURL('image/png'); }"""
    )
    before = decoded(base64.b64decode(original.split(",")[1]))
    assert abs(shown.mean() - before.mean()) < 12
    assert shown.max(axis=2).min() > 20  # no black holes
