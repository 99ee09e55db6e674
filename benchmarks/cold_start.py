#!/usr/bin/env python3
"""Measure what a person waits for: import, --help, and `pullfocus` on a 12 MP JPEG, cold process.

    python benchmarks/cold_start.py [--runs 5] [--photo PHOTO]

Every run is a new process; the disk and kernel caches are warm (one run goes before). The photo
is compared with Pillow opening and saving the same file in the same run, so that the ratio means
something on other machines; CPU seconds suffer less when other work runs beside. Prints a
markdown table with the commit.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "src" / "pullfocus" / "samples" / "scooter.jpg"
PILLOW = "import sys; from PIL import Image; Image.open(sys.argv[1]).save(sys.argv[2], quality=95)"
ENLARGE = (
    "import sys; from PIL import Image; "
    "Image.open(sys.argv[1]).resize((4000, 3000), 1).save(sys.argv[2], quality=92)"
)
MAIN = [sys.executable, "-m", "pullfocus"]


@dataclass
class Measured:
    seconds: float
    cpu_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--photo", type=Path, help="default: a bundled photo enlarged to 12 MP")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        photo = options.photo or twelve_megapixels(Path(place))
        out = Path(place) / "out.jpg"
        flags = ["--at", "0.3,0.48", "--overwrite", "-q", "-o", str(out)]
        rows = {
            "bare interpreter": [sys.executable, "-c", "pass"],
            "`import pullfocus`": [sys.executable, "-c", "import pullfocus"],
            "`pullfocus --help`": [*MAIN, "--help"],
            "Pillow: open, save": [sys.executable, "-c", PILLOW, str(photo), str(out)],
            "`pullfocus PHOTO`": [*MAIN, str(photo), *flags],
            "`pullfocus PHOTO --style graded`": [*MAIN, str(photo), "--style", "graded", *flags],
        }
        results = {name: best(command, options.runs) for name, command in rows.items()}
    show(results)


def twelve_megapixels(folder: Path) -> Path:
    """Enlarge a sample in a process of its own: a child's peak memory counts its parent's."""
    path = folder / "photo.jpg"
    subprocess.run([sys.executable, "-c", ENLARGE, str(SAMPLE), str(path)], check=True)
    return path


def best(command: list[str], runs: int) -> Measured:
    """Median of several processes after one that warms the caches."""
    once(command)
    measured = [once(command) for _ in range(runs)]
    return Measured(
        statistics.median(run.seconds for run in measured),
        statistics.median(run.cpu_s for run in measured),
        max(run.peak_mb for run in measured),
    )


def once(command: list[str]) -> Measured:
    """Run a process; its own peak memory comes from wait4 where the system has it."""
    import os

    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    words = process.stderr.read()
    if not hasattr(os, "wait4"):
        code, cpu, peak = process.wait(), float("nan"), float("nan")
    else:
        _, status, usage = os.wait4(process.pid, 0)
        code = process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    if code:
        sys.exit(f"{command} failed: {words.decode()}")
    return Measured(time.perf_counter() - began, cpu, peak)


def show(results: dict[str, Measured]) -> None:
    pillow = results["Pillow: open, save"].seconds
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    ).stdout.strip()
    print(f"`python benchmarks/cold_start.py` at {commit or 'an unknown commit'}\n")
    print("| cold process, 12 MP JPEG | seconds | of Pillow | CPU seconds | peak MB |")
    print("|---|---|---|---|---|")
    for name, row in results.items():
        ratio = f"{row.seconds / pillow:.1f}x" if "PHOTO" in name or "Pillow" in name else ""
        print(f"| {name} | {row.seconds:.3f} | {ratio} | {row.cpu_s:.2f} | {row.peak_mb:.0f} |")


if __name__ == "__main__":
    main()
