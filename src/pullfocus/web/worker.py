"""Worker: the server's end of the process that decodes and renders; it starts, watches, ends it.

queue's thread -> run (one job: steps, deadline, memory, cancel)
routes         -> look (what is there already, beside the job that runs)
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

from pullfocus.errors import PullfocusError
from pullfocus.web import worker_process
from pullfocus.web.config import ServerConfig
from pullfocus.web.memory_limit import memory_of, usual_limit_bytes
from pullfocus.web.open_photos import BenchLimits
from pullfocus.web.steps import CancelledJobError, NotThereError, Steps

GRACE_S = 1.0
"""A job that is cancelled has so long to stop at its next step; then its process is ended."""
START_S = 120.0
"""A process may take so long to start: libraries are read from a slow disk, say."""
WORKER_MAIN: Callable[..., None] = worker_process.main
"""What runs in the process; tests give one that goes wrong."""
_LOOK_AFTER_S = 0.05
_READING = {"open_photo", "open_film", "take_depth"}


class WorkerEndedError(PullfocusError):
    """Report that the process in which a job ran has crashed or was ended by the system."""


class DeadlineError(PullfocusError):
    """Report that a job took too long for one of its steps."""


class TooMuchMemoryError(PullfocusError):
    """Report that a job needed more memory than it may take."""


class UnexpectedError(Exception):
    """Report a failure of the work that nobody foresaw; its text is for the log."""


@dataclass(eq=False)
class _Call:
    number: int
    future: Future[Any] = field(default_factory=Future)
    step: tuple[float, str] | None = None
    heard_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # who hangs up does not cancel it


class Worker:
    """One process at a time, started when there is work for it; cheap to make.

    restarts: how often a process had to be replaced.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._limits = BenchLimits(config.max_megapixels, config.preview_px)
        told = config.max_memory_mb
        self.memory_bytes = usual_limit_bytes() if told is None else int(told * 1e6)
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._closed = False
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The number of the process that runs now."""
        return self._process.pid if self._process is not None else None

    def run(self, job: Steps, name: str, *arguments: Any) -> Any:
        """Have a job done, in the queue's thread; its steps become those of `job`.

        Raises:
            CancelledJobError: it was cancelled; the process goes on only if it stops in time.
            WorkerEndedError, DeadlineError, TooMuchMemoryError: the process had to be replaced.
            PullfocusError: whatever the work itself raises.
        """
        process = self._running()
        call = process.ask("job", name, arguments)
        within_s = self._config.max_open_s if name in _READING else self._config.max_step_s
        cancelled_s: float | None = None
        while not wait([call.future], _LOOK_AFTER_S).done:
            now = time.monotonic()
            if cancelled_s is not None:
                if now - cancelled_s > GRACE_S:
                    process.end(CancelledJobError(name))
                continue
            try:
                _pass_on(call, job)
            except CancelledJobError:
                cancelled_s = now
                process.tell("cancel", call.number)
                continue
            if process.ready_s is None:
                if now - call.heard_s > START_S:
                    process.end(_too_long(START_S))
            elif now - max(call.heard_s, process.ready_s) > within_s:
                process.end(_too_long(within_s))
            elif self.memory_bytes is not None and memory_of(process.pid) > self.memory_bytes:
                process.end(_too_much(self.memory_bytes))
        try:
            return call.future.result()
        finally:
            if process.ended:
                threading.Thread(target=self._restart, daemon=True).start()

    async def look(self, name: str, *arguments: Any) -> Any:
        """Ask for what is there already, beside the job that runs.

        Raises:
            NotThereError: it must be made first.
        """
        process = self._process
        if process is None or process.ended:
            raise NotThereError(name)
        call = await asyncio.to_thread(process.ask, "look", name, arguments)
        try:
            return await asyncio.wrap_future(call.future)
        except (WorkerEndedError, DeadlineError, TooMuchMemoryError, CancelledJobError):
            raise NotThereError(name) from None  # the job that ended it was another one

    def forget(self, id_: str) -> None:
        """Let the process forget a photo."""
        process = self._process
        if process is not None:
            process.tell("forget", id_)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.end(CancelledJobError("the server ends"))

    def _restart(self) -> None:
        """Start the next process before there is work for it."""
        with contextlib.suppress(CancelledJobError, OSError):
            self._running()

    def _running(self) -> _Process:
        with self._lock:
            if self._closed:
                raise CancelledJobError("the server ends")
            if self._process is None or self._process.ended:
                self.restarts += self._process is not None
                self._process = _Process(self._limits, self.memory_bytes)
            return self._process


class _Process:
    """One process, the calls that wait for it, and the thread that hears it."""

    def __init__(self, limits: BenchLimits, memory_bytes: int | None) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._wire, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=WORKER_MAIN,
            args=(theirs, limits, memory_bytes),
            name="pullfocus-worker",
            daemon=True,
        )
        with _without_ctrl_c():
            self._process.start()
        theirs.close()
        self.pid = self._process.pid or 0
        self.ended = False
        self.ready_s: float | None = None
        self._numbers = itertools.count()
        self._calls: dict[int, _Call] = {}
        self._lock = threading.Lock()
        self._why: Exception | None = None
        threading.Thread(target=self._hear, name="pullfocus-worker-wire", daemon=True).start()

    def ask(self, kind: str, name: str, arguments: tuple[Any, ...]) -> _Call:
        """Send work; what became of it comes through the call's future."""
        call = _Call(next(self._numbers))
        self._calls[call.number] = call
        self.tell(kind, call.number, name, arguments)
        if self.ended:  # it may have ended between the two
            self._fail(call)
        return call

    def tell(self, *message: Any) -> None:
        """Send a message; one that has ended hears nothing."""
        with self._lock, contextlib.suppress(OSError):
            self._wire.send(message)

    def end(self, why: Exception) -> None:
        """Kill the process; `why` is what its calls raise."""
        if self._why is None:
            self._why = why
        self._process.kill()

    def _hear(self) -> None:
        while True:
            try:
                number, kind, value = self._wire.recv()
            except (EOFError, OSError):
                break
            if kind == "ready":
                self.ready_s = time.monotonic()
            call = self._calls.get(number)
            if call is None:
                continue
            if kind == "step":
                call.step, call.heard_s = value, time.monotonic()
                continue
            del self._calls[number]
            if kind == "done":
                call.future.set_result(value)
            else:
                call.future.set_exception(_error(*value))
        self._process.join()
        self._why = self._why or _ended_by_itself(self._process.exitcode)
        self.ended = True
        with self._lock:
            self._wire.close()
        for call in list(self._calls.values()):
            self._fail(call)

    def _fail(self, call: _Call) -> None:
        if self._calls.pop(call.number, None) is not None:
            assert self._why is not None
            call.future.set_exception(self._why)


