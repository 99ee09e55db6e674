"""Photos of the page: bring in, look at, depth, edits, close."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from pullfocus.depthmap.meaning import Told
from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings
from pullfocus.samples import SAMPLES
from pullfocus.web import results
from pullfocus.web.app_state import Context, Owner, Parts, at_hand, outcome
from pullfocus.web.open_files import OpenPhoto, told_by
from pullfocus.web.open_photos import key_of, preview_size_hw
from pullfocus.web.preview import Region
from pullfocus.web.queue import Job
from pullfocus.web.routes.requests import check_model, keep_body, keep_file
from pullfocus.web.schema import DepthRequest, JobView, PhotoView
from pullfocus.web.store import Kept, by_its_name, with_room

router = APIRouter(prefix="/api/photos", tags=["photos"])


def _region_of(
    parts: Parts,
    left: float = 0.0,
    top: float = 0.0,
    right: float = 1.0,
    bottom: float = 1.0,
    long_side_px: int | None = None,
) -> Region:
    """Read the part of the photo that is asked for, in fractions, and the size to show it with."""
    return Region(left, top, right, bottom, long_side_px or parts.config.preview_px)


def _depth_of(model: str | None = None, refine: bool = True) -> Settings:
    """Read which depth is asked for."""
    return check_model(Settings(model=model, refine=refine))


def _told_depth(
    depth_near: str | None = None, depth_unit: str | None = None, depth_scale: float | None = None
) -> Told:
    """Read what is said of a depth file."""
    said = Settings.parse(depth_near=depth_near, depth_unit=depth_unit, depth_scale=depth_scale)
    return told_by(said)


ToldDepth = Annotated[Told, Depends(_told_depth)]
Seen = Annotated[Region, Depends(_region_of)]
WhichDepth = Annotated[Settings, Depends(_depth_of)]


def _opening(parts: Parts, owner: str, kept: Kept) -> JobView:
    """Have a photo read; its file goes if nobody wants it any more."""
    job = parts.queue.submit(
        "open",
        owner,
        lambda job: results.open_photo(parts, kept, job),
        unwanted=lambda: parts.store.drop(kept.id),
    )
    return JobView.of(job)


@router.post("", status_code=202)
async def bring_in(request: Request, parts: Parts, owner: Owner, name: str = "photo") -> JobView:
    """Take a photo: its bytes are the body, its name a parameter; a job that reads it."""
    kept = await keep_file(request, parts, name)
    return _opening(parts, owner, kept)


@router.post("/samples/{name}", status_code=202)
def bring_in_sample(name: str, parts: Parts, owner: Owner) -> JobView:
    """Take one of the bundled photos."""
    sample = next((sample for sample in SAMPLES if sample.name == name), None)
    if sample is None:
        raise UsageError("There is no sample of that name.")
    kept = parts.store.place(sample.path.name)
    try:
        with with_room(kept):
            shutil.copyfile(sample.path, kept.path)
    except BaseException:
        parts.store.drop(kept.id)
        raise
    return _opening(parts, owner, kept)


@router.get("/{photo_id}")
async def look(photo_id: str, parts: Parts, owner: Owner, request: Request) -> PhotoView:
    """Describe an open photo."""
    photo = parts.photos.find(photo_id)
    return PhotoView(**await at_hand(parts, owner, request, photo, "photo_view"))


@router.delete("/{photo_id}", status_code=204)
def close(photo_id: str, parts: Parts) -> None:
    """Close a photo and remove it."""
    parts.photos.find(photo_id)
    parts.photos.close(photo_id)
    parts.worker.forget(photo_id)


@router.get("/{photo_id}/colour.png", response_class=Response)
async def colour(
    photo_id: str, parts: Parts, owner: Owner, request: Request, region: Seen
) -> Response:
    """Return a region of the photo as an sRGB PNG."""
    photo = parts.photos.find(photo_id)
    data = await at_hand(parts, owner, request, photo, "colour", region)
    return Response(data, media_type="image/png")


@router.post("/{photo_id}/depth", status_code=202)
def depth(photo_id: str, wish: DepthRequest, parts: Parts, owner: Owner) -> JobView:
    """Work out depth; its result says which kind it is and where the subject stands."""
    photo = parts.photos.find(photo_id)
    settings = _depth_of(wish.model, wish.refine)

    def work(job: Job) -> object:
        with by_its_name(photo.kept):
            return parts.worker.run(job, "make_depth", photo.files(), settings)

    return JobView.of(parts.queue.submit("depth", owner, work))


@router.get("/{photo_id}/disparity.f32", response_class=Response)
async def disparity(
    photo_id: str,
    parts: Parts,
    owner: Owner,
    request: Request,
    region: Seen,
    settings: WhichDepth,
    edited: bool = True,
) -> Response:
    """Return a region's disparity: float32, little-endian, row after row; size in the headers.

    edited: with what the brush added.
    """
    photo = parts.photos.find(photo_id)
    data, (h, w), kind = await at_hand(
        parts, owner, request, photo, "disparity", settings, region, edited
    )
    headers = {"x-height": str(h), "x-width": str(w), "x-kind": kind}
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.put("/{photo_id}/depth-edit", status_code=204)
async def edit_depth(
    photo_id: str, request: Request, parts: Parts, owner: Owner, settings: WhichDepth
) -> None:
    """Set what the brush adds to the disparity: float32 rows at preview size; empty takes it back.

    The full-size map keeps its own detail; the edit is enlarged and added to it.
    """
    photo = parts.photos.find(photo_id)
    h, w = preview_size_hw(photo.size_hw, parts.config.preview_px)
    kept = await keep_body(request, parts, "edit.f32")
    try:
        if kept.bytes and not await run_in_threadpool(_is_edit, kept.path, h * w):
            raise UsageError(f"The edit must be {w}x{h} finite float32 numbers.")
        empty = kept.bytes == 0

        def work(job: Job) -> None:
            key = key_of(photo.depth is not None, settings)
            changed = photo.with_edit(key, None if empty else kept)
            with by_its_name(photo.kept):
                if not empty:
                    parts.worker.run(job, "take_edit", changed.files(), settings)
            photo.become(changed, parts.store)

        await outcome(parts.queue.submit("edit", owner, work))
    finally:
        await run_in_threadpool(_drop_unused, parts, photo, kept)


def _is_edit(path: Path, count: int) -> bool:
    found = np.fromfile(path, "<f4")
    return path.stat().st_size == count * 4 and bool(np.isfinite(found).all())


def _drop_unused(parts: Context, photo: OpenPhoto, kept: Kept) -> None:
    if photo.closed or kept not in photo.parts:
        parts.store.drop(kept.id)


@router.put("/{photo_id}/depth-file", status_code=204)
async def give_depth(
    photo_id: str,
    request: Request,
    parts: Parts,
    owner: Owner,
    told: ToldDepth,
    name: str = "depth.png",
) -> None:
    """Use a depth file of one's own with this photo (docs/depth-files.md); empty drops it."""
    photo = parts.photos.find(photo_id)
    kept = await keep_body(request, parts, name)
    try:
        empty = kept.bytes == 0

        def work(job: Job) -> None:
            changed = photo.with_depth(None if empty else kept, told)
            if not empty:
                with by_its_name(photo.kept):
                    parts.worker.run(job, "take_depth", changed.files())
            photo.become(changed, parts.store)

        await outcome(parts.queue.submit("depth-file", owner, work))
    finally:
        await run_in_threadpool(_drop_unused, parts, photo, kept)
