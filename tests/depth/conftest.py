"""Tiny ONNX networks, written to a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
Writer = Callable[..., Path]


@pytest.fixture
def write_onnx(tmp_path: Path) -> Writer:
    """Return a writer of networks that answer with the mean of the channels of their input."""
    onnx = pytest.importorskip("onnx", reason="the tiny network is built with onnx (lab extra)")
    helper, kinds = onnx.helper, onnx.TensorProto

    def write(
        name: str = "tiny.onnx",
        size_hw: tuple[int | str, int | str] = ("h", "w"),
        gain: float = 1.0,
        sees_people: bool = False,
        **metadata: str,
    ) -> Path:
        given = helper.make_tensor_value_info("image", kinds.FLOAT, [1, 3, *size_hw])
        answer = helper.make_tensor_value_info("disparity", kinds.FLOAT, [1, 1, *size_hw])
        factor = onnx.numpy_helper.from_array(np.float32([gain]), "gain")
        nodes = [
            helper.make_node("ReduceMean", ["image"], ["grey"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["grey", "gain"], ["disparity"]),
        ]
        answers = [answer]
        if sees_people:
            nodes.append(helper.make_node("Identity", ["grey"], ["person"]))
            answers.append(helper.make_tensor_value_info("person", kinds.FLOAT, [1, 1, *size_hw]))
        graph = helper.make_graph(nodes, "tiny", [given], answers, [factor])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        helper.set_model_props(model, metadata)
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return write


@pytest.fixture
def plain() -> str:
    """Return preprocessing metadata under which the network sees codes 0..1 at 64 pixels."""
    return (
        '{"mean": [0, 0, 0], "std": [1, 1, 1], "range": [0, 1], "multiple_of": 32, "long_side": 64}'
    )


@pytest.fixture
def bright_left() -> np.ndarray:
    """Return a 48x80 uint8 picture, bright left half, dark right half."""
    rgb = np.full((48, 80, 3), 40, np.uint8)
    rgb[:, :40] = 210
    return rgb


@pytest.fixture
def shared_data() -> Path:
    """Return ../shared/data or skip."""
    if not SHARED.is_dir():
        pytest.skip(f"real data is not here ({SHARED})")
    return SHARED


@pytest.fixture
def depth_and_people(tmp_path: Path) -> Callable[..., Path]:
    """Write a network of given nodes from ``image`` to ``disparity`` and ``person``."""
    onnx = pytest.importorskip("onnx", reason="the tiny network is built with onnx (lab extra)")
    helper, kinds = onnx.helper, onnx.TensorProto

    def write(
        nodes: list[tuple[str, list[str], str, dict[str, Any]]],
        constants: Mapping[str, np.ndarray],
        **preprocessing: int,
    ) -> Path:
        """nodes: (operator, inputs, output, attributes)."""
        answers = [
            helper.make_tensor_value_info(name, kinds.FLOAT, [1, 1, "h", "w"])
            for name in ("disparity", "person")
        ]
        given = helper.make_tensor_value_info("image", kinds.FLOAT, [1, 3, "h", "w"])
        made = [helper.make_node(kind, inputs, [out], **more) for kind, inputs, out, more in nodes]
        held = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
        graph = helper.make_graph(made, "tiny", [given], answers, held)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
        rule = {"mean": [0, 0, 0], "std": [1, 1, 1], "multiple_of": 32, "long_side": 64}
        helper.set_model_props(
            model, {"kind": "relative disparity", "preprocessing": json.dumps(rule | preprocessing)}
        )
        path = tmp_path / f"tiny{len(preprocessing)}.onnx"
        onnx.save(model, path)
        return path

    return write
