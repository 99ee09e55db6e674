"""Stages of the line over frames: each runs in a thread of its own, a few frames ahead at most."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
AHEAD = 2
"""Frames that wait between two stages; with five stages, some ten frames are in memory."""


class StageClock:
    """Seconds that each stage was busy, and how often; seconds of threads side by side add up."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.busy_s: dict[str, float] = {}
        self.count: dict[str, int] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = self._now()
        try:
            yield
        finally:
            with self._lock:
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


def side_by_side(
    work: Callable[[Item], Made], items: Iterable[Item], threads: int
) -> Iterator[Made]:
    """Yield work(item) of every item, in order, as many at a time as there are threads.

    One more item waits, so that no thread does. A failure is raised in its item's place.
    """
    at_work: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            at_work.append(pool.submit(work, item))
            if len(at_work) > threads:
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


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
