from pathlib import Path

import numpy as np
import pytest

from pullfocus.cli import main
from pullfocus.photo import save
from pullfocus.types import Photo


@pytest.fixture
def cli(capsys):
    """Run the command line in this process; give back (exit code, stdout, stderr)."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to stand in, with a photo and a depth map for it."""
    monkeypatch.chdir(tmp_path)
    _make_photo(tmp_path / "cat.png")
    _make_depth(tmp_path / "cat.npy")
    return tmp_path


@pytest.fixture
def make_photo():
    return _make_photo


@pytest.fixture
def make_depth():
    return _make_depth


def _make_photo(path: Path, size_hw=(48, 64), seed=0) -> Path:
    rng = np.random.default_rng(seed)
    save(Photo.from_array(rng.integers(0, 255, (*size_hw, 3), np.uint8)), path)
    return path


def _make_depth(path: Path, size_hw=(48, 64)) -> Path:
    disparity = np.full(size_hw, 0.1, np.float32)
    disparity[:, : size_hw[1] // 2] = 0.9
    np.save(path, disparity)
    return path
