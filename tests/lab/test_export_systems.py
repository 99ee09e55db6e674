"""Export of the engine's checkpoints: any size, what the file says, and its use as a model."""

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("accelerate")

from pullfocus.depth.onnx_card import card_of_onnx  # noqa: E402
from pullfocus.errors import (  # noqa: E402
    CannotWriteError,
    PullfocusError,
    UnreadableInputError,
    UsageError,
)
from pullfocus.lab.cli import main  # noqa: E402
from pullfocus.lab.export import onnx as exporting  # noqa: E402
from pullfocus.lab.recipes.catalogue import CATALOGUE, trained_system  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rgbd")
    rng = np.random.default_rng(0)
    for name in ("rgb", "depth_mm"):
        (folder / name).mkdir()
    for n in range(8):
        slope = np.repeat(np.linspace(1000, 4000, 48)[None], 32, 0).astype(np.uint16)
        cv2.imwrite(str(folder / f"rgb/{n}.png"), rng.integers(0, 255, (32, 48, 3), np.uint8))
        cv2.imwrite(str(folder / f"depth_mm/{n}.png"), slope)
    changes = ["samples=rgbd", "hw=[32,48]", "epochs=1", "batch=2", "unet_widths=[4,4,8,8]"]
    flags = [word for change in changes for word in ("--set", change)]
    out = folder / "run"
    assert main(["train", "unet-tiny", "--data", str(folder), "--out", str(out), *flags]) == 0
    return out / "checkpoint.pt"


def test_export_says_what_the_file_is_and_how_far_it_is_from_torch(checkpoint, tmp_path, capsys):
    path = tmp_path / "net.onnx"
    assert main(["export", str(checkpoint), "-o", str(path)]) == 0
    assert float(capsys.readouterr().out.split()[-1]) <= 1e-4
    said = {p.key: p.value for p in onnx.load(str(path)).metadata_props}
    assert said["recipe"] == "pullfocus lab train unet-tiny"
    assert said["licence"] == "as the samples it learned from: rgbd"
    assert json.loads(said["preprocessing"])["long_side"] == 64
    card = card_of_onnx(path)
    assert (card.output, card.note) == ("metric_disparity", "")
    assert (card.preprocessing.size_hw, card.preprocessing.multiple) == ((64, 64), 32)


def test_the_licence_can_be_said(checkpoint, tmp_path):
    path = tmp_path / "net.onnx"
    main(["export", str(checkpoint), "-o", str(path), "--licence", "CC0-1.0"])
    assert card_of_onnx(path).licence == "CC0-1.0"


def test_an_exported_file_is_a_model_of_pullfocus_depth(checkpoint, tmp_path):
    from pullfocus.cli import main as pullfocus

    exporting.export_checkpoint(checkpoint, tmp_path / "net.onnx")
    rgb = np.random.default_rng(1).integers(0, 255, (60, 90, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "photo.jpg"), rgb)
    command = ["depth", "photo.jpg", "--model", "net.onnx", "-o", "depth.npy"]
    files = [str(tmp_path / word) if "." in word else word for word in command]
    with pytest.raises(SystemExit) as ended:
        pullfocus(files)
    assert ended.value.code == 0
    disparity = np.load(tmp_path / "depth.npy")
    assert disparity.shape == (60, 90)
    assert np.isfinite(disparity).all()


SMALL = {
    "monodepth-tiny": {"thin": 16},
    "deep3d": {"thin": 16},
    "dynamic-tiny": {"thin": 16},
    "unet-tiny": {"unet_widths": (4, 4, 8, 8)},
    "laina-tiny": {"laina_width": 16},
    "dpt-both-tiny": {},
}


@pytest.mark.parametrize("name", SMALL)
def test_every_system_answers_alike_at_other_sizes(name, tmp_path):
    torch.manual_seed(0)
    graph = CATALOGUE[name].but(**SMALL[name]).build().eval().depth_graph()
    path = tmp_path / "net.onnx"
    exporting.write(exporting.traced(graph, path), path, exporting.card(graph))
    for hw in ((graph.multiple, 2 * graph.multiple), (2 * graph.multiple, graph.multiple)):
        assert exporting.parity(graph.net, path, hw) <= 1e-4
    shape = onnx.load(str(path)).graph.output[0].type.tensor_type.shape.dim
    assert [d.dim_param for d in shape[2:]] == ["height", "width"]
    assert card_of_onnx(path).output == graph.kind.replace(" ", "_")


def test_convention_polarity_goes_with_the_kind():
    for name, polarity in (("laina-tiny", "larger = farther"), ("unet-tiny", "larger = nearer")):
        graph = CATALOGUE[name].build().depth_graph()
        assert exporting.card(graph)["polarity"] == polarity


@pytest.mark.parametrize("name", ["monodepth-stereo", "dpt-person-tiny"])
def test_systems_that_cannot_see_depth_in_one_picture_are_refused(name):
    settings = {"thin": 16} if name == "monodepth-stereo" else {}
    with pytest.raises(UsageError, match=r"cannot be exported|no depth to export"):
        CATALOGUE[name].but(**settings).build().depth_graph()


def test_a_file_that_differs_is_not_kept(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(PullfocusError, match="was not kept"):
        exporting.export_checkpoint(checkpoint, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"nothing")
    with pytest.raises(UnreadableInputError, match=r"a\.pt is not a checkpoint"):
        exporting.export_checkpoint(tmp_path / "a.pt", tmp_path / "net.onnx")
    with pytest.raises(UnreadableInputError, match=r"b\.pt is not there"):
        exporting.export_checkpoint(tmp_path / "b.pt", tmp_path / "net.onnx")


def test_a_folder_that_is_missing_is_said(checkpoint, tmp_path):
    with pytest.raises(CannotWriteError, match="nowhere"):
        exporting.export_checkpoint(checkpoint, tmp_path / "nowhere/net.onnx")


def test_a_trained_system_is_read_back_with_its_weights(checkpoint):
    system = trained_system(checkpoint)
    saved = torch.load(checkpoint, weights_only=True)["system"]
    assert not system.training
    assert all(torch.equal(value, saved[name]) for name, value in system.state_dict().items())
