"""Photos of the page: bring in, look at, depth, edits, close."""

from __future__ import annotations

import shutil
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Request, Response

from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings
from pullfocus.samples import SAMPLES
from pullfocus.web import desk
from pullfocus.web.context import Owner, Parts, at_hand, outcome
from pullfocus.web.routes.body import keep_body, keep_file
from pullfocus.web.schema import DepthRequest, JobView, PhotoView
from pullfocus.web.settings_in import check_model
from pullfocus.web.store import Kept
from pullfocus.web.view import Region, colour_png, disparity_f32
from pullfocus.web.workbench import preview_size_hw

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
) -> Settings:
    """Read what is said of a depth file."""
    return Settings.parse(depth_near=depth_near, depth_unit=depth_unit, depth_scale=depth_scale)


ToldDepth = Annotated[Settings, Depends(_told_depth)]
Seen = Annotated[Region, Depends(_region_of)]
WhichDepth = Annotated[Settings, Depends(_depth_of)]


def _opening(parts: Parts, owner: str, kept: Kept) -> JobView:
    """Have a photo read; its file goes if nobody wants it any more."""
    job = parts.queue.submit(
        "open",
        owner,
        lambda job: desk.open_photo(parts.bench, kept, job),
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
    shutil.copyfile(sample.path, kept.path)
    return _opening(parts, owner, kept)


@router.get("/{photo_id}")
async def look(photo_id: str, parts: Parts, owner: Owner, request: Request) -> PhotoView:
    """Describe an open photo."""
    item = parts.bench.find(photo_id)
    view = partial(desk.photo_view, parts.bench, item)
    return await at_hand(parts, owner, request, item.photo is not None, view)


@router.delete("/{photo_id}", status_code=204)
def close(photo_id: str, parts: Parts) -> None:
    """Close a photo and remove it."""
    parts.bench.close(parts.bench.find(photo_id).id)


@router.get("/{photo_id}/colour.png", response_class=Response)
async def colour(
    photo_id: str, parts: Parts, owner: Owner, request: Request, region: Seen
) -> Response:
    """Return a region of the photo as an sRGB PNG."""
    item = parts.bench.find(photo_id)
    data = await at_hand(
        parts,
        owner,
        request,
        item.photo is not None,
        lambda: colour_png(parts.bench.photo(item), region),
    )
    return Response(data, media_type="image/png")


@router.post("/{photo_id}/depth", status_code=202)
def depth(photo_id: str, wish: DepthRequest, parts: Parts, owner: Owner) -> JobView:
    """Work out depth; its result says which kind it is and where the subject stands."""
    item = parts.bench.find(photo_id)
    settings = _depth_of(wish.model, wish.refine)
    job = parts.queue.submit(
        "depth", owner, lambda job: desk.make_depth(parts.bench, item, settings, job)
    )
    return JobView.of(job)


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
    item = parts.bench.find(photo_id)
    there = parts.bench.has_depth(item, settings)
    made = partial(parts.bench.depth, item, settings, edited=edited)
    found = await at_hand(parts, owner, request, there, made)
    rows, columns = region.rows_columns(found.size_hw)
    h, w = region.shown_hw(rows.stop - rows.start, columns.stop - columns.start)
    headers = {"x-height": str(h), "x-width": str(w), "x-kind": found.kind}
    data = disparity_f32(found, region)
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.put("/{photo_id}/depth-edit", status_code=204)
async def edit_depth(
    photo_id: str, request: Request, parts: Parts, owner: Owner, settings: WhichDepth
) -> None:
    """Set what the brush adds to the disparity: float32 rows at preview size; empty takes it back.

    The full-size map keeps its own detail; the edit is enlarged and added to it.
    """
    item = parts.bench.find(photo_id)
    h, w = preview_size_hw(item, parts.config.preview_px)
    body = await request.body()
    if body and len(body) != h * w * 4:
        raise UsageError(f"The edit must be {w}x{h} float32 numbers.")
    edit = np.frombuffer(body, "<f4").reshape(h, w) if body else None
    job = parts.queue.submit("edit", owner, lambda _: parts.bench.edit_depth(item, settings, edit))
    await outcome(job)


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
    item = parts.bench.find(photo_id)
    kept = await keep_body(request, parts, name)
    try:
        if kept.bytes == 0:
            item.use_file(None)
            return
        job = parts.queue.submit(
            "depth-file", owner, lambda _: desk.take_depth(parts.bench, item, kept, told)
        )
        await outcome(job)
    finally:
        parts.store.drop(kept.id)
