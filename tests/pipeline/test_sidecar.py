"""The sidecar: an edit made once gives the same pixels again, by whatever door."""

import json

import numpy as np
import pytest

from pullfocus.errors import CannotWriteError, UnreadableInputError, UsageError
from pullfocus.photo import save
from pullfocus.pipeline import Settings, Sidecar, read_sidecar, refocus, write_sidecar


@pytest.fixture
def files(photo, depth, tmp_path):
    save(photo, tmp_path / "cat.png")
    np.save(tmp_path / "cat.depth.npy", depth.disparity)
    return tmp_path


def test_replay_is_exact(files):
    fields = {"at": (0.2, 0.5), "f_number": 2.0, "blades": 7, "range": (0.9, 0.7)}
    first = refocus(files / "cat.png", depth_file=str(files / "cat.depth.npy"), **fields)
    write_sidecar(first.sidecar, files / "cat.pullfocus.json")
    again = refocus(files / "cat.png", settings=read_sidecar(files / "cat.pullfocus.json").settings)
    assert np.array_equal(first.image.linear, again.image.linear)
    assert again.focus.disparity == first.focus.disparity


def test_replay_of_a_found_subject_is_exact(files):
    first = refocus(files / "cat.png", depth_file=str(files / "cat.depth.npy"))
    again = refocus(files / "cat.png", settings=first.settings)
    assert np.array_equal(first.image.linear, again.image.linear)


def test_depth_file_is_kept_relative_and_found_from_elsewhere(files, monkeypatch):
    done = refocus(files / "cat.png", depth_file=str(files / "cat.depth.npy"))
    write_sidecar(done.sidecar, files / "cat.pullfocus.json")
    content = json.loads((files / "cat.pullfocus.json").read_text())
    assert content["settings"]["depth_file"] == "cat.depth.npy"
    monkeypatch.chdir("/")
    found = read_sidecar(files / "cat.pullfocus.json").settings.depth_file
    assert found == str(files / "cat.depth.npy")


def test_a_model_of_one_s_own_is_found_from_elsewhere(tmp_path, monkeypatch):
    from pullfocus.depth.card import embedded_path

    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "own.onnx").write_bytes(embedded_path().read_bytes())
    for model, kept in (("nets/own.onnx", "nets/own.onnx"), ("compact", "compact"), ("a/b", "a/b")):
        write_sidecar(Sidecar(Settings(model=model)), tmp_path / "s.json")
        assert json.loads((tmp_path / "s.json").read_text())["settings"]["model"] == kept
        monkeypatch.chdir("/")
        found = read_sidecar(tmp_path / "s.json").settings.model
        assert found == (str(tmp_path / model) if "onnx" in model else model)
        monkeypatch.chdir(tmp_path)


def test_a_bare_mapping_of_settings_is_a_sidecar(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"f_number": 4, "at": [0.5, 0.5]}')
    assert read_sidecar(path).settings == Settings(f_number=4, at=(0.5, 0.5))


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", UnreadableInputError, "not JSON"),
        ("\x00\x01", UnreadableInputError, "not JSON"),
        ("[1]", UnreadableInputError, "JSON object"),
        ('{"settings": 3}', UnreadableInputError, "JSON object"),
        ('{"settings": {}, "record": 5}', UnreadableInputError, "JSON object"),
        ('{"settings": {}, "record": "abc"}', UnreadableInputError, "JSON object"),
        ('{"sidecar_version": 99, "settings": {}}', UnreadableInputError, "newer"),
        ('{"settings": {"f_numer": 2}}', UsageError, "f_number"),
    ],
)
def test_bad_sidecars_get_one_sentence(tmp_path, text, error, words):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(error, match=words):
        read_sidecar(path)


def test_another_depth_finds_the_plane_of_the_wish_anew():
    sidecar = Sidecar(Settings(at=(0.1, 0.2), focus_disparity=0.7), {"photo": "a.png"})
    assert sidecar.settings_for("a.png", {"f_number": 4}).focus_disparity == 0.7
    assert sidecar.settings_for(None, {}).focus_disparity == 0.7
    other = sidecar.settings_for("a.png", {"model": "other.onnx"})
    assert (other.focus_disparity, other.at) == (None, (0.1, 0.2))
    found = Sidecar(Settings(focus_disparity=0.7), {"photo": "a.png"})
    assert found.settings_for("a.png", {"depth_file": "a.npy"}).focus_disparity == 0.7


def test_a_byte_order_mark_is_no_damage(tmp_path):
    path = tmp_path / "s.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"f_number": 4}')
    assert read_sidecar(path).settings == Settings(f_number=4)


def test_missing_sidecar_and_missing_folder(tmp_path):
    with pytest.raises(UnreadableInputError, match=r"s\.json"):
        read_sidecar(tmp_path / "s.json")
    with pytest.raises(CannotWriteError, match="nowhere"):
        write_sidecar(Sidecar(Settings()), tmp_path / "nowhere" / "s.json")
