"""The examples run: scripts on a small photo, notebooks cell by cell, the client on a server."""

import csv
import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pullfocus.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A bundled photo at a third of its size: the examples are tried here, not their pictures."""
    path = tmp_path_factory.mktemp("photos") / "street.jpg"
    with Image.open(SAMPLES[0].path) as photo:
        photo.resize((photo.width // 3, photo.height // 3)).save(path, quality=95)
    return path


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture, float)


def test_readme_of_the_examples_names_each():
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    paths = [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("notebooks/*.ipynb")]
    assert len(paths) == 7
    for path in paths:
        assert f"({path.relative_to(EXAMPLES).as_posix()})" in listed


def test_aperture_bracket(tmp_path, small):
    module = example("aperture_bracket")
    module.main([str(tmp_path), str(small)])
    wide, narrow = (pixels(tmp_path / f"f{n}.jpg") for n in ("1.2", "8"))
    assert np.abs(np.diff(wide, axis=1)).mean() < np.abs(np.diff(narrow, axis=1)).mean()
    height, width = wide.shape[:2]
    strip = pixels(tmp_path / "bracket.jpg")
    assert strip.shape[:2] == (-(-height // 2), -(-width // 2) * len(module.F_NUMBERS))


def test_focus_pull(tmp_path, small):
    module = example("focus_pull")
    module.main([str(tmp_path), str(small)])
    with Image.open(tmp_path / "pull.webp") as film:
        assert module.FRAMES < film.n_frames < 2 * module.FRAMES
        film.seek(0)
        first = np.asarray(film.convert("RGB"), float)
        film.seek(module.FRAMES - 1)
        assert np.abs(first - np.asarray(film.convert("RGB"), float)).mean() > 1


def test_batch_report(tmp_path, small):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(small.read_bytes())
    (photos / "broken.jpg").write_bytes(small.read_bytes()[:200])
    for expected in ("done", "skipped"):
        example("batch_report").main([str(out), str(photos)])
        with open(out / "report.csv", encoding="utf-8", newline="") as file:
            rows = {row["photo"]: row for row in csv.DictReader(file)}
        assert rows["a.jpg"]["status"] == expected
        assert rows["broken.jpg"]["status"] == "failed"
    assert "broken.jpg" in rows["broken.jpg"]["words"]


def test_miniature(tmp_path, small):
    example("miniature").main([str(tmp_path), str(small)])
    made, photo = (pixels(path).mean(2) for path in (tmp_path / "miniature.jpg", small))
    kept = np.abs(np.diff(made, axis=1)).mean(1) / np.abs(np.diff(photo, axis=1)).mean(1)
    sharp = round(0.62 * len(kept))
    assert kept[sharp - 2 : sharp + 3].mean() > 2 * kept[: len(kept) // 6].mean()
    assert (tmp_path / "miniature.depth.png").is_file()


def test_http_client(tmp_path, small, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PULLFOCUS_TOKEN", secrets.token_hex(16))
    command = [sys.executable, "-m", "pullfocus", "web", "--no-open", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"{address}/api/health", server)
        example("http_client").main([str(tmp_path), str(small), address])
        monkeypatch.setenv("PULLFOCUS_TOKEN", "wrong")
        with pytest.raises(SystemExit, match=r"^401: "):
            example("http_client").main([str(tmp_path), str(small), address])
    finally:
        server.terminate()
        server.wait(60)
    size_hw = pixels(small).shape[:2]
    assert pixels(tmp_path / "refocused.jpg").shape[:2] == size_hw
    assert pixels(tmp_path / "depth.png").shape[:2] == size_hw


def wait_for(url, server):
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the server did not answer")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_run_from_top_to_bottom(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(path.read_text("utf-8"))
    names = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        assert cell["outputs"] == [], "clear the outputs before you commit"
        exec(compile("".join(cell["source"]), f"{path.name}[{number}]", "exec"), names)
    pictures = [value for value in names.values() if hasattr(value, "linear")]
    assert pictures
    assert os.path.exists("refocused.jpg") == (path.stem == "first_steps")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_are_valid(path):
    nbformat = pytest.importorskip("nbformat", reason="developers' tools: nbformat")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells
