"""Two looks at a photo: what cancels, what stays, and who asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pullfocus.depth import find_card, open_estimator
from pullfocus.depth.installed import embedded_path
from pullfocus.depth.onnx_card import card_of_onnx
from pullfocus.depth.two_looks import two_looks


@pytest.fixture
def leaning(tmp_path: Path):
    """Write a network that answers with brightness plus what grows from left to right."""
    onnx = pytest.importorskip("onnx", reason="the tiny network is built with onnx (lab extra)")
    helper, kinds = onnx.helper, onnx.TensorProto

    def write(**preprocessing: int) -> Path:
        answers = [
            helper.make_tensor_value_info(name, kinds.FLOAT, [1, 1, "h", "w"])
            for name in ("disparity", "person")
        ]
        given = helper.make_tensor_value_info("image", kinds.FLOAT, [1, 3, "h", "w"])
        constants = {"across": np.int64(3), "one": np.float32([1.0]), "tenth": np.float32([0.01])}
        nodes = [
            helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["grey", "tenth"], ["tenths"]),
            helper.make_node("Sub", ["tenths", "tenths"], ["nothing"]),
            helper.make_node("Add", ["nothing", "tenth"], ["steps"]),
            helper.make_node("CumSum", ["steps", "across"], ["lean"]),
            helper.make_node("Add", ["grey", "lean"], ["disparity"]),
            helper.make_node("Identity", ["grey"], ["person"]),
        ]
        held = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
        graph = helper.make_graph(nodes, "leaning", [given], answers, held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
        rule = {"mean": [0, 0, 0], "std": [1, 1, 1], "multiple_of": 32, "long_side": 64}
        helper.set_model_props(
            model, {"kind": "relative disparity", "preprocessing": json.dumps(rule | preprocessing)}
        )
        path = tmp_path / f"leaning{len(preprocessing)}.onnx"
        onnx.save(model, path)
        return path

    return write


GREY = np.full((64, 64, 3), 128, np.uint8)


def test_what_leans_to_one_side_cancels(leaning):
    once = two_looks(open_estimator(leaning()), GREY).values
    twice = two_looks(open_estimator(leaning(second_long_side=64)), GREY).values
    assert np.ptp(once) > 0.6
    assert np.ptp(twice) < 1e-4
    assert twice.mean() == pytest.approx(once.mean(), abs=1e-4)


def test_the_answer_has_the_first_look_s_resolution(leaning):
    rgb = GREY.copy()
    rgb[:, :32] = 250
    raw = two_looks(open_estimator(leaning(second_long_side=32)), rgb)
    assert raw.values.shape == raw.person.shape == (64, 64)
    assert raw.person[:, :28].mean() > 0.9
    assert raw.person[:, 36:].mean() < 0.6


def test_an_estimator_without_the_wish_is_asked_once(leaning):
    estimator = open_estimator(leaning())
    np.testing.assert_array_equal(
        two_looks(estimator, GREY).values, estimator.estimate(GREY).values
    )


def test_the_embedded_file_says_what_its_card_says():
    assert card_of_onnx(embedded_path()).preprocessing == find_card(None).preprocessing
