"""Context: what every route needs (configuration, store, queue, workbench), made once per run."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from pullfocus.web.config import ServerConfig
from pullfocus.web.films import Films
from pullfocus.web.queue import CancelledJobError, Job, JobQueue
from pullfocus.web.store import Store
from pullfocus.web.workbench import Workbench

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Context:
    """The parts of one running server."""

    config: ServerConfig
    store: Store
    queue: JobQueue
    bench: Workbench
    films: Films
    run: str = field(default_factory=lambda: secrets.token_hex(4))

    @classmethod
    def start(cls, config: ServerConfig) -> Context:
        """Make the temporary folder and the worker."""
        store = Store(config.temp_cap_mb, config.max_age_s)
        queue, bench = JobQueue(config.max_waiting), Workbench(config, store)
        return cls(config, store, queue, bench, Films(store))

    def warm_up(self) -> Job:
        """Load the estimator, then the renderer, while the person still chooses a photo.

        The job's result is the second job: a photo that came meanwhile has its turn before it.
        """

        def estimator_first(_: Job) -> Job:
            self.bench.try_depth()
            return self.queue.submit("warm-up", "server", lambda _: self.bench.try_render())

        return self.queue.submit("warm-up", "server", estimator_first)

    def close(self) -> None:
        """Stop the worker and remove every temporary file."""
        self.queue.close()
        self.store.close()


def context_of(request: Request) -> Context:
    """Return the running server's parts."""
    context: Context = request.app.state.context
    return context


def owner_of(request: Request) -> str:
    """Name who asks, so that tabs and scripts take turns in the queue."""
    tab = request.headers.get("x-pullfocus-tab", "")[:40]
    client = request.client.host if request.client else ""
    return f"{client}/{tab}"


Parts = Annotated[Context, Depends(context_of)]
Owner = Annotated[str, Depends(owner_of)]


async def at_hand(
    parts: Context, owner: str, request: Request, there: bool, work: Callable[[], T]
) -> T:
    """Do what takes only what is there already; else the worker does it, as it makes everything."""
    if there:
        return await run_in_threadpool(work)
    made: T = await outcome(parts.queue.submit("look", owner, lambda _: work()), request)
    return made


async def outcome(job: Job, request: Request | None = None) -> Any:
    """Wait for a job without holding a thread; cancel it when the client hangs up."""
    future = asyncio.wrap_future(job.future)
    future.add_done_callback(asyncio.Future.exception)  # nobody may be left to hear of a failure
    try:
        while not future.done():
            await asyncio.wait({future}, timeout=0.5)
            if request is not None and not future.done() and await request.is_disconnected():
                job.cancel()
                raise CancelledJobError(job.id)
        return future.result()
    except asyncio.CancelledError:
        job.cancel()
        raise
    finally:
        job.heard = True
