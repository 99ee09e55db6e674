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


Node = tuple[str, list[str], str, dict[str, Any]]
"""Operator, inputs, output, attributes."""
GREY: Node = ("ReduceMean", ["image"], "grey", {"axes": [1], "keepdims": 1})


def save_network(
    path: Path,
    nodes: list[Node],
    constants: Mapping[str, np.ndarray],
    answers: tuple[str, ...],
    metadata: Mapping[str, str],
    size_hw: tuple[int | str, int | str] = ("h", "w"),
) -> Path:
    """Save the network that turns ``image`` 1 3 h w into answers 1 1 h w."""
    onnx = pytest.importorskip("onnx", reason="the tiny network is built with onnx (lab extra)")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    given = helper.make_tensor_value_info("image", kind, [1, 3, *size_hw])
    found = [helper.make_tensor_value_info(name, kind, [1, 1, *size_hw]) for name in answers]
    made = [helper.make_node(does, inputs, [out], **more) for does, inputs, out, more in nodes]
    held = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(made, "tiny", [given], found, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path


@pytest.fixture
def write_onnx(tmp_path: Path) -> Writer:
    """Return a writer of networks that answer with the mean of the channels of their input."""

    def write(
        name: str = "tiny.onnx",
        size_hw: tuple[int | str, int | str] = ("h", "w"),
        gain: float = 1.0,
        sees_people: bool = False,
        **metadata: str,
    ) -> Path:
        nodes = [GREY, ("Mul", ["grey", "gain"], "disparity", {})]
        answers: tuple[str, ...] = ("disparity",)
        if sees_people:
            nodes.append(("Identity", ["grey"], "person", {}))
            answers = ("disparity", "person")
        constants = {"gain": np.float32([gain])}
        return save_network(tmp_path / name, nodes, constants, answers, metadata, size_hw)

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
def depth_and_people(tmp_path: Path) -> Writer:
    """Return a writer of networks of given nodes from ``image`` to ``disparity`` and ``person``."""

    def write(nodes: list[Node], constants: Mapping[str, np.ndarray], **preprocessing: int) -> Path:
        rule = {"mean": [0, 0, 0], "std": [1, 1, 1], "multiple_of": 32, "long_side": 64}
        metadata = {
            "kind": "relative disparity",
            "preprocessing": json.dumps(rule | preprocessing),
        }
        path = tmp_path / f"tiny{len(preprocessing)}.onnx"
        return save_network(path, nodes, constants, ("disparity", "person"), metadata)

    return write
