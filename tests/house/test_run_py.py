"""run.py: standard library only, readable by old Pythons, quick when nothing changed."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def run_py(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("run_py", ROOT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ENV", tmp_path / "env")
    return module


def test_only_the_standard_library():
    tree = ast.parse((ROOT / "run.py").read_text())
    names = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert names <= set(sys.stdlib_module_names)


def test_old_pythons_can_read_it_far_enough_to_be_told():
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 7))


def test_help_names_the_two_commands():
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--help"], capture_output=True, text=True, check=True
    )
    assert "python run.py demo" in done.stdout
    assert "python run.py test" in done.stdout


def test_sets_up_once_and_again_when_something_changed(run_py, monkeypatch):
    commands = []

    def step(name, command):
        commands.append(command)
        run_py.python_of_env().parent.mkdir(parents=True, exist_ok=True)
        run_py.python_of_env().touch()

    monkeypatch.setattr(run_py, "step", step)
    run_py.prepare("core")
    assert len(commands) == 2
    run_py.prepare("core")
    assert len(commands) == 2
    monkeypatch.setattr(run_py, "fingerprint", lambda: "changed")
    run_py.prepare("core")
    assert len(commands) == 3


@pytest.mark.parametrize("uv", [None, "/bin/uv"])
def test_torch_never_comes_with_the_core_and_always_by_pip(run_py, monkeypatch, uv):
    commands = []
    monkeypatch.setattr(run_py.shutil, "which", lambda name: uv)
    monkeypatch.setattr(run_py, "step", lambda name, command: commands.append(command))
    run_py.ENV.mkdir()
    run_py.prepare("core")
    assert not any("torch" in command for command in commands)
    run_py.prepare("test")
    torch = next(command for command in commands if command[-1] == "torch")
    assert torch[1:3] == ["-m", "pip"]


def test_core_dependencies_never_name_torch():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any("torch" in name for name in project["dependencies"])


def test_failures_are_sentences(run_py, monkeypatch, capsys):
    monkeypatch.setattr(run_py.sys, "version_info", (3, 9, 1))
    assert run_py.main(["demo"]) == 2
    assert "3.11" in capsys.readouterr().out
    monkeypatch.undo()


def test_a_failing_step_shows_its_output(run_py):
    with pytest.raises(run_py.SetupError, match="broken pipe of dreams"):
        run_py.step("x", [sys.executable, "-c", "exit('broken pipe of dreams')"])
