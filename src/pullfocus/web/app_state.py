"""Context: what every route needs (configuration, store, queue, worker), made once per run."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from pullfocus.web.config import ServerConfig
from pullfocus.web.failures import log_unexpected
from pullfocus.web.open_files import OpenFiles, OpenFilm, OpenPhoto
from pullfocus.web.queue import Job, JobQueue
from pullfocus.web.steps import CancelledJobError, NotThereError
from pullfocus.web.store import Store, by_its_name
from pullfocus.web.worker import Worker


@dataclass(frozen=True, eq=False)
class Context:
    """The parts of one running server."""

    config: ServerConfig
    store: Store
    queue: JobQueue
    worker: Worker
    photos: OpenFiles[OpenPhoto]
    films: OpenFiles[OpenFilm]
    run: str = field(default_factory=lambda: secrets.token_hex(4))

    @classmethod
    def start(cls, config: ServerConfig) -> Context:
        """Make the temporary folder and the queue; the worker starts with its first job."""
        store = Store(config.temp_cap_mb, config.max_age_s)
        queue = JobQueue(config.max_waiting, log_unexpected)
        photos: OpenFiles[OpenPhoto] = OpenFiles(store, "photo")
        films: OpenFiles[OpenFilm] = OpenFiles(store, "video")
        return cls(config, store, queue, Worker(config), photos, films)

    def warm_up(self) -> Job:
        """Load the estimator, then the renderer, while the person still chooses a photo.

        The job's result is the second job: a photo that came meanwhile has its turn before it.
        """

        def renderer(job: Job) -> tuple[int, int]:
            size_hw: tuple[int, int] = self.worker.run(job, "warm_render")
            return size_hw

        def estimator_first(job: Job) -> Job:
            self.worker.run(job, "warm_depth")
            return self.queue.submit("warm-up", "server", renderer)

        return self.queue.submit("warm-up", "server", estimator_first)

    def close(self) -> None:
        """End the worker and remove every temporary file."""
        self.worker.close()
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
    parts: Context, owner: str, request: Request, photo: OpenPhoto, name: str, *arguments: Any
) -> Any:
    """Look at what is there of a photo already; else a job makes it."""
    try:
        return await parts.worker.look(name, photo.files(), *arguments)
    except NotThereError:

        def make(job: Job) -> Any:
            with by_its_name(photo.kept):
                return parts.worker.run(job, name, photo.files(), *arguments)

        return await outcome(parts.queue.submit("look", owner, make), request)


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
