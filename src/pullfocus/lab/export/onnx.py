"""From a checkpoint to an ONNX file that says what it is and runs as ``--model net.onnx``.

A checkpoint of the engine is written as it is trained, in float32. The embedded network's is made
small for the wheel: batch norms are folded into the convolutions and their kernels
stored as bytes. Parity is measured against the torch network with the same (rounded) weights.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pullfocus.errors import CannotWriteError, PullfocusError, UsageError
from pullfocus.lab.engine.checkpoint import Checkpoint, read_checkpoint
from pullfocus.lab.engine.system import DepthGraph
from pullfocus.lab.export.byte_weights import read_weights, round_to_bytes, store_bytes
from pullfocus.networks.blocks import ConvNorm
from pullfocus.networks.compact import Compact
from pullfocus.telemetry import onnxruntime

METADATA = {
    "model_id": "pullfocus-compact-v4",
    "licence": "MIT",
    "training_data": (
        "Pseudo-labels of TCMonoDepth small (MIT) on public photo collections, BSDS500 and "
        "imagenet-sample-images (pictures used for pseudo-labels only); RGB-D frames of "
        "deep-video-mvs HoloLens (MIT), slambook2 Kinect (MIT) and TUM (CC BY 4.0); scenes "
        "rendered by pullfocus.lab.scenes; person masks: pseudo-labels of MediaPipe selfie "
        "segmentation (Apache-2.0) on the same photos"
    ),
    "recipe": "python -m pullfocus.lab train compact, compact-more twice, compact-truth, average",
}
"""metadata_props of compact.onnx beside kind, polarity and preprocessing."""
OPSET = 17
TOLERANCE = 1e-4
"""Largest difference to torch, in units of the answer's largest value where that exceeds 1."""
COMPACT_HW = (256, 256)
COMPACT_MULTIPLE = 32
COMPACT_LOOKS = {"second_long_side": 256}
"""Flip averaging is worth its time for this network (lab/recipes/RESULTS.md)."""


