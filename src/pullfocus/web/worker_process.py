"""The worker process: it decodes, works out depth and renders, so that the server never does.

What strangers send is decoded by native libraries; a crash or an endless loop there ends this
process, and the server starts another. It ends by itself when the server does, however that ends.

    server -> ("job" | "look", number, name, arguments), ("cancel", number), ("forget", photo id)
    worker -> (-1, "ready", None) once, then for each piece of work
              (number, "step", (progress, message)) ... (number, "done" | "failed", value)
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from pullfocus.errors import PullfocusError
from pullfocus.web import tasks, videos
from pullfocus.web.memory_limit import limit_own_memory
from pullfocus.web.open_photos import BenchLimits, PhotoFiles, Workbench
from pullfocus.web.steps import CancelledJobError, NotThereError

Work = Callable[..., Any]
JOBS: dict[str, Work] = {
    work.__name__: work
    for work in (
        tasks.open_photo, tasks.photo_view, tasks.colour, tasks.disparity, tasks.make_depth,
        tasks.replay, tasks.save_picture, tasks.save_depth_map, tasks.preview_picture,
        tasks.save_animation, tasks.save_living, tasks.take_depth, tasks.take_edit,
        tasks.warm_depth, tasks.warm_render,
        videos.open_film, videos.take_still, videos.suggest, videos.save_film,
    )
}  # fmt: skip
LOOKS = {"photo_view", "colour", "disparity"}
"""What is answered beside a job that runs, from what is there already."""
_LOOKING_THREADS = 4


class Remote:
    """The worker's end of one piece of work; see `steps.Steps`."""

    def __init__(self, number: int, tell: Callable[[int, str, Any], None]) -> None:
        self.number, self._tell = number, tell
        self.wanted = True

    def step(self, progress: float, message: str) -> None:
        """Tell the server how far the work is."""
        self.check()
        self._tell(self.number, "step", (progress, message))

    def check(self) -> None:
        """Stop here if the server wants no more."""
        if not self.wanted:
            raise CancelledJobError(str(self.number))


def main(wire: Connection, limits: BenchLimits, memory_bytes: int | None) -> None:
    """Serve one server until it ends; jobs one after the other, looks beside them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the server, which ends this
    limit_own_memory(memory_bytes)
    _Process(wire, Workbench(limits)).run()


class _Process:
    def __init__(self, wire: Connection, bench: Workbench) -> None:
        self._wire, self._bench = wire, bench
        self._sending = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Remote, str, Any]] = queue.SimpleQueue()
        self._running: dict[int, Remote] = {}

    def run(self) -> None:
        threading.Thread(target=self._listen, name="pullfocus-wire", daemon=True).start()
        self._tell(-1, "ready", None)
        while True:
            remote, name, arguments = self._jobs.get()
            self._do(remote, name, arguments)

    def _listen(self) -> None:
        looks = ThreadPoolExecutor(_LOOKING_THREADS, "pullfocus-look")
        try:
            while True:
                kind, number, *rest = self._wire.recv()
                if kind == "cancel":
                    if number in self._running:
                        self._running[number].wanted = False
                elif kind == "forget":
                    self._bench.forget(number)
                else:
                    name, arguments = rest
                    remote = self._running[number] = Remote(number, self._tell)
                    if kind == "look":
                        looks.submit(self._look, remote, name, arguments)
                    else:
                        self._jobs.put((remote, name, arguments))
        except (EOFError, OSError):
            os._exit(0)  # the server has gone: nobody wants what is under way

    def _look(self, remote: Remote, name: str, arguments: tuple[Any, ...]) -> None:
        files, *rest = arguments
        assert isinstance(files, PhotoFiles)
        try:
            self._bench.there(files, rest[0] if name == "disparity" else None)
        except NotThereError as missing:
            self._running.pop(remote.number, None)
            self._tell(remote.number, "failed", portable(missing))
            return
        self._do(remote, name, arguments)

    def _do(self, remote: Remote, name: str, arguments: tuple[Any, ...]) -> None:
        try:
            value = JOBS[name](self._bench, remote, *arguments)
        except BaseException as problem:  # noqa: BLE001 - told to the server, whatever it is
            self._tell(remote.number, "failed", portable(problem))
        else:
            self._tell(remote.number, "done", value)
        finally:
            self._running.pop(remote.number, None)

    def _tell(self, number: int, kind: str, value: Any) -> None:
        with self._sending:
            self._wire.send((number, kind, value))


def portable(problem: BaseException) -> tuple[type[BaseException], tuple[Any, ...], str]:
    """Return an error as (class, arguments, traceback): pickled whole, some could not be read."""
    if isinstance(problem, PullfocusError | CancelledJobError | NotThereError):
        return type(problem), (str(problem),), ""
    if isinstance(problem, MemoryError):
        return MemoryError, (), ""
    told = "".join(traceback.format_exception(problem))
    if isinstance(problem, OSError):
        return OSError, (problem.errno, problem.strerror or str(problem)), told
    return RuntimeError, (f"{type(problem).__name__}: {problem}",), told
