"""A worker process that can be told to go wrong in every way that native code does."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from typing import Any

import numpy as np

from pullfocus.web import worker_process


def add(_: Any, __: Any, a: int, b: int) -> int:
    return a + b


def steps(_: Any, remote: Any, count: int, pause_s: float) -> int:
    for number in range(count):
        time.sleep(pause_s)
        remote.step((number + 1) / count, f"step {number + 1}")
    return count


def crash(_: Any, __: Any) -> None:
    ctypes.string_at(0)


def killed(_: Any, __: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def bug(_: Any, __: Any) -> float:
    return 1 / 0


def endless(_: Any, __: Any) -> None:
    while True:
        time.sleep(1)


def grow(_: Any, remote: Any) -> None:
    held = []
    while len(held) < 400:
        held.append(np.ones(1 << 22))
        remote.step(0.5, "growing")


def grow_at_once(_: Any, __: Any) -> None:
    np.ones(1 << 32)


FAULTS = (add, steps, crash, killed, bug, endless, grow)


def main(*given: Any) -> None:
    worker_process.JOBS.update({fault.__name__: fault for fault in FAULTS})
    worker_process.JOBS["grow at once"] = grow_at_once
    worker_process.main(*given)
