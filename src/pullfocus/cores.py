"""The cores of the machine, and work on rows of a picture shared out among them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

MOST_THREADS = 8
BANDS_PER_CORE = 6
"""More bands than cores, so that a core with easy rows takes more of them."""
_here = threading.local()


def usable_cores() -> int:
    """Count the cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def worker_threads() -> int:
    """Count the threads that one task may take; with more, memory is what they wait for."""
    return max(1, min(usable_cores(), MOST_THREADS) // getattr(_here, "sharing", 1))


@contextmanager
def sharing_cores(tasks: int) -> Iterator[None]:
    """Leave each of `tasks` its part of the cores: one of them runs in this thread, in this block.

    Several whole tasks side by side wait less for each other than the bands of one.
    """
    _here.sharing = tasks
    try:
        yield
    finally:
        _here.sharing = 1


def in_bands(work: Callable[..., None], count: int, *given: Any, least: int = 16) -> None:
    """Run work(first, end, *given) for bands of range(count), in as many threads as cores.

    Threads of our own, and not numba's: a loop that numba makes parallel takes two to four times
    as long to compile, and its threads may not be called from two threads at once.

    Args:
        work: must let go of the interpreter lock and write only what belongs to its band.
        least: the fewest rows that are worth a band.
    """
    threads = worker_threads()
    size = max(least, -(-count // (BANDS_PER_CORE * threads)))
    if threads == 1 or size >= count:
        work(0, count, *given)
        return
    with ThreadPoolExecutor(threads) as pool:
        bands = [(first, min(first + size, count)) for first in range(0, count, size)]
        for done in [pool.submit(work, *band, *given) for band in bands]:
            done.result()
