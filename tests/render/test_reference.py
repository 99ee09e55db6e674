"""The oracle against closed forms and against exact layered scenes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.lens.optics import blur_gain_px
from pullfocus.render.reference import Surface, render_reference, round_lens_points
from pullfocus.types import Lens

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks/thinlens"


def flat(value, radius, size_hw=(40, 40)):
    linear = np.broadcast_to(np.float64(value), (*size_hw, 3)).copy()
    return Surface(linear, np.full(size_hw, float(radius)))


def segment_share(distance):
    """Share of the unit disc that lies farther than `distance` (-1..1) along one direction."""
    d = np.clip(distance, -1, 1)
    return (np.arccos(d) - d * np.sqrt(1 - d * d)) / np.pi


def test_sharp_picture_is_returned_exactly():
    rng = np.random.default_rng(1)
    linear = rng.random((20, 30, 3))
    out = render_reference(Surface(linear, np.zeros((20, 30))))
    np.testing.assert_allclose(out, linear, atol=1e-12)


@pytest.mark.parametrize("radius", [-7.0, 5.0])
def test_constant_picture_stays_constant(radius):
    out = render_reference(flat(0.3, radius))
    np.testing.assert_allclose(out, 0.3, atol=1e-12)


@pytest.mark.parametrize("radius", [-8.0, 8.0])
def test_light_becomes_a_disc_of_its_radius_and_keeps_its_energy(radius):
    scene = flat(0.0, radius, (41, 41))
    scene.linear[20, 20] = 50.0
    out = render_reference(scene, lens_points=round_lens_points(1500))[..., 0]
    assert out.sum() == pytest.approx(50.0, rel=2e-3)
    y, x = np.mgrid[:41, :41] - 20
    distance = np.hypot(x, y)
    assert out[distance > 8 + 1.5].max() == 0
    for inner, outer in ((0, 4), (4, 6.5)):
        ring = (distance >= inner) & (distance < outer)
        assert out[ring].mean() == pytest.approx(50 / (np.pi * 64), rel=0.08)
    spread = (out * distance**2).sum() / out.sum()
    assert spread == pytest.approx(64 / 2 + 2 / 12, rel=0.01)  # disc and the pixel's own square


def test_near_half_plane_covers_what_the_lens_says():
    """Near, blurred dark half before a sharp bright wall: coverage is a segment of the disc."""
    radius, h, w = 6.0, 24, 48
    linear, r = np.ones((h, w, 3)), np.zeros((h, w))
    linear[:, : w // 2], r[:, : w // 2] = 0.0, radius
    hidden = Surface(np.ones((h, w, 3)), np.zeros((h, w)))
    out = render_reference(Surface(linear, r), hidden, round_lens_points(400))[h // 2, :, 0]
    edge_px = np.arange(w) + 0.5 - w // 2
    expected = 1 - segment_share(edge_px / radius)
    np.testing.assert_allclose(out, expected, atol=0.02)


def test_far_blur_never_bleeds_onto_a_sharp_subject():
    """Sharp dark half before a blurred wall: the subject is untouched up to its last pixel."""
    h, w = 16, 40
    linear, r = np.full((h, w, 3), 0.8), np.full((h, w), -6.0)
    linear[:, : w // 2], r[:, : w // 2] = 0.1, 0.0
    hidden = Surface(np.full((h, w, 3), 0.8), np.full((h, w), -6.0))
    for behind in (hidden, None):
        out = render_reference(Surface(linear, r), behind)
        np.testing.assert_allclose(out[:, : w // 2], 0.1, atol=1e-12)
        np.testing.assert_allclose(out[:, w // 2 :], 0.8, atol=1e-12)


def test_slanted_ground_has_no_holes():
    h, w = 40, 30
    radius = np.broadcast_to(np.linspace(-8, 8, h)[:, None], (h, w))
    out = render_reference(Surface(np.full((h, w, 3), 0.4), radius))
    np.testing.assert_allclose(out, 0.4, atol=1e-12)


def test_thin_lens_formula_gives_the_radius_of_the_oracle():
    """50 mm, f/1.8, 36 mm, focused at 2 m: a lamp at 10 m on 480 px has a radius of 3.8 px."""
    lens = Lens(f_number=1.8, focal_length_mm=50.0, sensor_width_mm=36.0)
    aperture_m, f, z, z_f = 0.05 / 1.8, 0.05, 10.0, 2.0
    image_of_focus, image_of_lamp = f * z_f / (z_f - f), f * z / (z - f)
    spread_m = aperture_m / 2 * abs(image_of_focus - image_of_lamp) / image_of_lamp
    radius_px = blur_gain_px(lens, 1 / z_f, 480) * (1 / z_f - 1 / z)
    assert radius_px == pytest.approx(spread_m / 0.036 * 480, rel=1e-9)


def test_wrong_shapes_are_told():
    with pytest.raises(UsageError, match="share one size"):
        render_reference(flat(0, 1), flat(0, 0, (3, 3)))
    with pytest.raises(UsageError, match="holes"):
        render_reference(flat(0, np.nan))


def test_agrees_with_an_exact_layered_scene():
    """Two slanted and flat planes by exact warps; the hidden plane is given to the oracle."""
    pytest.importorskip("cv2")
    sys.path.insert(0, str(BENCHMARK))
    try:
        import layered
        import textures
    finally:
        sys.path.remove(str(BENCHMARK))
    size_hw, gain, focus = (48, 72), 10.0, 0.35
    rng = np.random.default_rng(3)
    canvas = layered.canvas_hw(size_hw)
    wall = layered.make_layer(textures.plaster(rng, canvas), 1.0, (0.3 / 72, 0.0, 0.1))
    cover = np.zeros(canvas, np.float32)
    cover[: canvas[0] // 2 + 1, canvas[1] // 2 :] = 1
    board = layered.make_layer(textures.checks(rng, canvas), cover, layered.flat(0.9))
    truth = layered.thin_lens([board, wall], size_hw, gain, focus, 400)
    surfaces = []
    for layers in ([board, wall], [wall]):
        linear, disparity = layered.pinhole(layers, size_hw)
        surfaces.append(Surface(linear, gain * (disparity - focus)))
    out = render_reference(*surfaces, round_lens_points(250))
    inside = (slice(8, -8), slice(8, -8))
    error = np.sqrt(np.mean((out - truth)[inside] ** 2))
    assert -20 * np.log10(error) > 40
