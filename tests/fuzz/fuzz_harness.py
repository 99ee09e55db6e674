"""Send inputs to loaders in another process and count what comes of them.

A crash, a traceback, more than MOST_BYTES or more than DEADLINE_S is a finding; the process is then
started anew, so that one input cannot spoil the next.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

DEADLINE_S = 20.0
START_S = 150.0
"""Added for the first input of a process, which loads libraries and may compile kernels."""
LEAVE_S = 5.0
MOST_BYTES = 2 << 30
WORKER = Path(__file__).with_name("fuzz_worker.py")


@dataclass
class Report:
    """How often each loader, and each kind of file, ended in what; the inputs that ended badly."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, loader: str, path: Path, outcome: str) -> None:
        """Count one outcome."""
        kind = outcome if not outcome.startswith("FAULT") else "FAULT"
        name = f"{loader} {path.suffix}"
        self.counts.setdefault(name, Counter())[kind] += 1
        if kind == "FAULT":
            self.faults.append(f"{loader} {path}: {outcome}")

    @property
    def total(self) -> Counter[str]:
        """Outcomes of all kinds of files together."""
        return sum(self.counts.values(), Counter())

    def __str__(self) -> str:
        rows = [f"{loader}: {dict(found.most_common())}" for loader, found in self.counts.items()]
        return "\n".join([*rows, *self.faults])


class Worker:
    """The other process, started when it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._is_idle = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.stop()

    def ask(self, loader: str, path: Path) -> str:
        """Return the outcome of one input."""
        is_fresh = self._process is None
        process = self._process or self._start()
        assert process.stdin is not None
        self._is_idle = False
        process.stdin.write(json.dumps({"loader": loader, "path": str(path)}) + "\n")
        process.stdin.flush()
        try:
            answer = self._answers.get(timeout=DEADLINE_S + is_fresh * START_S)
        except queue.Empty:
            self.stop()
            return f"FAULT: took more than {DEADLINE_S:g} s"
        if not answer:
            code = process.wait()
            self.stop()
            return f"FAULT: the process ended with {code}"
        self._is_idle = True
        found = json.loads(answer)
        if found["peak_bytes"] > MOST_BYTES:
            self.stop()
            return f"FAULT: took {found['peak_bytes'] / 1e9:.1f} GB"
        return str(found["outcome"])

    def stop(self) -> None:
        """End the process, whatever it is doing; one that waits for input cleans up behind it."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired, OSError):
                self._process.stdin.close()
                self._process.wait(LEAVE_S * self._is_idle)
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([sys.executable, str(WORKER)], text=True, **pipes)
        self._process, self._answers = process, queue.Queue()
        threading.Thread(target=_pass_on, args=(process, self._answers), daemon=True).start()
        return process


def _pass_on(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    """Put each line into the queue, and "" when the process has ended."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:  # closed meanwhile
        pass
    answers.put("")


def run(loader: str, paths: Iterable[Path]) -> Report:
    """Send all inputs to a loader."""
    report = Report()
    with Worker() as worker:
        for path in paths:
            report.add(loader, path, worker.ask(loader, path))
    return report
