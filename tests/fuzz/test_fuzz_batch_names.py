"""Seeded odd names of photos and outputs: a sentence and an exit code, never a traceback."""

import os
import random

import numpy as np
import pytest

from pullfocus.cli import main
from pullfocus.cli.printable import printable
from pullfocus.photo import save
from pullfocus.types import DepthMap, Photo

PIXELS = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
PIECES = [
    "a", "cat", ".", "..", " ", "-", "--", "~", "~x", "*", "?", "[", "]", "%s", "%00", "$HOME",
    "'", '"', "\\", "\n", "\r", "\t", "\x1b[2J", "\x07", "\x7f", "\x9b", "\u202e", "\u2028",
    "é", "e\u0301", "हिन्दी", "👩‍👩‍👧", "\ufeff", "a" * 60, "é" * 60, "👍" * 30, ".jpg", ".png",
    ".JPEG", ".jfif", ".refocused", ".depth", ".part", ".pullfocus.json", "\udcff",
]  # fmt: skip
CASES = 40
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")


@pytest.fixture(autouse=True)
def quick_depth(monkeypatch):
    """A ramp instead of the network."""

    def estimate_depth(photo, model=None, *, refine=True, uncertainty=False):
        return DepthMap(np.tile(np.linspace(0, 1, photo.width, dtype=np.float32), (12, 1)))

    monkeypatch.setattr("pullfocus.depth.estimate_depth", estimate_depth)


def _name(rng, most_bytes=255):
    name = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6)))
    while len(os.fsencode(name)) > most_bytes:
        name = name[:-1]
    return name


@pytest.mark.parametrize("seed", range(CASES))
def test_any_names_end_with_a_sentence(tmp_path, capsys, monkeypatch, seed):
    rng = random.Random(seed)
    folder, place = tmp_path / "in", tmp_path / "place"
    folder.mkdir()
    place.mkdir()
    monkeypatch.chdir(place)
    names = {_name(rng, 251) + rng.choice([".png", ".jpg", ".tif", ".jfif"]) for _ in range(3)}
    for name in names:
        save(Photo.from_array(PIXELS), folder / name)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    output = "/".join(_name(rng, 100) for _ in range(rng.randint(1, 2)))
    arguments = [str(folder), f"--output={output}", "--at", "0.5,0.5", "--save-depth"]
    arguments += rng.choice([[], ["--save-settings"], ["--overwrite"], ["--json"]])
    codes = []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        err = capsys.readouterr().err
        assert "Traceback" not in err
        assert "This is a bug" not in err
        assert all(printable(line) == line for line in err.split("\n"))
        codes.append(ended.value.code)
    assert set(codes) <= {0, 1, 2, 5}
    assert codes[0] != 0 or codes[1] in (0, 5)  # 5: the only photo is there already
    assert all((folder / name).read_bytes() == content for name, content in before.items())
    assert not list(tmp_path.rglob(".*.part"))
