"""What must hold for every photo, depth, focus and lens."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pullfocus.render import render
from pullfocus.types import DepthMap, Focus, Lens, Photo

SIZE = (40, 56)
seeds = st.integers(0, 10_000)
planes = st.floats(0, 1)
lenses = st.builds(
    Lens,
    f_number=st.floats(1.0, 16),
    blades=st.sampled_from([0, 5, 7, 9]),
    rotation_deg=st.just(0.0),
    roundness=st.floats(0, 1),
    ring=st.sampled_from([0.0, 0.4]),
    edge_softness=st.floats(-1, 1),
    highlights=st.just(0.0),
)


def scene(seed):
    rng = np.random.default_rng(seed)
    photo = Photo.from_array(rng.integers(0, 250, (*SIZE, 3), np.uint8))
    row = np.linspace(0, 1, SIZE[1], dtype=np.float32)
    disparity = np.tile(row if seed % 2 else np.round(row * 3) / 3, (SIZE[0], 1))
    return photo, DepthMap.from_disparity(disparity)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, plane=planes, f_number=st.floats(64, 256))
def test_a_pinhole_returns_the_photo(seed, plane, f_number):
    """At f/64 and this size the largest radius is 0.03 px."""
    photo, depth = scene(seed)
    image = render(photo, depth, Focus(plane), Lens(f_number=f_number))
    assert np.array_equal(image.encoded, photo.encoded)


@settings(max_examples=30, deadline=None)
@given(value=st.floats(0, 0.9), seed=seeds, plane=planes, lens=lenses)
def test_a_constant_picture_stays_constant(value, seed, plane, lens):
    _, depth = scene(seed)
    photo = Photo.from_array(np.full((*SIZE, 3), value, np.float32), encoded=False)
    image = render(photo, depth, Focus(plane), lens)
    np.testing.assert_allclose(image.linear, photo.linear, atol=2e-3)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, lens=lenses, plane=planes)
def test_a_wall_in_focus_is_untouched(seed, lens, plane):
    photo, _ = scene(seed)
    wall = DepthMap(np.full(SIZE, plane, np.float32))
    image = render(photo, wall, Focus(float(np.float32(plane))), lens)
    np.testing.assert_allclose(image.linear, photo.linear, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, lens=lenses)
def test_the_inside_of_the_focused_thing_is_untouched(seed, lens):
    """Nearest thing in focus: nothing can blur over it."""
    photo, _ = scene(seed)
    disparity = np.full(SIZE, 0.1, np.float32)
    disparity[:, 28:] = 0.9
    image = render(photo, DepthMap(disparity), Focus(float(np.float32(0.9))), lens)
    np.testing.assert_allclose(image.linear[:, 32:], photo.linear[:, 32:], atol=2e-3)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, plane=planes, f_number=st.floats(1, 16))
def test_flipping_commutes(seed, plane, f_number):
    photo, depth = scene(seed)
    lens = Lens(f_number=f_number, highlights=0)
    image = render(photo, depth, Focus(plane), lens).linear
    flipped = render(
        photo.with_linear(photo.linear[:, ::-1]),
        DepthMap(depth.disparity[:, ::-1]),
        Focus(plane),
        lens,
    ).linear[:, ::-1]
    assert np.abs(flipped - image).mean() < 2e-3
    assert np.quantile(np.abs(flipped - image), 0.99) < 2e-2


@settings(max_examples=20, deadline=None)
@given(seed=seeds, plane=planes, lens=lenses)
def test_no_pixel_turns_black_or_bad(seed, plane, lens):
    rng = np.random.default_rng(seed)
    photo = Photo.from_array(rng.uniform(0.5, 1, (*SIZE, 3)).astype(np.float32), encoded=False)
    _, depth = scene(seed)
    image = render(photo, depth, Focus(plane), lens).linear
    assert np.isfinite(image).all()
    assert image.min() > 0.45
