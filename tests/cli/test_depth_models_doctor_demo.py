"""The small verbs: depth, models, doctor, demo."""

import json

import numpy as np
import pytest

from pullfocus.cli import doctor
from pullfocus.depthmap.files import load_depth
from pullfocus.photo import load


@pytest.mark.parametrize("suffix", [".png", ".npy", ".exr", ".pfm"])
def test_depth_in_every_format(cli, folder, suffix):
    code, out, err = cli("depth", "cat.png", "-o", f"d{suffix}", "--json")
    assert code == 0
    assert "relative" in err
    assert json.loads(out)[0]["size_hw"] == [48, 64]
    assert load_depth(folder / f"d{suffix}").size_hw == (48, 64)


def test_depth_preview_and_uncertainty(cli, folder):
    assert cli("depth", "cat.png", "--preview", "--uncertainty")[0] == 0
    assert load(folder / "cat.depth.preview.png").size_hw == (48, 64)
    spread = np.load(folder / "cat.depth.uncertainty.npy")
    assert spread.shape == (48, 64)
    assert (spread >= 0).all()


def test_depth_refuses_and_goes_on(cli, folder):
    assert cli("depth", "cat.png", "-o", "d.jpg")[0] == 2
    (folder / "bad.png").write_bytes(b"no")
    code, _, err = cli("depth", "cat.png", "bad.png", "-o", "out")
    assert code == 1
    assert "bad.png" in err
    assert (folder / "out" / "cat.depth.png").is_file()
    assert cli("depth", "cat.png", "-o", "out")[0] == 5


def test_photos_of_one_stem_get_a_depth_map_each(cli, folder, make_photo):
    make_photo(folder / "cat.bmp", seed=1)
    code, out, _ = cli("depth", "cat.png", "cat.bmp", "./cat.png", "-o", "out", "--json")
    names = ["out/cat.png.depth.png", "out/cat.bmp.depth.png"]
    assert (code, [item["output"] for item in json.loads(out)]) == (0, names)
    assert cli("depth", "cat.png", "cat.bmp", "-o", "one.png")[0] == 2


def test_depth_has_no_stdout(cli, folder):
    code, _, err = cli("depth", "cat.png", "-o", "-")
    assert (code, "stdout" in err) == (2, True)
    assert not (folder / "-").exists()


def test_models_as_table_and_json(cli):
    code, out, _ = cli("models")
    assert code == 0
    assert "pullfocus-depth" in out
    code, out, _ = cli("models", "--json")
    cards = json.loads(out)
    assert [card["id"] for card in cards if card["default"]] == ["pullfocus-depth"]
    assert all(card["licence"] for card in cards)


def test_doctor_on_this_machine(cli):
    code, out, _ = cli("doctor")
    assert code == 0
    assert "can run pullfocus" in out
    code, out, _ = cli("doctor", "--json")
    assert {"cores", "memory", "OpenCV", "depth network"} <= {
        row["what"] for row in json.loads(out)
    }


def test_doctor_says_what_to_do_and_fails(cli, monkeypatch):
    bad = doctor.Finding("memory", "bad", "0.1 GB free", "close programs")
    monkeypatch.setattr("pullfocus.cli.doctor.findings", lambda: [bad])
    code, out, _ = cli("doctor")
    assert code == 1
    assert "close programs" in out
    assert "cannot run" in out


def test_missing_extras_are_named(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    notes = [row for row in doctor.findings() if row.what.startswith("extra")]
    assert all(row.state == "note" and "pip install" in row.to_do for row in notes)


def test_demo(cli, folder, make_photo):
    code, _, err = cli("demo", "-o", "shown")
    assert code == 0
    pair = load(folder / "shown" / "street.before-after.jpg")
    photo = load(folder / "shown" / "street.jpg")
    assert pair.width > 2 * photo.width
    assert str(folder / "shown") in err.replace("\n", "")
    assert not np.array_equal(
        load(folder / "shown" / "street.refocused.jpg").encoded, photo.encoded
    )
    make_photo(folder / "a.png")
