"""The HTTP API for scripts: one request, one picture.

    curl -H "Authorization: Bearer $TOKEN" -F photo=@cat.jpg -F 'settings={"at":[0.4,0.6]}' \\
         http://127.0.0.1:8000/api/refocus -o cat.refocused.jpg
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from pullfocus.pipeline import Settings
from pullfocus.web import desk
from pullfocus.web.context import Context, Owner, Parts, outcome
from pullfocus.web.item import Item
from pullfocus.web.queue import Job
from pullfocus.web.settings_in import check_model, read_settings
from pullfocus.web.store import Kept, Store

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
    kept = await _keep(parts.store, photo)
    beside = await _keep(parts.store, depth) if depth is not None and depth.filename else None

    def work(job: Job) -> dict[str, Any]:
        item = _opened(parts, kept, beside)
        return desk.save_picture(parts.bench, item, chosen, job)

    return await _answer(parts, parts.queue.submit("refocus", owner, work), request, kept, beside)


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
    kept = await _keep(parts.store, photo)

    def work(job: Job) -> dict[str, Any]:
        return desk.save_depth_map(parts.bench, _opened(parts, kept, None), chosen, format, job)

    return await _answer(parts, parts.queue.submit("depth", owner, work), request, kept, None)


def _opened(parts: Context, kept: Kept, beside: Kept | None) -> Item:
    item = Item(kept, kept.name)
    if beside is not None:
        desk.take_depth(item, beside)
    return item


async def _keep(store: Store, upload: UploadFile) -> Kept:
    kept = store.place(upload.filename or "photo")

    def copy() -> None:
        with kept.path.open("wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)

    await run_in_threadpool(copy)
    return kept


async def _answer(parts: Context, job: Job, request: Request, *used: Kept | None) -> FileResponse:
    try:
        told = await outcome(job, request)
    finally:
        for kept in used:
            if kept is not None:
                parts.store.drop(kept.id)
    made = parts.store.find(told["id"])
    assert made is not None
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(made.name)}"}
    return FileResponse(
        Path(made.path),
        media_type=made.media_type,
        headers=headers,
        background=BackgroundTask(parts.store.drop, made.id),
    )
