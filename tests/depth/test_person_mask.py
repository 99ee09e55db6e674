"""The mask of people in a photo: larger looks, and what colours decide."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pullfocus.depth import find_card, open_estimator
from pullfocus.depth.person_mask import person_mask

PERSON, GROUND = (245, 200, 40), (10, 30, 200)


@pytest.fixture
def lower_is_a_person(depth_and_people):
    """Write a network whose probability of a person rises from 0 at the top to 1 at the bottom."""
    nodes = [
        ("ReduceMean", ["image"], "disparity", {"axes": [1], "keepdims": 1}),
        ("Sub", ["disparity", "disparity"], "nothing", {}),
        ("Add", ["nothing", "one"], "ones", {}),
        ("CumSum", ["ones", "down"], "row", {}),
        ("ReduceMax", ["row"], "rows", {"axes": [2], "keepdims": 1}),
        ("Div", ["row", "rows"], "person", {}),
    ]
    return partial(depth_and_people, nodes, {"down": np.int64(2), "one": np.float32([1.0])})


def somebody(top: int) -> np.ndarray:
    """Draw a person from row `top` of 96 on, ground above."""
    rgb = np.empty((96, 96, 3), np.uint8)
    rgb[:top], rgb[top:] = GROUND, PERSON
    noise = np.random.default_rng(0).integers(-9, 10, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


def masked(path: Path, rgb: np.ndarray) -> np.ndarray:
    estimator = open_estimator(path)
    found = person_mask(estimator, rgb, estimator.estimate(rgb).person)
    assert found is not None
    return found


@pytest.mark.parametrize("top", [36, 48, 62])
def test_the_outline_moves_to_where_colours_part(lower_is_a_person, top):
    found = masked(lower_is_a_person(person_long_side=96), somebody(top))
    assert (found[top + 1 :] > 0.5).all()
    assert (found[: top - 1] < 0.5).all()


def test_what_colour_takes_in_is_not_called_sure(lower_is_a_person):
    found = masked(lower_is_a_person(person_long_side=96), somebody(36))
    assert found[38:46].max() < 0.52


def test_colour_decides_nothing_that_is_sure(lower_is_a_person):
    found = masked(lower_is_a_person(person_long_side=96), somebody(92))
    assert (found[84:] > 0.85).all()


def test_the_answer_has_the_size_of_the_larger_look(lower_is_a_person):
    assert masked(lower_is_a_person(person_long_side=96), somebody(48)).shape == (96, 96)


def test_a_network_without_the_wish_looks_once(lower_is_a_person):
    estimator = open_estimator(lower_is_a_person())
    first = estimator.estimate(somebody(48)).person
    assert person_mask(estimator, somebody(48), first) is first


def test_the_same_photo_gets_the_same_mask(lower_is_a_person):
    path = lower_is_a_person(person_long_side=96)
    rgb = np.random.default_rng(1).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    np.testing.assert_array_equal(masked(path, rgb), masked(path, rgb))


def test_the_embedded_network_looks_closer_for_people():
    assert find_card(None).preprocessing.person_long_side > find_card(None).preprocessing.size_hw[0]
