"""Stages of the line over frames: each runs in a thread of its own, a few frames ahead at most."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2
"""Frames that wait between two stages; with five stages, some ten frames are in memory."""


class StageClock:
    """Seconds that each stage was busy, and how often; one stage is timed by one thread."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self.busy_s: dict[str, float] = {}
        self.count: dict[str, int] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = self._now()
        try:
            yield
        finally:
            self.busy_s[stage] = self.busy_s.get(stage, 0.0) + self._now() - start
            self.count[stage] = self.count.get(stage, 0) + 1


def run_ahead(items: Iterable[Item], name: str, ahead: int = AHEAD) -> Iterator[Item]:
    """Produce `items` in a thread, at most `ahead` before the consumer asks for them.

    A failure in the thread is raised at the consumer, after the items before it. Closing the
    returned generator (or leaving it) ends the thread and closes `items`.
    """
    waiting: queue.Queue = queue.Queue(ahead)
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, waiting, stop), name=name, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "failure":
                raise value
            yield value
    finally:
        stop.set()
        thread.join()


def _produce(items: Iterable, waiting: queue.Queue, stop: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(waiting, ("item", item), stop):
                break
        _put(waiting, ("end", None), stop)
    except BaseException as problem:  # noqa: BLE001 - raised again where the items are used
        _put(waiting, ("failure", problem), stop)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _put(waiting: queue.Queue, item: tuple, stop: threading.Event) -> bool:
    """Wait for a free place; give up, and say so, when the consumer has gone."""
    while not stop.is_set():
        try:
            waiting.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