def folded(net: Compact) -> Compact:
    """Return the same network (in place) with norms folded and kernels rounded to bytes."""
    for name, module in list(net.named_modules()):
        if not isinstance(module, ConvNorm):
            continue
        conv, norm = module[0], module[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        layers = [fuse_conv_bn_eval(conv.eval(), norm.eval()), *list(module)[2:]]
        parent = net.get_submodule(name.rpartition(".")[0])
        setattr(parent, name.rpartition(".")[2], nn.Sequential(*layers))
    round_to_bytes(net)
    return net.eval()


def export(net: Compact, path: Path, metadata: dict[str, str]) -> None:
    """Write a folded compact network; outputs ``disparity`` >= 0 and ``person``, a probability.

    Args:
        net: as returned by ``folded``.
        path: where to write.
        metadata: further metadata_props beside kind, polarity and preprocessing.
    """
    graph = compact_graph(net)
    model = traced(graph, path)
    restore_shared(model)
    store_bytes(model)
    write(model, path, card(graph, **COMPACT_LOOKS) | metadata)


def restore_shared(model: onnx.ModelProto) -> None:
    """Give tensors of equal values an initializer under each name, in place.

    torch writes them once and the others as Identity nodes (all biases of a fresh network, say);
    what reads weights back by name would miss those.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in list(model.graph.node):
        if node.op_type == "Identity" and node.input[0] in stored:
            values = numpy_helper.to_array(stored[node.input[0]])
            model.graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
            model.graph.node.remove(node)


def compact_graph(net: Compact) -> DepthGraph:
    """Return the compact network as what export writes."""
    outputs = ("disparity", "person")
    return DepthGraph(net, "relative disparity", COMPACT_HW, COMPACT_MULTIPLE, outputs)


def traced(graph: DepthGraph, path: Path) -> onnx.ModelProto:
    """Return a network as ONNX with dynamic height and width.

    Input ``image`` 1 3 h w float32 RGB 0..1, outputs 1 1 h w float32 by the graph's names. Weights
    pass through the file ``path``.

    Raises:
        CannotWriteError: the file cannot be written.
    """
    free = {2: "height", 3: "width"}
    sides = [2 * graph.multiple, 3 * graph.multiple]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                graph.net.eval(),
                (torch.rand(1, 3, *sides),),
                str(path),
                opset_version=OPSET,
                dynamo=False,
                input_names=["image"],
                output_names=list(graph.outputs),
                dynamic_axes=dict.fromkeys(("image", *graph.outputs), free),
            )
        except (OSError, RuntimeError) as problem:
            if path.parent.is_dir():
                raise
            raise CannotWriteError(f"{path} cannot be written ({problem}).") from None
    return onnx.load(str(path))


def card(graph: DepthGraph, **looks: int) -> dict[str, str]:
    """Return what a file says about itself, in the words that ``depth.onnx_card`` reads.

    looks: second_long_side, where the network is better with flip averaging.
    """
    long_side = -(-max(graph.size_hw) // graph.multiple) * graph.multiple
    preprocessing = {
        "channels": "RGB",
        "range": [0, 1],
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "multiple_of": graph.multiple,
        "long_side": long_side,
        **looks,
    }
    nearer = graph.kind.endswith("disparity")
    return {
        "kind": graph.kind,
        "polarity": "larger = nearer" if nearer else "larger = farther",
        "preprocessing": json.dumps(preprocessing),
    }


def write(model: onnx.ModelProto, path: Path, metadata: dict[str, str]) -> None:
    """Check a model and write it with its metadata."""
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export_checkpoint(
    checkpoint: Path, path: Path, metadata: dict[str, str] | None = None
) -> float:
    """Export a checkpoint of ``pullfocus lab train``; return the largest difference to torch.

    Args:
        checkpoint: of any recipe.
        path: ONNX file to write.
        metadata: replaces or adds to what the file says about itself.

    Raises:
        UnreadableInputError: not such a checkpoint.
        UsageError: its network cannot answer one picture with depth.
        CannotWriteError: the file cannot be written.
        PullfocusError: onnxruntime's answers differ from torch's; nothing is left.
    """
    from pullfocus.lab.recipes.catalogue import system_of

    found = read_checkpoint(checkpoint)
    graph = system_of(found).depth_graph()
    if isinstance(graph.net, Compact):
        export(folded(graph.net), path, METADATA | (metadata or {}))
    else:
        about = _about(found) | (metadata or {})
        write(traced(graph, path), path, card(graph) | about)
    difference = parity(graph.net, path, (2 * graph.multiple, graph.multiple))
    if not difference <= TOLERANCE:
        path.unlink()
        raise PullfocusError(
            f"{path} was not kept: it differs from {checkpoint} by {difference:.1e}, more than "
            f"{TOLERANCE:.0e}; please report it with the recipe's name."
        )
    return difference


def _about(found: Checkpoint) -> dict[str, str]:
    """Return what is known of a network by the run that trained it."""
    samples = str(found.settings["samples"])
    return {
        "model_id": f"{found.recipe}-{found.step}",
        "licence": "MIT" if samples == "rendered" else f"as the samples it learned from: {samples}",
        "training_data": samples,
        "recipe": f"pullfocus lab train {found.recipe}",
    }


def parity(net: nn.Module, path: Path, hw: tuple[int, int] = (96, 160)) -> float:
    """Return max |torch - onnxruntime| of a network and its file on one random picture.

    Answers whose largest value exceeds 1 are compared in units of it: float32 has no more digits.
    """
    image = np.random.default_rng(0).random((1, 3, *hw), np.float32)
    session = onnxruntime().InferenceSession(str(path))
    with torch.no_grad():
        expected = net(torch.from_numpy(image))
    names = [output.name for output in session.get_outputs()]
    own = session.run(names, {"image": image})
    pairs = zip(_in_order(expected, names), own, strict=True)
    return max(_difference(wanted.numpy(), answer) for wanted, answer in pairs)


def _in_order(answer: Any, names: list[str]) -> list[Tensor]:
    """Return a module's answers as the file names them; older files leave some of them out."""
    if isinstance(answer, Tensor):
        return [answer]
    if hasattr(answer, "_asdict"):
        return [answer._asdict()[name] for name in names]
    return list(answer)


def _difference(wanted: np.ndarray, own: np.ndarray) -> float:
    return float(np.abs(own - wanted).max() / max(1.0, np.abs(wanted).max()))


def folded_from_onnx(path: Path, net: Compact) -> Compact:
    """Return net, folded, with the weights of an exported file of the same configuration."""
    net = folded(net.eval())
    state = net.state_dict()
    stored = read_weights(onnx.load(str(path)))
    state |= {name: value for name, value in stored.items() if name in state}
    net.load_state_dict(state)
    return net


def average(networks: list[Path], path: Path) -> None:
    """Write the network whose every weight is the mean over exported files of `Compact`.

    Networks that were trained on from one another: averaging keeps what later training lost.

    Source: Wortsman et al. 2022, Robust fine-tuning of zero-shot models, section 3.

    Raises:
        UsageError: a file that holds another network.
    """
    net = folded(Compact().eval())
    state = {name: value for name, value in net.state_dict().items() if name not in ("mean", "std")}
    stored = [read_weights(onnx.load(str(file))) for file in networks]
    for file, weights in zip(networks, stored, strict=True):
        if any(name not in weights or weights[name].shape != state[name].shape for name in state):
            raise UsageError(f"{file} is no embedded network as this version trains them.")
    means = {name: torch.stack([weights[name] for weights in stored]).mean(0) for name in state}
    net.load_state_dict(means, strict=False)
    round_to_bytes(net)
    export(net, path, METADATA)
