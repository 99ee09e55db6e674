"""Edge refinement: steps where the photo has them, and nothing else changed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullfocus.depth import align_to_photo
from pullfocus.depth.edges.upsample import RefineSettings, enlarge, refine_to_edges
from pullfocus.types import DepthMap, Photo


def disc_scene(h: int = 480, w: int = 640) -> tuple[np.ndarray, np.ndarray]:
    """Return linear picture and disparity of a bright near disc before a dark far wall."""
    rows, columns = np.mgrid[:h, :w]
    inside = (rows - h * 0.5) ** 2 + (columns - w * 0.45) ** 2 < (0.25 * h) ** 2
    rng = np.random.default_rng(0)
    linear = np.where(inside[..., None], [0.5, 0.3, 0.1], [0.03, 0.06, 0.12])
    linear = linear * rng.uniform(0.95, 1.05, (h, w, 1))
    return linear.astype(np.float32), np.where(inside, 0.8, 0.2).astype(np.float32)


def network_like(disparity: np.ndarray, long_side: int = 160) -> np.ndarray:
    h, w = disparity.shape
    scale = long_side / max(h, w)
    small = cv2.resize(
        disparity, (round(w * scale), round(h * scale)), interpolation=cv2.INTER_AREA
    )
    return cv2.GaussianBlur(small, (0, 0), 1.0)


def test_a_ramp_becomes_a_step_at_the_colour_edge():
    linear, truth = disc_scene()
    small = network_like(truth)
    before = np.abs(enlarge(small, truth.shape) - truth)
    after = np.abs(refine_to_edges(small, linear) - truth)
    assert (before > 0.1).mean() > 0.01
    assert (after > 0.1).mean() < 0.1 * (before > 0.1).mean()


def test_edges_are_steps_at_full_resolution_too():
    """1600x1200 lies above the last level: the full-resolution pass has to place the edge."""
    linear, truth = disc_scene(1200, 1600)
    refined = refine_to_edges(
        network_like(truth, 384), linear, RefineSettings(levels_px=(384, 512, 640))
    )
    assert (np.abs(refined - truth) > 0.1).mean() < 5e-4


def test_a_shifted_edge_moves_to_the_photo():
    linear, truth = disc_scene()
    small = np.roll(network_like(truth), 1, axis=1)  # 4 pixels of the photo
    wrong = np.abs(enlarge(small, truth.shape) - truth) > 0.3
    still = np.abs(refine_to_edges(small, linear) - truth) > 0.3
    assert still.sum() < 0.2 * wrong.sum()


def test_a_textured_slope_stays_a_slope():
    """Texture on a floor must not print through into its depth."""
    rows = np.linspace(0.1, 0.9, 480, dtype=np.float32)
    truth = np.repeat(rows[:, None], 640, axis=1)
    tiles = ((np.indices((480, 640)) // 40).sum(axis=0) % 2).astype(np.float32)
    linear = np.repeat((0.05 + 0.5 * tiles)[..., None], 3, axis=2)
    small = cv2.resize(truth, (160, 120), interpolation=cv2.INTER_AREA)
    middle = np.s_[30:-30]
    refined = refine_to_edges(small, linear)[middle]
    np.testing.assert_allclose(refined, enlarge(small, truth.shape)[middle], atol=2e-3)


def test_a_flat_sky_stays_flat():
    linear, truth = disc_scene()
    rng = np.random.default_rng(1)
    clouds = cv2.GaussianBlur(rng.uniform(0, 1, truth.shape).astype(np.float32), (0, 0), 9)
    linear = (linear * (0.5 + 3 * clouds[..., None])).astype(np.float32)
    refined = refine_to_edges(network_like(truth), linear)
    assert np.ptp(refined[:60]) < 1e-4


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 1, width=32), st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
def test_a_constant_map_stays_constant(value, h, w, seed):
    linear = np.random.default_rng(seed).uniform(0, 1, (h, w, 3)).astype(np.float32)
    refined = refine_to_edges(np.full((9, 12), value, np.float32), linear)
    assert refined.shape == (h, w)
    np.testing.assert_allclose(refined, value, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_no_new_depths_are_invented(seed):
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 1, (12, 16)).astype(np.float32)
    refined = refine_to_edges(small, rng.uniform(0, 1, (90, 120, 3)).astype(np.float32))
    assert refined.min() >= small.min() - 1e-5
    assert refined.max() <= small.max() + 1e-5


def test_convention_mirroring_commutes():
    linear, truth = disc_scene(240, 320)
    small = network_like(truth, 96)
    there = refine_to_edges(small, linear)
    back = refine_to_edges(
        np.ascontiguousarray(small[:, ::-1]), np.ascontiguousarray(linear[:, ::-1])
    )[:, ::-1]
    assert np.abs(there - back).mean() < 1e-3


def test_align_keeps_a_map_of_the_photos_size():
    linear, truth = disc_scene(60, 80)
    depth = DepthMap(truth, "metric", source="file")
    assert align_to_photo(depth, Photo(linear)) is depth


@pytest.mark.parametrize("refine", [True, False])
def test_align_keeps_kind_and_source(refine: bool):
    linear, truth = disc_scene(120, 160)
    depth = DepthMap(network_like(truth, 64), "metric", None, "phone", "CC0-1.0")
    aligned = align_to_photo(depth, Photo(linear), refine=refine)
    assert aligned.size_hw == (120, 160)
    assert (aligned.kind, aligned.source, aligned.licence) == ("metric", "phone", "CC0-1.0")
