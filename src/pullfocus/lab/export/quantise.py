"""Eight-bit twins of exported networks: smaller and faster, a little less exact.

Convolutions are computed in int8 with scales measured on real photos; the first one, which sees
the picture itself, and those that give the answers stay in float. Weights use seven of the eight
bits: cores with AVX2 and without VNNI add pairs of products in 16 bits, which would overflow.

Measured on the shipped network: lab/recipes/RESULTS.md.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from pullfocus.depth.card import Preprocessing
from pullfocus.depth.onnx_card import card_of_onnx
from pullfocus.depth.preprocess import prepare
from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.telemetry import onnxruntime

quantization = onnxruntime("quantization")


class _Calibration(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Photos as the network's input, one after the other."""

    def __init__(self, name: str, photos: Iterable[np.ndarray], rule: Preprocessing) -> None:
        self._inputs: Iterator[dict[str, np.ndarray]] = (
            {name: prepare(rgb, rule).tensor} for rgb in photos
        )

    def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[override]
        return next(self._inputs, None)


def quantise(network: Path, path: Path, photos: list[np.ndarray]) -> None:
    """Write the int8 twin of a depth network.

    Args:
        network: ONNX file with one input; what it says about itself is kept.
        path: where to write.
        photos: uint8 RGB h w 3, some dozens, as varied as what the network will see.

    Raises:
        MissingModelError, UnreadableInputError: see `depth.onnx_card.card_of_onnx`.
        UsageError: no photo was given.
        CannotWriteError: the file cannot be written.
    """
    if not photos:
        raise UsageError("An int8 network needs photos to measure its scales on; none was given.")
    rule = card_of_onnx(network).preprocessing
    said = {p.key: p.value for p in onnx.load(str(network)).metadata_props}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = Path(folder) / "plain.onnx"
        preparation = onnxruntime("quantization.shape_inference")
        preparation.quant_pre_process(str(network), str(plain), skip_symbolic_shape=True)
        graph = onnx.load(str(plain)).graph
        given = graph.input[0].name
        try:
            quantization.quantize_static(
                str(plain),
                str(path),
                _Calibration(given, photos, rule),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=_kept_in_float(graph),
                per_channel=True,
                reduce_range=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
                extra_options={"CalibMovingAverage": True},
            )
        except OSError as problem:
            raise CannotWriteError(f"{path} cannot be written ({problem}).") from None
    model = onnx.load(str(path))
    helper.set_model_props(model, said | {"model_id": said.get("model_id", network.stem) + "-int8"})
    onnx.save(model, str(path))


def _kept_in_float(graph: onnx.GraphProto) -> list[str]:
    """Return the names of convolutions of the picture itself and of those with one channel out."""
    weights = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    return [
        node.name
        for node in convolutions
        if node is convolutions[0] or weights.get(node.input[1], [0])[0] == 1
    ]
