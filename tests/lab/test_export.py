"""Export: dynamic size, parity with torch, the file says what it is; the shipped file too."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.lab.cli import EMBEDDED  # noqa: E402
from pullfocus.lab.export.byte_weights import read_weights, round_to_bytes  # noqa: E402
from pullfocus.lab.export.onnx import (  # noqa: E402
    average,
    export,
    folded,
    parity,
)
from pullfocus.networks.compact import Compact, CompactConfig  # noqa: E402

SMALL = CompactConfig(widths=(8, 16, 16, 32, 32), depths=(1, 1, 1, 1), decoder=(8, 8, 16))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    net = Compact(SMALL)
    net.train()
    for _ in range(3):
        net(torch.rand(2, 3, 64, 64))
    net = folded(net.eval())
    path = tmp_path_factory.mktemp("export") / "small.onnx"
    export(net, path, {"model_id": "small"})
    return net, path


@pytest.mark.parametrize("hw", [(64, 96), (96, 64), (32, 160)])
def test_parity_with_torch_at_any_size(exported, hw):
    assert parity(*exported, hw) <= 1e-4


def test_folding_changes_little(exported):
    torch.manual_seed(0)
    net = Compact(SMALL)
    net.train()
    for _ in range(3):
        net(torch.rand(2, 3, 64, 64))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        plain, fused = net.eval()(image), exported[0](image)
    for before, after in zip(plain, fused, strict=True):
        assert (before - after).abs().max() < 0.02


def test_kernels_are_stored_as_bytes_and_rounded_once(exported):
    net, path = exported
    stored = {t.name: t.data_type for t in onnx.load(str(path)).graph.initializer}
    assert stored["e3.0.0.weight.codes"] == onnx.TensorProto.INT8
    assert stored["e3.0.0.bias"] == onnx.TensorProto.FLOAT
    before = {name: value.clone() for name, value in net.state_dict().items()}
    round_to_bytes(net)
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=1e-6, atol=0)
    assert before["e3.0.0.weight"][0].unique().numel() <= 255


def test_the_file_says_what_it_is(exported):
    said = {p.key: p.value for p in onnx.load(str(exported[1])).metadata_props}
    assert said["kind"] == "relative disparity"
    assert said["polarity"] == "larger = nearer"
    assert said["model_id"] == "small"
    assert json.loads(said["preprocessing"])["multiple_of"] == 32


@pytest.fixture(scope="module")
def shipped():
    return onnxruntime.InferenceSession(str(EMBEDDED))


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    """Return an export of the compact network at its own size, with random weights."""
    torch.manual_seed(2)
    net = Compact()
    with torch.no_grad():  # layers alike would be stored once, under one name
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("compact") / "compact.onnx"
    export(folded(net.eval()), path, {"model_id": "compact"})
    return path


@pytest.mark.parametrize("hw", [(224, 320), (320, 224), (32, 96)])
def test_shipped_file_answers_at_any_size_with_disparity(shipped, hw):
    image = np.random.default_rng(0).random((1, 3, *hw), np.float32)
    disparity = shipped.run(["disparity"], {"image": image})[0]
    assert disparity.shape == (1, 1, *hw)
    assert disparity.dtype == np.float32
    assert disparity.min() >= 0
    assert np.isfinite(disparity).all()


def test_shipped_file_says_what_it_is(shipped):
    said = shipped.get_modelmeta().custom_metadata_map
    assert {"kind", "polarity", "preprocessing", "licence", "training_data"} <= set(said)


def test_an_exported_file_is_read_back_whole(compact):
    from pullfocus.lab.export.onnx import folded_from_onnx

    assert parity(folded_from_onnx(compact, Compact()), compact) <= 1e-4


def test_the_mean_of_two_exports_lies_half_way(compact, exported, tmp_path):
    torch.manual_seed(1)
    net = folded(Compact().eval())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    export(net, tmp_path / "other.onnx", {})
    average([compact, tmp_path / "other.onnx"], tmp_path / "mean.onnx")
    one, two, mean = (
        read_weights(onnx.load(str(path)))["e4.0.0.weight"]
        for path in (compact, tmp_path / "other.onnx", tmp_path / "mean.onnx")
    )
    assert (mean - (one + two) / 2).abs().max() <= mean.abs().max() / 250
    with pytest.raises(UsageError, match=r"small\.onnx is no embedded network"):
        average([compact, exported[1]], tmp_path / "no.onnx")


def test_training_can_go_on_from_an_exported_file(exported):
    from pullfocus.lab.recipes.warm_start import start_from_onnx

    images = torch.rand(4, 3, 64, 96)
    net = start_from_onnx(exported[1], Compact(SMALL), images)
    with torch.no_grad():
        resumed, shipped = net(images), exported[0](images)
    for own, expected in zip(resumed, shipped, strict=True):
        assert (own - expected).abs().max() < 1e-3
    norm = net.e1[1]
    assert norm.running_var.min() > 0
