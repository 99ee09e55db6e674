"""From a checkpoint to the ONNX file in the wheel, half the size and self-describing.

Batch norms are folded into the convolutions, weights rounded to float16 and stored so; a Cast
in front of each gives float32 back, which onnxruntime folds away when it loads the file. The
torch network with the same rounded weights is what parity is measured against.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pullfocus.lab.checkpoint import averaged_network
from pullfocus.networks.blocks import ConvNorm
from pullfocus.networks.compact import Compact

OPSET = 17
HALF_FROM = 1024
"""Tensors of at least so many values are stored as float16."""
PREPROCESSING = {
    "size_hw": [256, 256],
    "multiple": 32,
    "rule": "long_side",
    "scale": 1 / 255,
    "mean": [0.0, 0.0, 0.0],
    "std": [1.0, 1.0, 1.0],
}
"""What the caller does to uint8 RGB before the graph, in the words of depth.onnx_card
(normalisation itself is inside)."""


def folded(net: Compact) -> Compact:
    """Return the same network (in place) with norms folded and weights rounded to float16."""
    for name, module in list(net.named_modules()):
        if not isinstance(module, ConvNorm):
            continue
        conv, norm = module[0], module[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        layers = [fuse_conv_bn_eval(conv.eval(), norm.eval()), *list(module)[2:]]
        parent = net.get_submodule(name.rpartition(".")[0])
        setattr(parent, name.rpartition(".")[2], nn.Sequential(*layers))
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.numel() >= HALF_FROM:
                parameter.copy_(parameter.half().float())
    return net.eval()


def store_half(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16 behind a Cast, in place."""
    casts = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALF_FROM:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)


def export(net: Compact, path: Path, metadata: dict[str, str]) -> None:
    """Write a folded network as ONNX with dynamic height and width.

    Input ``image`` 1 3 h w float32 RGB 0..1; outputs, 1 1 h w float32: ``disparity`` >= 0 and
    ``person``, a probability.

    Args:
        net: as returned by ``folded``.
        path: where to write.
        metadata: further metadata_props beside kind, polarity and preprocessing.
    """
    free = {2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (torch.rand(1, 3, 64, 96),),
            str(path),
            opset_version=OPSET,
            dynamo=False,
            input_names=["image"],
            output_names=["disparity", "person"],
            dynamic_axes={"image": free, "disparity": free, "person": free},
        )
    model = onnx.load(str(path))
    store_half(model)
    fixed = {
        "kind": "relative_disparity",
        "polarity": "near_is_large",
        "preprocessing": json.dumps(PREPROCESSING),
    }
    helper.set_model_props(model, fixed | metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export_checkpoint(checkpoint: Path, path: Path, metadata: dict[str, str]) -> float:
    """Export a run's averaged network; return the largest difference to torch on random input."""
    net = folded(averaged_network(checkpoint))
    export(net, path, metadata)
    return parity(net, path)


def parity(net: Compact, path: Path, hw: tuple[int, int] = (96, 160)) -> float:
    """Return max |torch - onnxruntime| of a folded network and its file on one random picture."""
    import onnxruntime

    image = np.random.default_rng(0).random((1, 3, *hw), np.float32)
    session = onnxruntime.InferenceSession(str(path))
    with torch.no_grad():
        expected = net(torch.from_numpy(image))._asdict()
    names = [output.name for output in session.get_outputs()]
    answers = zip(names, session.run(names, {"image": image}), strict=True)
    return max(float(np.abs(own - expected[name].numpy()).max()) for name, own in answers)
