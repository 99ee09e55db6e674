"""Weights as bytes in an exported file: a quarter of float32, computed in float32 all the same.

Each output channel has its own scale, its largest weight / 127. In front of every convolution a
Cast and a Mul give float32 back, which onnxruntime folds away when it loads the file.

Measured on the shipped network: lab/recipes/RESULTS.md.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

BYTES_FROM = 1024
"""Kernels of at least so many weights are stored as bytes; the rest stays as it is."""
_LARGEST = 127


def round_to_bytes(net: nn.Module) -> None:
    """Round large kernels (in place) to what bytes can hold; a second time changes nothing."""
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.ndim > 1 and parameter.numel() >= BYTES_FROM:
                codes, scale = _codes(parameter.numpy())
                parameter.copy_(torch.from_numpy(codes * scale))


def store_bytes(model: onnx.ModelProto) -> None:
    """Store large float32 kernels as int8 behind a Cast and a Mul, in place."""
    nodes = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < BYTES_FROM:
            continue
        name = tensor.name
        codes, scale = _codes(values)
        tensor.CopyFrom(numpy_helper.from_array(codes, f"{name}.codes"))
        model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        cast = helper.make_node("Cast", [f"{name}.codes"], [f"{name}.plain"], to=TensorProto.FLOAT)
        nodes += [cast, helper.make_node("Mul", [f"{name}.plain", f"{name}.scale"], [name])]
    for node in reversed(nodes):
        model.graph.node.insert(0, node)


def read_weights(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Return the float32 weights of an exported graph by the folded network's names.

    Files up to version 3 of the embedded network hold float16 instead of bytes.
    """
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = {}
    for name, values in stored.items():
        if values.dtype == np.int8:
            kernel = name.removesuffix(".codes")
            weights[kernel] = torch.from_numpy(values * stored[f"{kernel}.scale"])
        elif values.dtype in (np.float16, np.float32):
            weights[name.removesuffix(".half")] = torch.from_numpy(values.astype(np.float32))
    return weights


def _codes(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int8 codes o ... and float32 scales o 1 ... of kernels o ...."""
    largest = np.abs(kernels).max(tuple(range(1, kernels.ndim)), keepdims=True)
    scale = np.maximum(largest / np.float32(_LARGEST), np.finfo(np.float32).tiny)
    return np.round(kernels / scale).astype(np.int8), scale.astype(np.float32)
