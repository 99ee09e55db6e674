"""`pullfocus PHOTO`: names, formats, JSON, sidecars, streams."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from pullfocus.photo import load


def pixels(path):
    return load(path).encoded


def test_default_verb_name_and_place(cli, folder):
    code, out, err = cli("cat.png", "--at", "0.2,0.5", "--depth", "cat.npy")
    assert (code, out) == (0, "")
    assert "cat.refocused.png" in err
    assert "point" in err
    written = pixels("cat.refocused.png")
    assert not np.array_equal(written, pixels("cat.png"))
    cli("refocus", "cat.png", "--at", "0.2,0.5", "--depth", "cat.npy", "-o", "again.png")
    assert np.array_equal(pixels("again.png"), written)


def test_the_words_name_the_depth_map_whole(cli, folder, make_depth):
    (folder / "maps").mkdir()
    make_depth(folder / "maps" / "cat.npy")
    _, _, err = cli("cat.png", "--depth", "maps/cat.npy", "--at", "0.2,0.5")
    assert f"'{Path('maps/cat.npy')}'" in err


def test_the_subject_is_found_and_said(cli, folder):
    code, _, err = cli("cat.png", "--depth", "cat.npy")
    assert code == 0
    assert "salient subject" in err or "face" in err


def test_without_depth_the_embedded_network_is_used(cli, folder):
    code, _, err = cli("cat.png", "--at", "0.5,0.5")
    assert code == 0
    assert "pullfocus-depth" in err


def test_json_says_everything(cli, folder):
    code, out, _ = cli("cat.png", "--at", "0.2,0.5", "--depth", "cat.npy", "--json")
    answer = json.loads(out)
    assert (code, answer["done"], answer["failed"]) == (0, 1, 0)
    result = answer["results"][0]
    assert result["output"] == "cat.refocused.png"
    assert result["focus"]["disparity"] == pytest.approx(0.9)
    assert result["settings"]["f_number"] == 1.8


def test_sidecar_replays_exactly_and_flags_change_single_values(cli, folder):
    flags = ("--at", "0.2,0.5", "--depth", "cat.npy", "--f-number", "2.8", "--blades", "7")
    assert cli("cat.png", *flags, "--save-settings", "--save-depth")[0] == 0
    assert (folder / "cat.depth.png").is_file()
    assert cli("cat.png", "--settings", "cat.pullfocus.json", "-o", "again.png")[0] == 0
    assert np.array_equal(pixels("again.png"), pixels("cat.refocused.png"))
    code, out, _ = cli(
        "cat.png", "--settings", "cat.pullfocus.json", "--f-number", "8", "-o", "x.png", "--json"
    )
    settings = json.loads(out)["results"][0]["settings"]
    assert (code, settings["f_number"], settings["blades"]) == (0, 8, 7)
    assert not np.array_equal(pixels("x.png"), pixels("again.png"))


def test_outputs_are_never_overwritten_unasked(cli, folder):
    (folder / "out.png").write_bytes(b"mine")
    code, _, err = cli("cat.png", "--depth", "cat.npy", "-o", "out.png")
    assert code == 5
    assert "--overwrite" in err
    assert (folder / "out.png").read_bytes() == b"mine"
    assert cli("cat.png", "--depth", "cat.npy", "-o", "out.png", "--overwrite")[0] == 0


def test_the_photo_itself_is_never_the_output(cli, folder):
    before = (folder / "cat.png").read_bytes()
    code, _, err = cli("cat.png", "--depth", "cat.npy", "-o", "./cat.png", "--overwrite")
    assert code == 2
    assert "replace the photo" in err
    assert (folder / "cat.png").read_bytes() == before


def test_format_and_quality(cli, folder):
    assert cli("cat.png", "--depth", "cat.npy", "--format", "webp", "--quality", "50")[0] == 0
    assert load("cat.refocused.webp").metadata.format == "WEBP"


def test_flags_of_the_other_style_are_said_to_do_nothing(cli, folder):
    given = ("cat.png", "--depth", "cat.npy", "--at", "0.2,0.5", "--overwrite")
    _, _, err = cli(*given, "--method", "median")
    assert "--method has no effect with --style lens" in err
    _, _, err = cli(*given, "--style", "graded", "--f-number", "4", "--blades", "7")
    assert "--f-number, --blades have no effect with --style graded" in err
    for fitting in (("--style", "graded", "--method", "median"), ("--f-number", "4")):
        assert "no effect" not in cli(*given, *fitting)[2]
    assert "no effect" not in cli(*given, "--method", "median", "--quiet")[2]


def test_formats_without_writer_get_one(cli, folder, make_photo):
    make_photo(folder / "dog.bmp")
    assert cli("dog.bmp", "--depth", "cat.npy")[0] == 0
    assert (folder / "dog.refocused.png").is_file()


def test_a_folder_as_output_is_made(cli, folder):
    assert cli("cat.png", "--depth", "cat.npy", "-o", "new/folder")[0] == 0
    assert (folder / "new" / "folder" / "cat.refocused.png").is_file()


def test_names_with_dots_and_spaces(cli, folder, make_photo):
    make_photo(folder / "my cat v1.2 (3).png")
    assert cli("my cat v1.2 (3).png", "--depth", "cat.npy")[0] == 0
    assert (folder / "my cat v1.2 (3).refocused.png").is_file()


class Stream:
    """Stands in for a process's stdin or stdout."""

    def __init__(self, content=b"", tty=False):
        self.buffer = io.BytesIO(content)
        self.isatty = lambda: tty


