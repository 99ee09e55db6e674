"""The blur at half size against the one at full size, and against what must not change."""

import numpy as np
import pytest

from pullfocus.lens import blur_gain_px, resolve_lens
from pullfocus.tone import SRGB
from pullfocus.types import DepthMap, Focus, Lens
from pullfocus.video import frame_renderer
from pullfocus.video.frame_renderer import FrameRenderer, kept_detail

SIZE = (120, 160)
LENS = resolve_lens(Lens(f_number=1.8, focal_length_mm=100), DepthMap(np.ones((1, 1), np.float32)))


@pytest.fixture(autouse=True)
def _small_frames_at_half_size(monkeypatch):
    monkeypatch.setattr(frame_renderer, "LEAST_PX", 1)


def scene(size_hw=SIZE, dtype=np.uint8):
    """A textured wall, and a disc that stands nearer; codes and disparity."""
    h, w = size_hw
    y, x = np.mgrid[:h, :w].astype(np.float32)
    wall = 0.5 + 0.2 * np.sin(x / 5) * np.cos(y / 7) + 0.1 * np.sin(x * 1.3 + y)
    disparity = np.full((h, w), 0.1, np.float32)
    disc = (x - w / 2) ** 2 + (y - h / 2) ** 2 < (h / 4) ** 2
    disparity[disc] = 0.7
    rgb = np.stack([wall, np.where(disc, 0.8 - wall / 2, wall), wall], axis=2)
    return (rgb * np.iinfo(dtype).max).astype(dtype), disparity


def render(codes, disparity, focus, fine=False):
    renderer = FrameRenderer(SRGB, refine=False, fine=fine)
    return renderer.render(codes, DepthMap(disparity), focus, LENS)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size_hw", [SIZE, (119, 161)])
def test_what_is_in_focus_is_untouched(dtype, size_hw):
    codes, disparity = scene(size_hw, dtype)
    flat = np.full_like(disparity, 0.4)
    same = render(codes, flat, Focus(0.4))
    assert same.dtype == codes.dtype
    assert np.abs(same.astype(int) - codes).max() <= (1 if dtype == np.uint8 else 257)


@pytest.mark.parametrize("plane", [0.1, 0.4, 0.7])
def test_half_size_looks_like_full_size(plane):
    codes, disparity = scene()
    quick, fine = (render(codes, disparity, Focus(plane), fine=full) for full in (False, True))
    naive = np.abs(codes.astype(int) - fine).mean()
    error = np.abs(quick.astype(int) - fine).mean()
    assert error < 2.5
    assert error < 0.35 * naive or naive < 3


@pytest.mark.parametrize("radius_px", [1.0, 2.0, 4.0, 8.0])
def test_convention_blur_has_the_radius_of_the_full_size(radius_px):
    """Edges on a flat wall, on and between the pixels of half size: as wide as at full size."""
    disparity = np.full(SIZE, 0.3, np.float32)
    focus = Focus(0.3 + radius_px / blur_gain_px(LENS, 0.3, max(SIZE)))
    variance = {False: [], True: []}
    for fine, measured in variance.items():
        for column in (80, 81):
            codes = np.full((*SIZE, 3), 60, np.uint8)
            codes[:, column:] = 180
            out = FrameRenderer(SRGB, refine=False, fine=fine).render(
                codes, DepthMap(disparity), focus, LENS
            )
            measured.append(spread(SRGB.decode(out)[60, 60:100, 1]) ** 2)
    half, full = (np.sqrt(np.mean(variance[fine])) for fine in (False, True))
    assert half == pytest.approx(full, rel=0.1, abs=0.2)


def spread(edge):
    """Return one standard deviation of the edge's slope, in pixels."""
    slope = np.clip(np.diff(edge), 0, None)
    places = np.arange(slope.size)
    mean = (slope * places).sum() / slope.sum()
    return float(np.sqrt((slope * (places - mean) ** 2).sum() / slope.sum()))


def test_transparency_stays():
    codes, disparity = scene()
    alpha = np.arange(codes[..., 0].size, dtype=np.uint8).reshape(SIZE)
    out = render(np.dstack([codes, alpha]), disparity, Focus(0.7))
    assert np.array_equal(out[..., 3], alpha)


def test_detail_is_kept_where_it_survives_and_only_there():
    rng = np.random.default_rng(0)
    plain = rng.integers(20000, 40000, (40, 60, 3)).astype(np.uint16)
    blurred = plain.copy()
    blurred[:, 30:] = 30000
    kept = kept_detail(blurred, plain, np.zeros((40, 60), np.float32))
    assert kept[:, :25].min() > 0.9
    assert kept[:, 35:].max() < 0.1
    assert kept_detail(plain, plain, np.full((40, 60), 3, np.float32)).max() == 0
