"""JobQueue: one worker for all heavy work, fair between tabs, with progress and cancel.

Jobs of one owner (a tab or a script) run in order; owners take turns. One worker means one decoded
picture in flight, and every core for the job that runs.
"""

from __future__ import annotations

import secrets
import threading
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

from pullfocus.errors import PullfocusError
from pullfocus.web.steps import CancelledJobError

State = Literal["waiting", "running", "done", "failed", "cancelled"]
FINISHED_KEPT = 200


class BusyError(PullfocusError):
    """Report that too many jobs wait already."""


@dataclass(eq=False)
class Job:
    """One piece of heavy work and how far it is; read by the event stream.

    heard: its outcome went to the request that waited for it, so that nobody else asks for it.
    """

    kind: str
    owner: str
    work: Callable[[Job], Any]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: State = "waiting"
    progress: float = 0.0
    message: str = "waiting"
    result: Any = None
    error: BaseException | None = None
    future: Future[Any] = field(default_factory=Future)
    ended: float | None = None
    unwanted: Callable[[], None] | None = None
    heard: bool = False
    _wanted: bool = True

    def step(self, progress: float, message: str) -> None:
        """Say how far the work is, and stop here if it was cancelled.

        Raises:
            CancelledJobError: nobody wants the result any more.
        """
        self.check()
        self.progress, self.message = progress, message

    def check(self) -> None:
        """Stop here if the job was cancelled."""
        if not self._wanted:
            raise CancelledJobError(self.id)

    def cancel(self) -> None:
        """Stop wanting the result; a waiting job ends at once, a running one at its next step."""
        self._wanted = False
        if self.state in ("waiting", "running"):
            self._end("cancelled")

    @property
    def finished(self) -> bool:
        """Whether nothing more will change."""
        return self.state in ("done", "failed", "cancelled")

    def _end(self, state: State) -> None:
        self.state, self.ended = state, time.monotonic()

    def run(self) -> None:
        """Do the work in the calling thread; afterwards nothing that it used is held on to."""
        try:
            if not self._wanted:
                if self.unwanted is not None:
                    self.unwanted()
                raise CancelledJobError(self.id)
            self.state = "running"
            self.result = self.work(self)
            self.check()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the job
            _forget_frames(error)
            self.error = error
            self._end("cancelled" if isinstance(error, CancelledJobError) else "failed")
            self.future.set_exception(error)
        else:
            self.progress = 1.0
            self._end("done")
            self.future.set_result(self.result)
        finally:
            self.work, self.unwanted = _nothing, None


class JobQueue:
    """The waiting jobs of every owner and the one thread that does them.

    failed: called once with the error of each job that failed.
    """

    def __init__(
        self, max_waiting: int = 100, failed: Callable[[BaseException], None] | None = None
    ) -> None:
        self._max, self._failed = max_waiting, failed
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._changed = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="pullfocus-web", daemon=True)
        self._thread.start()

    def submit(
        self,
        kind: str,
        owner: str,
        work: Callable[[Job], Any],
        unwanted: Callable[[], None] | None = None,
    ) -> Job:
        """Add a job behind this owner's others; `unwanted` is called if it is cancelled unbegun.

        Raises:
            BusyError: too many jobs wait; then `unwanted` is called, too.
        """
        job = Job(kind, owner, work, unwanted=unwanted)
        with self._changed:
            if sum(map(len, self._waiting.values())) >= self._max:
                if unwanted is not None:
                    unwanted()
                raise BusyError("Too many jobs are waiting; try again in a moment.")
            self._waiting.setdefault(owner, deque()).append(job)
            self._jobs[job.id] = job
            self._forget_old()
            self._changed.notify()
        return job

    def find(self, id_: str) -> Job | None:
        """Return the job of an id, if it is known."""
        with self._changed:
            return self._jobs.get(id_)

    def close(self) -> None:
        """Cancel everything and let the worker end."""
        with self._changed:
            self._open = False
            for job in self._jobs.values():
                job.cancel()
            self._changed.notify_all()
        self._thread.join(timeout=5)

    def _forget_old(self) -> None:
        done = [job for job in self._jobs.values() if job.finished]
        old = max(0, len(done) - FINISHED_KEPT)
        for place, job in enumerate(done):
            if place < old or job.heard:
                del self._jobs[job.id]

    def _next(self) -> Job | None:
        with self._changed:
            while self._open and not self._waiting:
                self._changed.wait()
            if not self._waiting:
                return None
            owner, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[owner] = jobs
            return job

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            if self._failed is not None and job.state == "failed" and job.error is not None:
                self._failed(job.error)


def _nothing(_: Job) -> None:
    """Stand for the work of a job that has ended."""


def _forget_frames(error: BaseException | None) -> None:
    """Let go of the pictures that the frames of a failure hold; where it was stays as a note."""
    if error is not None and not isinstance(error, PullfocusError):
        error.add_note("".join(traceback.format_exception(error)))
    while error is not None:
        error.__traceback__, error = None, error.__context__
