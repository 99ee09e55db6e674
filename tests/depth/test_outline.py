"""Depth at the outline of subjects: the mask decides on which side a pixel lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pullfocus.depth.edges.upsample import refine_to_edges
from pullfocus.depth.subjects.outline import layers_of, refine_with_masks

SMALL, FULL = (96, 144), (384, 576)
NEAR, FAR = 0.8, 0.2


def body(size_hw: tuple[int, int]) -> np.ndarray:
    """Draw somebody with raised arms, standing on the ground."""
    h, w = size_hw
    mask = np.zeros(size_hw, np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * w), round(y * h)

    cv2.ellipse(mask, at(0.5, 0.55), (round(0.08 * w), round(0.3 * h)), 0, 0, 360, 1, -1)
    for side in (-1, 1):
        arm = at(0.5 + side * 0.04, 0.4), at(0.5 + side * 0.2, 0.1)
        cv2.line(mask, *arm, 1, round(0.02 * w))
    return mask > 0


def photo(mask: np.ndarray) -> np.ndarray:
    """Paint the person in two colours, before a wall that has one of them too."""
    h, w = mask.shape
    rng = np.random.default_rng(0)
    linear = np.full((h, w, 3), (0.1, 0.25, 0.12), np.float32)
    linear[mask] = (0.5, 0.35, 0.3)
    linear += rng.normal(0, 0.004, linear.shape).astype(np.float32)
    return np.clip(linear, 0, 1)


def seen(mask: np.ndarray) -> np.ndarray:
    """Return the probability at the network's resolution."""
    small = cv2.resize(mask.astype(np.float32), SMALL[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.7)


def depth(mask: np.ndarray) -> np.ndarray:
    return np.where(seen(mask) > 0.5, NEAR, FAR).astype(np.float32)


def test_every_pixel_of_the_mask_is_the_subject_and_none_beyond():
    mask = body(FULL)
    out = refine_with_masks(depth(mask), [seen(mask) > 0.5], seen(mask), photo(mask))
    wrong = (out > 0.5) != mask
    assert wrong.mean() < 0.002
    assert ((out < NEAR - 0.01) & (out > FAR + 0.01)).mean() < 0.002  # a step, no ramp


def test_a_background_of_the_same_colour_does_not_take_the_arm():
    """Colour snapping alone has nothing to hold on to there; the mask does."""
    mask = body(FULL)
    linear = photo(mask)
    linear[: FULL[0] // 2] = (0.3, 0.3, 0.3)
    arms = mask.copy()
    arms[FULL[0] // 4 :] = False
    out = refine_with_masks(depth(mask), [seen(mask) > 0.5], seen(mask), linear)
    assert (out[arms] > 0.5).mean() > 0.85


def test_far_from_the_outline_it_is_what_colour_refinement_gives():
    mask = body(FULL)
    ramp = np.linspace(0.1, 0.3, SMALL[1], dtype=np.float32)[None].repeat(SMALL[0], 0)
    disparity = np.where(seen(mask) > 0.5, NEAR, ramp).astype(np.float32)
    out = refine_with_masks(disparity, [seen(mask) > 0.5], seen(mask), photo(mask))
    plain = refine_to_edges(disparity, photo(mask))
    far = cv2.dilate(mask.astype(np.uint8), np.ones((81, 81), np.uint8)) == 0
    np.testing.assert_allclose(out[far], plain[far], atol=2e-3)


def test_without_subjects_only_colours_decide():
    mask = body(FULL)
    linear, disparity = photo(mask), depth(mask)
    nobody = np.zeros(SMALL, np.float32)
    np.testing.assert_array_equal(
        refine_with_masks(disparity, [], nobody, linear), refine_to_edges(disparity, linear)
    )


def test_a_patch_that_does_not_count_cuts_nothing():
    """Somewhere else the network doubts: its probability is not used there."""
    mask = body(FULL)
    other = np.zeros(SMALL, np.float32)
    other[70:90, 5:25] = 0.6
    out = refine_with_masks(
        depth(mask), [seen(mask) > 0.5], np.maximum(seen(mask), other), photo(mask)
    )
    np.testing.assert_allclose(out[300:340, 40:80], FAR, atol=0.01)


def test_feet_are_as_near_as_the_ground_and_the_head_is_not():
    mask = body(SMALL)
    ground = np.linspace(0.0, 1.0, SMALL[0], dtype=np.float32)[:, None].repeat(SMALL[1], 1)
    layers = layers_of(np.where(mask, np.float32(0.5), ground), [mask])
    rows = np.flatnonzero(mask.any(axis=1))
    foot, head = rows[-1], rows[0] + 4
    column = SMALL[1] // 2
    assert layers.surface[foot, column] == pytest.approx(ground[foot, 0], abs=0.12)
    assert layers.surface[50, column] == pytest.approx(0.5)
    assert layers.background[head, column] < 0.4


def test_somebody_cut_by_the_lower_border_has_no_feet():
    mask = np.zeros(SMALL, bool)
    mask[30:, 60:90] = True
    ground = np.linspace(0.0, 1.0, SMALL[0], dtype=np.float32)[:, None].repeat(SMALL[1], 1)
    layers = layers_of(np.where(mask, np.float32(0.5), ground), [mask])
    np.testing.assert_allclose(layers.surface[mask], 0.5, atol=1e-6)


@pytest.mark.parametrize("size_hw", [(97, 291), (291, 97), (700, 260)])
def test_odd_sizes_and_aspects(size_hw):
    mask = body(size_hw)
    scale = 96 / max(size_hw)
    small = tuple(max(8, round(n * scale)) for n in size_hw)
    seen_small = cv2.resize(mask.astype(np.float32), small[::-1], interpolation=cv2.INTER_AREA)
    disparity = np.where(seen_small > 0.5, NEAR, FAR).astype(np.float32)
    out = refine_with_masks(disparity, [seen_small > 0.5], seen_small, photo(mask))
    assert out.shape == size_hw
    assert ((out > 0.5) != mask).mean() < 0.03
