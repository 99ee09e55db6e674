"""`import pullfocus` and `pullfocus --help` stay light: by what they import, and by the clock."""

import subprocess
import sys
import time

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


def best_of(count, *command):
    times = []
    for _ in range(count):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    return min(times)


@pytest.mark.parametrize(
    ("arguments", "limit_s"),
    [(("-c", "import pullfocus"), 0.150), (("-m", "pullfocus", "--help"), 0.400)],
)
def test_start_up_time(arguments, limit_s):
    """Above a bare interpreter; four times the promise, since other work may run beside tests."""
    bare = best_of(3, sys.executable, "-c", "pass")
    assert best_of(5, sys.executable, *arguments) - bare < 4 * limit_s