def _pass_on(call: _Call, job: Steps) -> None:
    if call.step is None:
        job.check()
    else:
        step, call.step = call.step, None
        job.step(*step)


def _error(kind: type[Exception], arguments: tuple[Any, ...], told: str) -> Exception:
    if kind is RuntimeError:
        return UnexpectedError(told)
    return kind(*arguments)


def _too_long(within_s: float) -> DeadlineError:
    return DeadlineError(
        f"This took longer than {within_s:g} s for one step and was stopped; choose a smaller "
        "file, or start pullfocus web with a larger --max-step-s (--max-open-s for reading a file)."
    )


def _too_much(limit_bytes: int) -> TooMuchMemoryError:
    return TooMuchMemoryError(
        f"This needs more than {limit_bytes / 1e6:.0f} MB of memory and was stopped; choose a "
        "smaller file, or start pullfocus web with a larger --max-memory-mb."
    )


def _ended_by_itself(code: int | None) -> Exception:
    if code == -getattr(signal, "SIGKILL", 9):
        return TooMuchMemoryError(
            "The system stopped this work, most likely because memory ran out; close other "
            "programs or choose a smaller file."
        )
    name = f"code {code}"
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
    return WorkerEndedError(
        f"The process that reads and renders pictures crashed ({name}) and is started anew; "
        "everything else is still open. If it happens again with this file, please report it."
    )


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Start a process that Ctrl-C does not reach: it would print a traceback while it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
