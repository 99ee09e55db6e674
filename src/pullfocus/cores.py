"""The cores of the machine, and work on rows of a picture shared out among them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
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
    as long to compile, and its threads may not be called from two threads at once. They are kept
    and shared by all tasks of the process.

    Args:
        work: must let go of the interpreter lock and write only what belongs to its band.
        least: the fewest rows that are worth a band.
    """
    threads = worker_threads()
    size = max(least, -(-count // (BANDS_PER_CORE * threads)))
    if threads == 1 or size >= count or getattr(_here, "in_pool", False):
        work(0, count, *given)
        return
    bands = iter([(first, min(first + size, count)) for first in range(0, count, size)])
    running = [_threads.submit(_take, bands, work, given) for _ in range(threads)]
    try:
        wait(running, return_when=FIRST_COMPLETED)  # then no band is left for those who wait
    finally:  # also after an interruption: nothing may write any more when this returns
        for _ in bands:
            pass
        begun = [done for done in running if not done.cancel()]
        wait(begun)
    for done in begun:
        done.result()


def _take(bands: Iterator[tuple[int, int]], work: Callable[..., None], given: Any) -> None:
    """Do bands until none is left; threads share them, as a list's iterator gives each one once."""
    _here.in_pool = True
    for band in bands:
        work(*band, *given)


def _new_threads() -> None:
    """Give this process threads of its own; they start with the first bands."""
    global _threads  # noqa: PLW0603 - the one pool of the process
    _threads = ThreadPoolExecutor(MOST_THREADS, "pullfocus-bands")


_threads: ThreadPoolExecutor
_new_threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_threads)
