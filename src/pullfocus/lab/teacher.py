"""A fixed-size public depth network (ONNX) made into a teacher of any size that also gives hints.

``tcmonodepth-small.onnx`` (TCMonoDepth, MIT) was exported for one 192x320 picture. Its channel
shuffles are reshapes to constant sizes; they are rewritten here as channel gathers, so that it
takes batches of any height and width (multiples of 16). It teaches; it is never shipped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

STAGE_TENSORS = {
    "e1": "/encoder/first_conv/first_conv.2/Relu_output_0",
    "e2": "/encoder/stage1/features.3/Concat_output_0",
    "e3": "/encoder/stage2/features.11/Concat_output_0",
    "e4": "/encoder/stage3/features.15/Concat_output_0",
    "d3": "/decoder/decoder3/last_conv/last_conv.2/Relu_output_0",
    "d2": "/decoder/decoder2/last_conv/last_conv.2/Relu_output_0",
    "d1": "/decoder/decoder1/last_conv/last_conv.2/Relu_output_0",
}
"""The teacher's tensor at each of ``networks.compact.STAGES``."""


def teacher_path(data: Path) -> Path:
    """Return where the teacher lies under the data folder."""
    return data / "networks" / "tcmonodepth-small.onnx"


def free_sizes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with batch, height and width made dynamic and stage outputs added."""
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    producer = {o: n for n in graph.node for o in n.output}
    nodes = []
    for node in graph.node:
        if node.op_type in ("Reshape", "Transpose"):
            continue
        if node.op_type == "Split":
            shuffled = node.input[0]
            source = producer[producer[producer[shuffled].input[0]].input[0]].input[0]
            channels = shapes[source][1]
            for half, out in enumerate(node.output):
                name = f"{out}_channels"
                index = np.arange(half, channels, 2)
                graph.initializer.append(numpy_helper.from_array(index, name))
                nodes.append(helper.make_node("Gather", [source, name], [out], axis=1))
            continue
        if node.op_type == "Resize":
            scale = f"{node.output[0]}_scale"
            graph.initializer.append(
                numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), scale)
            )
            del node.input[2:]
            node.input.append(scale)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        for axis, name in ((0, "b"), (2, "h"), (3, "w")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    for name in STAGE_TENSORS.values():
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return model


class Teacher:
    """Relative disparity and stage features for batches of pictures.

    Args:
        path: the public ONNX file.
        threads: cores to use.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnx

        from pullfocus.telemetry import onnxruntime

        runtime = onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        model = free_sizes(onnx.load(str(path)))
        self._session = runtime.InferenceSession(model.SerializeToString(), options)

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        """Return disparity b h w float32 for pictures b 3 h w in 0..1 (h, w multiples of 16)."""
        return self._session.run(["output"], {"input": rgb * np.float32(255)})[0][:, 0]

    def stages(self, rgb: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return disparity b h w and the features of every stage for pictures b 3 h w in 0..1."""
        names = list(STAGE_TENSORS.values())
        out = self._session.run(["output", *names], {"input": rgb * np.float32(255)})
        return out[0][:, 0], dict(zip(STAGE_TENSORS, out[1:], strict=True))
