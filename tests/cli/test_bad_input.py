"""Whatever is wrong: one sentence, the file's name, the documented exit code, no traceback."""

import struct

import numpy as np
import pytest
from PIL import Image


def refused(answer, code, *words):
    found, out, err = answer
    assert found == code, err
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1, err
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.jpg", b""),
        ("noise.jpg", b"this is no picture at all" * 20),
        ("page.png", b"<!doctype html><html></html>"),
    ],
)
def test_not_a_picture(cli, folder, name, content):
    (folder / name).write_bytes(content)
    refused(cli(name), 4, name)


def test_truncated(cli, folder, make_photo):
    whole = make_photo(folder / "whole.jpg", (200, 300)).read_bytes()
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    refused(cli("half.jpg"), 4, "half.jpg")


def test_missing_photo(cli, folder):
    refused(cli("nowhere.jpg"), 4, "nowhere.jpg")


def test_folder_without_photos_and_pattern_without_match(cli, folder):
    (folder / "void").mkdir()
    refused(cli("void"), 2, "void")
    refused(cli("*.cr3"), 2, "*.cr3")


def test_wrong_extension_is_read_by_content(cli, folder, make_photo):
    make_photo(folder / "real.png").rename(folder / "fake.jpg")
    assert cli("fake.jpg", "--depth", "cat.npy")[0] == 0


def test_too_many_megapixels(cli, folder):
    refused(cli("cat.png", "--max-megapixels", "0.001"), 4, "cat.png", "megapixel")


@pytest.mark.parametrize("at", ["1.5,0.5", "-0.1,0.5", "0.5", "a,b", "nan,0.5", "0.1,0.2,0.3"])
def test_point_outside_the_picture(cli, folder, at):
    refused(cli("cat.png", f"--at={at}"), 2, "inside the picture")


def test_depth_of_another_aspect(cli, folder):
    np.save(folder / "square.npy", np.zeros((50, 50), np.float32))
    refused(cli("cat.png", "--depth", "square.npy"), 2, "square.npy", "50x50")


def test_depth_of_nothing_but_nan(cli, folder):
    np.save(folder / "nan.npy", np.full((48, 64), np.nan, np.float32))
    refused(cli("cat.png", "--depth", "nan.npy"), 4, "nan.npy", "nothing in it is known")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--depth-near", "white"], "bright"),
        (["--depth-unit", "feet"], "inverse_m"),
        (["--depth-scale", "0"], "greater than 0"),
        (["--depth-near", "bright", "--depth-unit", "m"], "dark = near"),
        (["--depth-unit", "disparity", "--depth-scale", "2"], "no unit"),
    ],
)
def test_what_is_told_of_a_depth_file_must_make_sense(cli, folder, flags, words):
    refused(cli("cat.png", "--depth", "cat.npy", *flags), 2, words)


def test_missing_depth_and_settings(cli, folder):
    refused(cli("cat.png", "--depth", "no.npy"), 4, "no.npy")
    refused(cli("cat.png", "--settings", "no.json"), 4, "no.json")


def test_unknown_model(cli, folder):
    refused(cli("cat.png", "--model", "nosuch"), 2, "nosuch", "pullfocus models")


def test_model_that_cannot_be_fetched(cli, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    answer = cli("cat.png", "--model", "Intel/dpt-large")
    refused(answer, 3, "Intel/dpt-large")


def test_output_in_a_missing_folder_or_format(cli, folder):
    refused(cli("cat.png", "--depth", "cat.npy", "-o", "nowhere/out.png"), 5, "nowhere")
    refused(cli("cat.png", "--depth", "cat.npy", "-o", "out.xyz"), 2, "xyz")


def test_empty_names_do_not_mean_the_whole_folder(cli, folder):
    """As in `pullfocus "$PHOTO"` with a variable that is not set."""
    refused(cli(""), 2, "empty")
    refused(cli("cat.png", "--depth", "cat.npy", "-o", ""), 2, "empty")


def test_damaged_exif_is_no_concern_of_people(cli, folder):
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 5) + b"\x12\x01\x03\0"
    Image.new("RGB", (64, 48)).save(folder / "a.jpg", exif=block)
    code, _, err = cli("a.jpg", "--depth", "cat.npy", "--at", "0.5,0.5")
    assert (code, "Warning" in err) == (0, False)


def test_names_that_begin_with_a_tilde(cli, folder, make_photo):
    """Nobody is called `cat.png`, so that ~cat.png is a file and not somebody's home."""
    make_photo(folder / "~cat.png")
    assert cli("~cat.png", "--depth", "cat.npy", "-o", "~out.png")[0] == 0
    assert (folder / "~out.png").is_file()
    refused(cli("~dog.png"), 4, "no such file")
    refused(cli("cat.png", "--model", "~nobody.onnx"), 3, "~nobody.onnx")


@pytest.mark.parametrize("flag", ["--max-megapixels", "--focus-m", "--focus-disparity"])
def test_infinity_is_refused_before_anything_is_written(cli, folder, flag):
    refused(cli("cat.png", "--depth", "cat.npy", flag, "inf", "--json"), 2, "finite")
    assert not (folder / "cat.refocused.png").exists()


def test_names_too_long_for_the_system(cli, folder):
    refused(cli("x" * 300 + ".png"), 1, "too long")
    refused(cli("cat.png", "--depth", "cat.npy", "-o", "x" * 300 + ".png"), 1, "too long")


@pytest.mark.parametrize("verb", [("cat.png", "--depth", "cat.npy"), ("depth", "cat.png")])
def test_a_file_where_a_folder_is_meant(cli, folder, verb):
    (folder / "taken").write_bytes(b"mine")
    refused(cli(*verb, "-o", "taken"), 5, "taken")
    refused(cli("demo", "-o", "taken"), 5, "taken")
    assert (folder / "taken").read_bytes() == b"mine"


def test_metres_without_metric_depth(cli, folder):
    refused(cli("cat.png", "--depth", "cat.npy", "--focus-m", "2"), 2, "metres")


def test_no_debris_is_left_after_failures(cli, folder):
    before = sorted(folder.iterdir())
    cli("cat.png", "--depth", "cat.npy", "--focus-m", "2")
    cli("cat.png", "--depth", "no.npy", "--save-settings")
    assert sorted(folder.iterdir()) == before
