"""What the release workflow calls: built files, their installation, and notes of a version."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    pytest.importorskip("build", reason="developers' tools: build")
    pytest.importorskip("hatchling", reason="developers' tools: hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, ROOT / "scripts" / "build_dist", folder, "--no-isolation"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_wheel_and_sdist_are_built_whole(dist):
    kinds = sorted(path.name.rpartition("-")[2].partition(".")[2] for path in dist.iterdir())
    assert len(kinds) == 2
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        assert not [name for name in file.namelist() if name.startswith(("tests/", "docs/"))]


def test_the_wheel_works_where_nothing_else_is(dist, tmp_path):
    (wheel,) = dist.glob("*.whl")
    shutil.copy(wheel, tmp_path)
    command = [sys.executable, ROOT / "scripts" / "smoke_install", tmp_path, "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 installed and work" in done.stdout


def test_what_a_wheel_lacks_is_named(script, tmp_path):
    bad = tmp_path / "pullfocus-9-py3-none-any.whl"
    with zipfile.ZipFile(bad, "w") as file:
        file.writestr("pullfocus/__init__.py", "")
        file.writestr("pullfocus/__pycache__/x.pyc", "")
    faults = script("build_dist").faults_of(bad)
    assert f"{bad.name} lacks pullfocus/depth/weights/depth.onnx" in faults
    assert f"{bad.name} holds pullfocus/__pycache__/x.pyc" in faults


def test_an_empty_folder_is_no_success(script, tmp_path, capsys):
    assert script("smoke_install").main([str(tmp_path)]) == 1
    assert "no wheel or sdist" in capsys.readouterr().err


def test_a_wheel_that_does_not_install_fails(tmp_path, script):
    with zipfile.ZipFile(tmp_path / "pullfocus-9-py3-none-any.whl", "w") as file:
        file.writestr("nothing.txt", "")
    assert script("smoke_install").main([str(tmp_path), "--quick"]) == 1


def test_versions_agree_and_are_those_of_the_program(script):
    import pullfocus

    found = script("release_notes").versions()
    assert {"CITATION.cff", "pyproject.toml"} <= found.keys()
    assert set(found.values()) == {pullfocus.__version__}


def test_notes_of_a_version(script, capsys):
    notes = script("release_notes")
    text = "# Changelog\n\n## 1.2.0 (2026-12-01)\n\n- new\n\n## 1.1.0\n\n- old\n"
    assert notes.notes_of("1.2.0", text) == "- new"
    assert notes.notes_of("1.1.0", text) == "- old"
    assert notes.notes_of("1.1", text) == ""
    assert notes.main(["v9.9.9"]) == 1
    assert "CITATION.cff says" in capsys.readouterr().err
