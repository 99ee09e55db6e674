"""Two looks at a photo: what cancels, what stays, and who asks for it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from pullfocus.depth import find_card, open_estimator
from pullfocus.depth.card import embedded_path
from pullfocus.depth.flip_averaging import flip_averaged
from pullfocus.depth.onnx_card import card_of_onnx

GREY_OF_IMAGE = ("ReduceMean", ["image"], "grey", {"axes": [1], "keepdims": 1})


@pytest.fixture
def leaning(depth_and_people):
    """Write a network that answers with brightness plus what grows from left to right."""
    nodes = [
        GREY_OF_IMAGE,
        ("Mul", ["grey", "tenth"], "tenths", {}),
        ("Sub", ["tenths", "tenths"], "nothing", {}),
        ("Add", ["nothing", "tenth"], "steps", {}),
        ("CumSum", ["steps", "across"], "lean", {}),
        ("Add", ["grey", "lean"], "disparity", {}),
        ("Identity", ["grey"], "person", {}),
    ]
    return partial(depth_and_people, nodes, {"across": np.int64(3), "tenth": np.float32([0.01])})


GREY = np.full((64, 64, 3), 128, np.uint8)


def test_what_leans_to_one_side_cancels(leaning):
    once = flip_averaged(open_estimator(leaning()), GREY).values
    twice = flip_averaged(open_estimator(leaning(second_long_side=64)), GREY).values
    assert np.ptp(once) > 0.6
    assert np.ptp(twice) < 0.1 * np.ptp(once)  # but at the rim, where the blur has nothing beyond
    assert twice.mean() == pytest.approx(once.mean(), abs=1e-4)


def test_detail_is_that_of_the_first_run(leaning):
    """The second run is too small for fine stripes; averaging them would halve their contrast."""
    rgb = GREY.copy()
    rgb[:, ::4] = 228
    rgb[:, 1::4] = 228
    once = flip_averaged(open_estimator(leaning()), rgb).values
    twice = flip_averaged(open_estimator(leaning(second_long_side=32)), rgb).values
    stripes = [np.abs(np.diff(values[32])).mean() for values in (once, twice)]
    assert stripes[1] == pytest.approx(stripes[0], rel=0.05)


def test_the_answer_has_the_first_look_s_resolution(leaning):
    rgb = GREY.copy()
    rgb[:, :32] = 250
    raw = flip_averaged(open_estimator(leaning(second_long_side=32)), rgb)
    assert raw.values.shape == raw.person.shape == (64, 64)
    assert raw.person[:, :28].mean() > 0.9
    assert raw.person[:, 36:].mean() < 0.6


def test_an_estimator_without_the_wish_is_asked_once(leaning):
    estimator = open_estimator(leaning())
    np.testing.assert_array_equal(
        flip_averaged(estimator, GREY).values, estimator.estimate(GREY).values
    )


def test_the_embedded_file_says_what_its_card_says():
    assert card_of_onnx(embedded_path()).preprocessing == find_card(None).preprocessing