def test_stdin_to_stdout(cli, folder, monkeypatch):
    stdout = Stream()
    monkeypatch.setattr(sys, "stdin", Stream((folder / "cat.png").read_bytes()))
    monkeypatch.setattr(sys, "stdout", stdout)
    code, _, err = cli("-", "--at", "0.2,0.5", "--depth", "cat.npy")
    assert code == 0
    assert "point" in err
    cli("cat.png", "--at", "0.2,0.5", "--depth", "cat.npy")
    assert stdout.buffer.getvalue()[:4] == b"\x89PNG"
    assert np.array_equal(pixels(io.BytesIO(stdout.buffer.getvalue())), pixels("cat.refocused.png"))


@pytest.mark.parametrize(
    ("content", "tty", "code", "words"),
    [(b"", False, 4, "empty"), (b"junk", False, 4, ""), (b"", True, 2, "stdin")],
)
def test_bad_stdin(cli, folder, monkeypatch, content, tty, code, words):
    monkeypatch.setattr(sys, "stdin", Stream(content, tty))
    found, _, err = cli("-", "-o", "x.png")
    assert found == code
    assert words in err


def test_streams_are_quiet_and_replay_as_files_do(cli, folder, make_photo, monkeypatch):
    """Another photo than the sidecar's own gets its focus anew, whatever the output is."""
    flags = ("--at", "0.2,0.5", "--depth", "cat.npy")
    assert cli("cat.png", *flags, "--save-settings")[0] == 0
    sidecar = json.loads((folder / "cat.pullfocus.json").read_text())
    sidecar["settings"]["focus_disparity"] = 0.1
    (folder / "cat.pullfocus.json").write_text(json.dumps(sidecar))
    make_photo(folder / "dog.png", seed=1)
    replay = ("dog.png", "--settings", "cat.pullfocus.json", "--quiet")
    stdout = Stream()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stdout)
        assert cli(*replay, "-o", "-")[::2] == (0, "")
    assert cli(*replay)[0] == 0
    assert np.array_equal(pixels(io.BytesIO(stdout.buffer.getvalue())), pixels("dog.refocused.png"))


def test_a_folder_is_too_much_for_stdout(cli, folder, make_photo):
    make_photo(folder / "dog.png")
    code, _, err = cli(".", "-o", "-")
    assert (code, "one photo" in err) == (2, True)


def test_a_terminal_gets_no_picture(cli, folder, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream(tty=True))
    code, _, err = cli("cat.png", "--depth", "cat.npy", "-o", "-")
    assert code == 2
    assert "terminal" in err


def test_patterns_work_quoted_and_one_depth_fits_one_photo(cli, folder, make_photo, make_depth):
    make_photo(folder / "cow.png", seed=1)
    code, _, err = cli("c*.png", "--depth", "cat.npy")
    assert code == 2
    assert "one by one" in err
    code, out, _ = cli("c*.png", "--json", "--style", "graded")
    assert (code, json.loads(out)["done"]) == (0, 2)
    make_depth(folder / "x.npy")


def test_the_first_run_says_that_it_compiles(capsys, monkeypatch, tmp_path):
    from pullfocus import kernel_cache
    from pullfocus.cli.first_run import tell_first_run

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    tell_first_run()
    assert "compiles" in capsys.readouterr().err
    (kernel_cache.writable_folder() / "tile_kernels.blur-12.kernel").touch()
    tell_first_run()
    assert capsys.readouterr().err == ""
