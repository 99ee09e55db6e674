"""The HTTP API for scripts: one request, one picture.

    curl -H "Authorization: Bearer $TOKEN" -F photo=@cat.jpg -F 'settings={"at":[0.4,0.6]}' \\
         http://127.0.0.1:8000/api/refocus -o cat.refocused.jpg
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pullfocus.pipeline import Settings, default_output
from pullfocus.web.app_state import Context, Owner, Parts, outcome
from pullfocus.web.open_files import OpenPhoto, told_by
from pullfocus.web.queue import Job
from pullfocus.web.results import as_download, written
from pullfocus.web.routes.requests import check_model, read_settings
from pullfocus.web.store import GoneError, Kept, Store, by_its_name, with_room

router = APIRouter(prefix="/api", tags=["scripts"])
Upload = Annotated[UploadFile, File(description="The photo.")]
Json = Annotated[str, Form(description="Settings or a whole sidecar, as JSON.")]


@router.post("/refocus", response_class=FileResponse)
async def refocus(
    request: Request,
    parts: Parts,
    owner: Owner,
    photo: Upload,
    settings: Json = "{}",
    depth: Annotated[UploadFile | None, File(description="A depth file.")] = None,
) -> FileResponse:
    """Refocus a photo and return the picture, as the command line would write it."""
    chosen = read_settings(settings)
    given = depth if depth is not None and depth.filename else None
    async with _kept(parts.store, photo, given) as kept:
        name = default_output(Path(kept[0].name), format_=chosen.format).name
        work = _writing(parts, kept, "save_picture", chosen, name)
        return await _answer(parts, parts.queue.submit("refocus", owner, work), request)


@router.post("/depth", response_class=FileResponse)
async def depth(
    request: Request,
    parts: Parts,
    owner: Owner,
    photo: Upload,
    model: Annotated[str | None, Form()] = None,
    format: Annotated[Literal["png", "npy", "exr", "pfm"], Form()] = "png",
) -> FileResponse:
    """Work out a photo's depth and return the depth file."""
    chosen = check_model(Settings(model=model or None))
    async with _kept(parts.store, photo) as kept:
        name = f"{Path(kept[0].name).stem}.depth.{format}"
        work = _writing(parts, kept, "save_depth_map", chosen, name)
        return await _answer(parts, parts.queue.submit("depth", owner, work), request)


def _writing(
    parts: Context, kept: list[Kept], what: str, settings: Settings, name: str
) -> Callable[[Job], dict[str, Any]]:
    """Return the work that writes a file of a photo, of which nothing is kept afterwards."""
    photo, depth = kept[0], kept[1] if len(kept) > 1 else None
    files = OpenPhoto(photo, depth=depth, told=told_by(settings)).files(once=True)

    def work(job: Job) -> dict[str, Any]:
        def write(path: Path) -> dict[str, Any]:
            told: dict[str, Any] = parts.worker.run(job, what, files, settings, path)
            return told

        with by_its_name(photo):
            return written(job, parts.store, name, write)

    return work


@asynccontextmanager
async def _kept(store: Store, *uploads: UploadFile | None) -> AsyncIterator[list[Kept]]:
    """Hold what was uploaded in the store, until its work is done or refused."""
    held: list[Kept] = []
    try:
        for upload in uploads:
            if upload is not None:
                held.append(await run_in_threadpool(store.place, upload.filename or "photo"))
                await run_in_threadpool(_copy, upload, held[-1])
        yield held
    finally:
        for kept in held:
            await run_in_threadpool(store.drop, kept.id)


def _copy(upload: UploadFile, kept: Kept) -> None:
    with with_room(kept), kept.path.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 1 << 20)


async def _answer(parts: Context, job: Job, request: Request) -> FileResponse:
    told = await outcome(job, request)
    made = parts.store.find(told["id"])
    if made is None:
        raise GoneError("The result is no longer here: the temporary folder is full. Try again.")
    headers = {"content-disposition": as_download(made.name)}
    if told.get("read_notes"):
        headers["x-notes"] = quote(" ".join(told["read_notes"]), safe=" ,;:()'")
    return FileResponse(
        Path(made.path),
        media_type=made.media_type,
        headers=headers,
        background=BackgroundTask(parts.store.drop, made.id),
    )
