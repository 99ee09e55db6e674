#!/usr/bin/env python3
"""Set everything up and run pullfocus from a checkout, with nothing but Python >= 3.11.

    python run.py demo              refocus bundled photos; prints where the pictures are
    python run.py test [ARGS]       the checks and the whole test suite, with torch for the lab's
    python run.py check             only ruff, mypy and the import arrows
    python run.py setup             only make the environment (add "test" for the developer's one)
    python run.py web | doctor | VERB ...    any verb of the `pullfocus` command

Standard library only. The environment is .venv-run beside this file; uv is used where it is found,
venv + pip otherwise. torch always comes by pip, pinned in constraints.txt, and only for `test`.
Nothing is installed again while pyproject.toml and constraints.txt stay the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENV = ROOT / os.environ.get("PULLFOCUS_ENV", ".venv-run")
LEAST_PYTHON = (3, 11)


def main(arguments: list[str]) -> int:
    """Run one of the tasks in this file's docstring; return its exit code."""
    if sys.version_info < LEAST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        print(f"pullfocus needs Python 3.11 or newer; this is {found}. Try: python3.11 run.py demo")
        return 2
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    try:
        return perform(arguments[0], arguments[1:])
    except SetupError as problem:
        print(f"run.py: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def perform(task: str, rest: list[str]) -> int:
    """Set up what a task needs, then run it."""
    if task == "setup":
        prepare("test" if "test" in rest else "core")
        return 0
    if task in ("test", "check"):
        prepare("test")
        return run_checks(task, rest)
    prepare("core")
    return run([python_of_env(), "-m", "pullfocus", task, *rest])


class SetupError(Exception):
    """Report that the environment could not be made, with what to try."""


def run_checks(task: str, rest: list[str]) -> int:
    """Run scripts/check, and scripts/test after it; return the first failure."""
    checked = run([python_of_env(), str(ROOT / "scripts" / "check")])
    if task == "check":
        return checked
    tested = run([python_of_env(), str(ROOT / "scripts" / "test"), *rest])
    if checked and not tested:
        say("The tests passed but scripts/check failed (see above).")
    return tested or checked


def prepare(level: str) -> None:
    """Make the environment hold what `level` ("core" or "test") needs, if it does not yet."""
    stamp = ENV / f"pullfocus-{level}.stamp"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text() == wanted and python_of_env().is_file():
        return
    began = time.monotonic()
    say(f"Setting up {ENV.name} ({level}); this happens once.")
    make_environment()
    constraints = str(ROOT / "constraints.txt")
    if level == "test":
        step("torch (by pip, pinned)", [*pip(), "install", "-c", constraints, "torch"])
        wanted_names = ["-e", ".[lab,heic,video]", *developer_requirements()]
    else:
        wanted_names = ["-e", "."]
    step("pullfocus and its libraries", [*installer(), "-c", constraints, *wanted_names])
    stamp.write_text(wanted)
    say(f"Ready after {time.monotonic() - began:.0f} s.")


def make_environment() -> None:
    """Create the virtual environment, with pip inside, unless it is there."""
    if python_of_env().is_file():
        return
    uv = shutil.which("uv")
    if uv:
        command = [uv, "venv", "--seed", "--python", sys.executable, str(ENV)]
    else:
        command = [sys.executable, "-m", "venv", str(ENV)]
    try:
        step("virtual environment", command)
    except SetupError as problem:
        hint = "On Debian or Ubuntu: apt install python3-venv."
        raise SetupError(f"{problem} {hint}") from problem


def developer_requirements() -> list[str]:
    """Read the groups `dev` and `docs` of pyproject.toml, which old pips cannot install."""
    import tomllib

    with open(ROOT / "pyproject.toml", "rb") as file:
        groups = tomllib.load(file)["dependency-groups"]
    return [*groups["dev"], *groups["docs"]]


def installer() -> list[str]:
    """Name the command that installs into the environment: uv where found, else its pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", str(python_of_env())]
    return [*pip(), "install"]


def pip() -> list[str]:
    """Name the environment's own pip."""
    return [str(python_of_env()), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def python_of_env() -> Path:
    """Give the path of the environment's Python, on Windows or elsewhere."""
    return ENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint() -> str:
    """Hash what decides the environment's contents, this interpreter included."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def step(name: str, command: list[str]) -> None:
    """Run one set-up command, saying what it does; show its output only when it fails."""
    say(f"  {name} ...")
    began = time.monotonic()
    quiet = os.environ.get("PULLFOCUS_VERBOSE") is None
    pipe = subprocess.PIPE if quiet else None
    done = subprocess.run(
        command, check=False, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        tail = (done.stdout or "").strip()[-3000:]
        shown = " ".join(str(part) for part in command)
        raise SetupError(f"'{shown}' failed:\n{tail}\nIs the package registry reachable?")
    say(f"  {name}: done in {time.monotonic() - began:.0f} s")


def run(command: list[str | Path]) -> int:
    """Run a command in the user's own folder and return its exit code."""
    environment = {**os.environ, "PULLFOCUS_COMMAND": "python run.py"}  # how to call it again
    done = subprocess.run([str(part) for part in command], check=False, env=environment)
    return done.returncode


def say(text: str) -> None:
    """Tell the user, on stderr, so that stdout stays the program's own."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
