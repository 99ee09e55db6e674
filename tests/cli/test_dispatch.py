"""Verbs: found in one table, imported alone, `refocus` when none is named."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import pullfocus
from pullfocus.cli import dispatch, verbs


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help_lists_the_verbs_with_one_line_each(cli, arguments):
    code, out, _ = cli(*arguments)
    assert code == 0
    for name in ("refocus", "depth", "graded", "models", "doctor", "demo"):
        assert name in out
    assert "Exit codes" in out


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("verb", ["refocus", "depth", "graded", "models", "doctor", "demo"])
def test_every_verb_has_help(cli, verb, flag):
    code, out, _ = cli(verb, flag)
    assert code == 0
    assert f"pullfocus {verb}" in out


def test_version(cli):
    assert cli("--version")[:2] == (0, f"pullfocus {pullfocus.__version__}\n")


def test_a_verb_without_module_is_not_listed(cli, monkeypatch):
    gone = verbs.Verb("dream", "pullfocus.cli.dream", "Not there.")
    monkeypatch.setattr(verbs, "TABLE", (*verbs.TABLE, gone))
    assert "dream" not in verbs.verbs()


def test_a_verb_whose_extra_is_missing_names_it(cli, monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(dispatch, "import_module", import_module)
    monkeypatch.setattr(
        dispatch, "verbs", lambda: {"lab": verbs.Verb("lab", "x.lab", "Train.", extra="lab")}
    )
    code, _, err = cli("lab")
    assert code == 3
    assert "pip install 'pullfocus[lab]'" in err
    assert "Traceback" not in err


def test_every_settings_field_is_a_flag_with_its_own_words(cli):
    from pullfocus.cli.options import flag
    from pullfocus.pipeline import Settings

    _, out, _ = cli("refocus", "--help")
    flat = " ".join(out.replace("│", " ").split())
    for name, field in Settings.model_fields.items():
        assert flag(name) in flat, name
        assert field.description.split()[0] in flat


def test_unknown_flags_are_usage_errors(cli):
    code, _, err = cli("x.jpg", "--f-numbr", "2")
    assert code == 2
    assert "--f-number" in err
    assert "Traceback" not in err


def test_python_dash_m_is_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "pullfocus", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"pullfocus {pullfocus.__version__}"


def test_schema_is_json(cli):
    import json

    code, out, _ = cli("schema")
    assert code == 0
    assert "f_number" in json.loads(out)["properties"]


def test_an_unexpected_failure_is_one_sentence(cli, monkeypatch):
    def broken(given):
        raise RuntimeError("boom")

    monkeypatch.setattr(dispatch, "_run", broken)
    code, _, err = cli("x.jpg")
    assert code == 1
    assert "report it" in err
    assert "Traceback" not in err
    assert "Traceback" in cli("x.jpg", "--debug")[2]


def test_ctrl_c_while_a_verb_works_is_said(cli, monkeypatch):
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "import_module", lambda name: SimpleNamespace(command=stopped))
    code, _, err = cli("refocus")
    assert code == 130
    assert err == "Interrupted; nothing half-written was left.\n"


def test_ctrl_c_is_130(cli, monkeypatch):
    def stopped(given):
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "_run", stopped)
    code, _, err = cli("x.jpg")
    assert code == 130
    assert "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(("stdout", "words"), [(">/dev/full", "no space left"), (">&-", "closed")])
def test_a_result_that_cannot_be_printed_is_one_sentence(stdout, words):
    command = f"{shlex.quote(sys.executable)} -m pullfocus schema {stdout}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert words in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the folder that somebody is in")
def test_a_current_folder_that_is_gone_is_said(cli, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    code, _, err = cli("x.jpg")
    assert (code, "folder you are in" in err) == (1, True)
