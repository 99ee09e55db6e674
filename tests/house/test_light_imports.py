"""`import pullfocus` and `pullfocus --help` stay light: by what they import, and by how much."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "onnxruntime", "torch", "transformers", "cv2", "pydantic", "fastapi", "PIL")


def imported_by(code):
    probe = f"import sys\n{code}\nprint(*sorted(sys.modules))"
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_import_pullfocus_imports_nothing_heavy():
    names = imported_by("import pullfocus")
    assert not names & {*HEAVY, "numpy", "typer", "rich"}


def test_help_imports_nothing_heavy():
    code = (
        "from pullfocus.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    )
    assert not imported_by(code) & {*HEAVY, "numpy"}


@pytest.mark.parametrize("verb", ["models", "refocus", "doctor"])
def test_help_of_a_verb_imports_no_torch(verb):
    code = (
        "from pullfocus.cli import main\n"
        f"try:\n    main(['{verb}', '--help'])\nexcept SystemExit:\n    pass"
    )
    assert not imported_by(code) & {"torch", "transformers", "numba", "onnxruntime"}


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import pullfocus", 90),
        ("from pullfocus.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass", 450),
    ],
)
def test_start_up_reads_few_modules(code, limit):
    """What start-up time is made of, whatever else the machine does: half as many again as now."""
    assert len(imported_by(code)) < limit
