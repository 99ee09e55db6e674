"""Names that are too long, of every suffix, with control characters; outputs that are no folder."""

import json
import os

import numpy as np
import pytest

from pullfocus.batch import told_apart
from pullfocus.cli import main
from pullfocus.cli.inputs import find_photos
from pullfocus.cli.printable import printable
from pullfocus.photo import save
from pullfocus.photo.formats import FORMATS
from pullfocus.pipeline import default_output, fitted, sidecar_path
from pullfocus.types import DepthMap, Photo

PIXELS = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def quick_depth(monkeypatch):
    """A ramp instead of the network."""

    def estimate_depth(photo, model=None, *, refine=True, uncertainty=False):
        row = np.linspace(0, 1, photo.width, dtype=np.float32)
        return DepthMap(np.tile(row, (photo.height, 1)))

    monkeypatch.setattr("pullfocus.depth.estimate_depth", estimate_depth)


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


LONG = {
    "251 letters": "a" * 247,
    "two bytes each": "é" * 123,
    "four bytes each": "\U0001f431" * 62,
    "dots": "a." * 123,
    "no endings to keep": "a" * 100 + "." + "b" * 146,
}


@pytest.mark.parametrize("kind", LONG)
def test_the_longest_names_get_their_outputs(tmp_path, capsys, kind):
    photo = tmp_path / f"{LONG[kind]}.png"
    save(Photo.from_array(PIXELS), photo)
    other = tmp_path / f"{LONG[kind][:-1]}x.png"
    save(Photo.from_array(PIXELS), other)
    out = tmp_path / "out"
    given = [tmp_path, "-o", out, "--at", "0.5,0.5", "--save-depth", "--save-settings", "--json"]
    code, told, err = cli(capsys, *given)
    assert code == 0, err
    results = json.loads(told)["results"]
    assert all(item["output"].endswith(".refocused.png") for item in results)
    assert len({item["output"] for item in results}) == 2
    assert len(list(out.iterdir())) == 6
    code, told, _ = cli(capsys, *given)
    assert (code, json.loads(told)["skipped"]) == (0, 2)
    assert cli(capsys, "depth", photo, "--preview", "--uncertainty")[0] == 0
    assert cli(capsys, "graded", photo, "--at", "0.5,0.5")[0] == 0
    assert cli(capsys, tmp_path, "--at", "0.5,0.5")[0] == 0
    assert [p.name for p in find_photos([str(tmp_path)])] == sorted([photo.name, other.name])


def test_long_names_that_differ_only_in_their_suffix_stay_apart(tmp_path):
    photos = [tmp_path / f"{'a' * 247}{suffix}" for suffix in (".png", ".jpg")]
    names = told_apart(photos, [default_output(photo, format_="jpeg") for photo in photos])
    assert len(set(names)) == 2
    for name in names:
        assert len(os.fsencode(name.name)) <= 255
        assert name.name.endswith(".refocused.jpg")


def test_names_that_fit_stay_as_they_are(tmp_path):
    for name in ("cat.refocused.jpg", "a" * 251 + ".jpg", "é.jpg"):
        assert fitted(tmp_path / name).name == name
    assert sidecar_path(tmp_path / "cat.jpg").name == "cat.pullfocus.json"


def test_names_that_are_no_utf8_are_shortened_too(tmp_path):
    name = fitted(tmp_path / os.fsdecode(b"\xff" * 260 + b".jpg"))
    assert len(os.fsencode(name.name)) <= 255
    assert name.suffix == ".jpg"


@pytest.mark.parametrize("verb", [[], ["depth"]])
@pytest.mark.parametrize("name", ["x.jpg", "x.PNG", "x.jfif", "x.heic"])
def test_several_photos_do_not_make_a_folder_named_like_a_picture(tmp_path, capsys, verb, name):
    for stem in ("one", "two"):
        save(Photo.from_array(PIXELS), tmp_path / f"{stem}.png")
    photos = [tmp_path / "one.png", tmp_path / "two.png"]
    code, _, err = cli(capsys, *verb, *photos, "-o", tmp_path / name)
    assert code == 2, err
    assert name in err
    assert not (tmp_path / name).exists()


def test_a_folder_may_be_named_like_a_picture_if_one_says_so(tmp_path, capsys):
    for stem in ("one", "two"):
        save(Photo.from_array(PIXELS), tmp_path / f"{stem}.png")
    photos = [tmp_path / "one.png", tmp_path / "two.png"]
    given = [*photos, "--at", "0.5,0.5", "-o"]
    assert cli(capsys, *given, f"{tmp_path / 'x.jpg'}/")[0] == 0
    assert cli(capsys, *given, tmp_path / "x.jpg", "--overwrite")[0] == 0
    assert cli(capsys, *given, tmp_path / "v1.2")[0] == 0
    assert len(list((tmp_path / "x.jpg").iterdir())) == 2
    assert len(list((tmp_path / "v1.2").iterdir())) == 2


def test_a_folder_run_takes_every_suffix_that_can_be_written(tmp_path, capsys):
    suffixes = [s for traits in FORMATS.values() if traits.name != "HEIF" for s in traits.suffixes]
    for index, suffix in enumerate(suffixes):
        save(Photo.from_array(PIXELS), tmp_path / f"p{index}{suffix}")
    code, told, err = cli(capsys, tmp_path, "--at", "0.5,0.5", "--json")
    assert code == 0, err
    assert json.loads(told)["done"] == len(suffixes)
    jfif = suffixes.index(".jfif")
    assert (tmp_path / f"p{jfif}.refocused.jfif").is_file()
    assert default_output(tmp_path / "a.HIF").suffix in (".HIF", ".jpg")


NASTY = "cat\x1b[31m\x07\n\r\x9b2J\u202etxt.png"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_control_characters_in_names_are_not_printed(tmp_path, capsys):
    save(Photo.from_array(PIXELS), tmp_path / NASTY)
    (tmp_path / f"broken{NASTY}").write_bytes(b"\x89PNG\r\n\x1a\n")
    runs = [
        cli(capsys, tmp_path, "--at", "0.5,0.5"),
        cli(capsys, "depth", tmp_path),
        cli(capsys, "graded", tmp_path, "--at", "0.5,0.5"),
        cli(capsys, "subjects", tmp_path),
        cli(capsys, tmp_path / f"gone{NASTY}"),
        cli(capsys, "video", tmp_path / f"gone{NASTY}"),
        cli(capsys, tmp_path, "--settings", tmp_path / f"gone{NASTY}"),
    ]
    for code, _, err in runs:
        assert code in (1, 2, 4), err
        assert r"\x1b" in err
        assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e"} & set(err)
    assert len([line for line in runs[4][2].splitlines() if line]) == 1


def test_words_that_are_fine_are_printed_as_they_are():
    for words in ("हिन्दी.jpg", "👩‍👩‍👧.png", "ñ naïve – “quotes”", "[bold]a[/bold] \\x1b"):
        assert printable(words) == words
    assert printable("a\x1b[0m\udcff") == r"a\x1b[0m\udcff"
