"""Jobs: look, follow by server-sent events, cancel; and their results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, StreamingResponse

from pullfocus.web.app_state import Context, Parts
from pullfocus.web.queue import Job
from pullfocus.web.results import as_download
from pullfocus.web.schema import JobView
from pullfocus.web.store import GoneError

router = APIRouter(prefix="/api", tags=["jobs"])
LOOK_S = 0.06
KEEP_ALIVE_S = 10.0


def _job(parts: Context, job_id: str) -> Job:
    job = parts.queue.find(job_id)
    if job is None:
        raise GoneError("This job is not known here.")
    return job


@router.get("/jobs/{job_id}")
def look(job_id: str, parts: Parts) -> JobView:
    """Say how far a job is."""
    return JobView.of(_job(parts, job_id))


@router.delete("/jobs/{job_id}")
def cancel(job_id: str, parts: Parts) -> JobView:
    """Cancel a job; one that runs stops at its next step."""
    job = _job(parts, job_id)
    job.cancel()
    return JobView.of(job)


@router.get("/jobs/{job_id}/events", response_class=StreamingResponse)
async def follow(job_id: str, request: Request, parts: Parts) -> StreamingResponse:
    """Stream a job's changes as server-sent events until it ends."""
    return StreamingResponse(_events(_job(parts, job_id), request), media_type="text/event-stream")


async def _events(job: Job, request: Request) -> AsyncIterator[str]:
    told, quiet = "", 0.0
    while True:
        now = JobView.of(job).model_dump_json()
        if now != told:
            told, quiet = now, 0.0
            yield f"data: {now}\n\n"
        if job.finished or await request.is_disconnected():
            return
        await asyncio.sleep(LOOK_S)
        quiet += LOOK_S
        if quiet > KEEP_ALIVE_S:
            quiet = 0.0
            yield ": still here\n\n"


@router.get("/results/{result_id}", response_class=FileResponse)
def result(result_id: str, parts: Parts) -> FileResponse:
    """Return a file that a job made, always as a download."""
    kept = parts.store.find(result_id)
    if kept is None or not kept.path.is_file():
        raise GoneError("This result is no longer here; save again.")
    headers = {"content-disposition": as_download(kept.name)}
    return FileResponse(kept.path, media_type=kept.media_type, headers=headers)
