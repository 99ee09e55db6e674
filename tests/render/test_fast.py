"""What people get: identities, energy, occlusion, tiling, lights."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullfocus.errors import UsageError
from pullfocus.render import render, render_many
from pullfocus.render.api import soften_where_doubtful
from pullfocus.render.classic import render_graded
from pullfocus.render.layered.renderer import PreparedScene, render_linear
from pullfocus.types import DepthMap, Focus, Lens, Photo

PLAIN = Lens(highlights=0.0)


def _noise(seed, h=96, w=128):
    return np.random.default_rng(seed).random((h, w, 3), np.float32)


def _steps(h=96, w=128):
    """Disparity of a slanted ground with a near box and a nearer strip: (h, w), 0..1."""
    d = np.repeat(np.linspace(0.0, 0.4, h, dtype=np.float32)[:, None], w, axis=1)
    d[30:70, 20:60] = 0.7
    d[:, 100:104] = 1.0
    return d


@settings(max_examples=12, deadline=None)
@given(value=st.floats(0.01, 0.95), gain=st.floats(1, 40), focus=st.floats(0, 1))
def test_a_constant_picture_stays_constant(value, gain, focus):
    flat = np.full((96, 128, 3), value, np.float32)
    out = render_linear(flat, ((_steps() - focus) * gain).astype(np.float32), Lens())
    assert np.abs(out - value).max() <= 1e-4


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), radius=st.floats(0, 0.09))
def test_invisible_blur_returns_the_picture_itself(seed, radius):
    picture = _noise(seed)
    out = render_linear(picture, np.full((96, 128), radius, np.float32), PLAIN)
    assert np.array_equal(out, picture)


def test_the_focused_plane_is_untouched_under_what_is_blurred():
    picture, radius = _noise(1), np.zeros((96, 128), np.float32)
    radius[:40] = -12.0
    out = render_linear(picture, radius, PLAIN)
    assert np.abs(out[44:] - picture[44:]).max() < 1e-5
    assert np.abs(out[:30] - picture[:30]).max() > 0.1


def test_flipping_the_picture_flips_the_result():
    picture, radius = _noise(2, 128, 128), ((_steps(128, 128) - 0.4) * 25).astype(np.float32)
    out = render_linear(picture, radius, PLAIN)
    mirrored = render_linear(picture[:, ::-1].copy(), radius[:, ::-1].copy(), PLAIN)
    assert np.abs(mirrored[:, ::-1] - out).max() < 2e-3


@pytest.mark.parametrize(("radius", "sign"), [(5.0, 1), (5.0, -1), (20.0, 1), (20.0, -1)])
def test_a_light_becomes_a_disc_of_its_radius_and_keeps_its_energy(radius, sign):
    picture = np.zeros((160, 160, 3), np.float32)
    picture[80, 80] = 100.0
    out = render_linear(picture, np.full((160, 160), sign * radius, np.float32), PLAIN)[..., 0]
    assert out.sum() == pytest.approx(100.0, rel=0.01)
    y, x = np.mgrid[:160, :160] - 80
    assert (out * (x**2 + y**2)).sum() / out.sum() / 2 == pytest.approx(radius**2 / 4, rel=0.06)


def test_far_blur_never_bleeds_onto_the_subject():
    picture = np.zeros((96, 128, 3), np.float32)
    picture[:, 64:] = 1.0
    radius = np.full((96, 128), -15.0, np.float32)
    radius[:, :64] = 0.0
    out = render_linear(picture, radius, PLAIN)
    assert out[:, :63].max() < 1e-4
    assert out[:, 65:].min() > 0.9


def test_near_blur_spreads_over_what_is_sharp():
    picture = np.zeros((96, 128, 3), np.float32)
    picture[:, 64:] = 1.0
    radius = np.zeros((96, 128), np.float32)
    radius[:, 64:] = 15.0
    out = render_linear(picture, radius, PLAIN)[48, :, 0]
    assert np.all(np.diff(out[44:84]) > -1e-3)
    assert 0.4 < out[64] < 0.6
    assert out[45] < 0.01 < out[56]


def test_slanted_ground_has_no_seams():
    ramp = np.repeat(np.linspace(-30, 30, 256, dtype=np.float32)[:, None], 64, axis=1)
    flat = np.full((256, 64, 3), 0.5, np.float32)
    assert np.abs(render_linear(flat, ramp, PLAIN) - 0.5).max() < 1e-4
    stripes = np.full((256, 64, 3), 0.2, np.float32)
    stripes[:, ::8] = 0.8
    out = render_linear(stripes, ramp, PLAIN).mean(axis=(1, 2))
    assert np.abs(np.diff(out)).max() < 0.01


def test_result_does_not_depend_on_the_blocks():
    picture, radius = _noise(3, 300, 96), np.tile(_steps(), (4, 1))[:300, :96]
    radius = ((radius - 0.3) * 40).astype(np.float32)
    whole = render_linear(picture, radius, Lens(cats_eye=0.5))
    blocks = render_linear(picture, radius, Lens(cats_eye=0.5), block_px=64)
    assert np.array_equal(whole, blocks)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (50, 1), (7, 9), (33, 65)])
def test_tiny_and_odd_pictures(size_hw):
    picture = np.full((*size_hw, 3), 0.3, np.float32)
    radius = np.linspace(-30, 30, size_hw[0] * size_hw[1], dtype=np.float32).reshape(size_hw)
    out = render_linear(picture, radius, Lens(blades=6, cats_eye=0.4))
    assert np.abs(out - 0.3).max() < 1e-4


def test_no_black_pixels_and_no_nan_on_wild_depth():
    picture = _noise(5) * 0.5 + 0.25
    radius = (np.random.default_rng(6).random((96, 128), np.float32) - 0.5) * 60
    out = render_linear(picture, radius, Lens(cats_eye=1.0, ring=0.5, blades=5))
    assert np.isfinite(out).all()
    assert out.min() > 0.2


def test_clipped_lights_become_brighter_discs_and_strength_zero_does_not():
    picture = np.full((96, 128, 3), 0.02, np.float32)
    picture[40:43, 60:63] = 1.0
    radius = np.full((96, 128), -10.0, np.float32)
    plain, lifted = (render_linear(picture, radius, Lens(highlights=h)) for h in (0.0, 1.0))
    assert lifted[41, 61, 0] > 2 * plain[41, 61, 0]


def test_large_clipped_areas_are_not_lifted():
    picture = np.full((96, 128, 3), 1.0, np.float32)
    picture[:, :40] = 0.2
    out = render_linear(picture, np.full((96, 128), -4.0, np.float32), Lens(highlights=1.0))
    assert out[48, 100, 0] == pytest.approx(1.0, abs=0.01)


def test_cats_eye_turns_corner_discs_towards_the_axis():
    picture = np.zeros((256, 256, 3), np.float32)
    picture[40, 40] = picture[128, 128] = 100.0
    lens = Lens(cats_eye=1.0, highlights=0.0)
    out = render_linear(picture, np.full((256, 256), -16.0, np.float32), lens)[..., 0]
    plateau = 100.0 / (np.pi * 16**2)
    corner, middle = (out[a : a + 50, a : a + 50] > plateau / 2 for a in (16, 104))
    assert corner.sum() < 0.75 * middle.sum()
    assert middle.sum() == pytest.approx(np.pi * 16**2, rel=0.15)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_stray_millimetre_asks_for_no_more_memory(sign):
    """One wild value in a depth map must cost no more than a disc as wide as the picture."""
    picture, radius = _noise(10), np.zeros((96, 128), np.float32)
    radius[40, 50] = sign * 64.0
    expected = render_linear(picture, radius, PLAIN)
    radius[40, 50] = sign * 640.0
    tracemalloc.start()
    out = render_linear(picture, radius, PLAIN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
    assert np.abs(out - expected).max() < 0.02


@pytest.mark.parametrize("style", ["lens", "graded"])
def test_what_is_transparent_leaves_no_fringe(style):
    """A cut-out on nothing, which files store as black: its rim keeps its colour when it blurs."""
    y, x = np.mgrid[:96, :128]
    inside = np.hypot(y - 48, x - 64) < 30
    photo = Photo.from_array(np.where(inside[..., None], (1, 0.5, 0.2, 0.5), 0).astype(np.float32))
    depth = DepthMap(np.where(inside, 0.3, 0.1).astype(np.float32))
    if style == "lens":
        image = render(photo, depth, Focus(0.9), Lens(f_number=1.4))
        sharp = render(photo, depth, Focus(0.3), Lens(f_number=1.4))
    else:
        image = render_graded(photo, depth, Focus(0.9), strength=5)
        sharp = render_graded(photo, depth, Focus(0.3), strength=5)
    seen = photo.linear[inside]
    np.testing.assert_allclose(image.linear[inside], seen, atol=2e-3)
    np.testing.assert_allclose(sharp.linear[inside], seen, atol=2e-3)
    np.testing.assert_array_equal(image.alpha, photo.alpha)


def test_light_below_zero_is_no_weight():
    """Float files hold it, and -1 where there is no data; its weight in a mean must stay one."""
    rng = np.random.default_rng(11)
    for lowest in (-1.0, -5.0):
        picture = np.where(rng.random((96, 128, 1)) < 0.3, lowest, _noise(12)).astype(np.float32)
        out = render(Photo(picture), DepthMap(_steps()), Focus(0.7), PLAIN).linear
        assert out.min() >= lowest - 0.5  # what an edge shares out may go a little beyond
        assert out.max() <= 1.5


def test_render_many_equals_render():
    photo, depth = Photo.from_array(_noise(7)), DepthMap(_steps())
    focuses = [Focus(0.2), Focus(0.7), Focus(0.5).with_range(0.7, 0.3)]
    lens = Lens(f_number=1.4)
    for focus, image in zip(focuses, render_many(photo, depth, focuses, lens), strict=True):
        alone = render(photo, depth, focus, lens)
        assert np.abs(alone.linear - image.linear).max() < 1e-3


def test_a_prepared_scene_gives_the_same_picture_twice():
    scene = PreparedScene(_noise(8), _steps(), 30.0, 30.0)
    first = scene.render_radii(30.0, 0.5, 0.5, PLAIN)
    scene.render_radii(30.0, 0.1, 0.1, PLAIN)
    assert np.array_equal(first, scene.render_radii(30.0, 0.5, 0.5, PLAIN))


def test_depth_of_another_size_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match="bring it to the photo's size"):
        render(Photo.from_array(_noise(9)), DepthMap(np.ones((5, 5), np.float32)), Focus(0.5))


def test_doubtful_edges_become_ramps_and_certain_ones_stay():
    d = _steps()
    doubt = np.zeros_like(d)
    doubt[:, :64] = 0.5
    soft = soften_where_doubtful(DepthMap(d, uncertainty=doubt), gain_px=40.0)
    assert np.abs(np.diff(soft[50, 15:25])).max() < np.abs(np.diff(d[50, 15:25])).max() * 0.6
    assert np.array_equal(soft[:, 90:], d[:, 90:])
    certain = DepthMap(d)
    assert soften_where_doubtful(certain, 40.0) is certain.disparity


def test_a_prepared_scene_keeps_the_blocks_of_one_strength_of_highlights():
    """A slider of highlights would fill the memory with both surfaces of every pixel."""
    picture = 0.1 * _noise(8)
    picture[20:23, 20:23] = 1.0
    scene = PreparedScene(picture, _steps(), 30.0, 30.0, block_px=32)
    lenses = [Lens(highlights=strength) for strength in (0.1, 0.5, 0.9, 0.1)]
    pictures, kept = [], []
    for lens in lenses:
        pictures.append(scene.render_radii(30.0, 0.4, 0.4, lens))
        kept.append(len(scene._kept))
    assert kept[0] > 1
    assert kept == kept[:1] * 4
    assert np.array_equal(pictures[0], pictures[3])
    assert not np.array_equal(pictures[0], pictures[1])
