"""What can be made of an open photo: previews, pictures, depth files, animations, living photos."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from pullfocus.pipeline import Settings
from pullfocus.web import desk
from pullfocus.web.context import Owner, Parts, outcome
from pullfocus.web.schema import (
    AnimationRequest,
    DepthSaveRequest,
    JobView,
    LivingRequest,
    RenderRequest,
    ReplayRequest,
)
from pullfocus.web.settings_in import check_model, read_settings
from pullfocus.web.view import Region

router = APIRouter(prefix="/api/photos/{photo_id}", tags=["work"])


@router.post("/preview", response_class=Response)
async def preview(
    photo_id: str, wish: RenderRequest, parts: Parts, owner: Owner, request: Request,
    long_side_px: int | None = None,
) -> Response:  # fmt: skip
    """Render a small picture here and return it as PNG, where the browser has no WebGL2."""
    item, settings = parts.bench.find(photo_id), read_settings(wish.settings)
    region = Region(long_side_px=long_side_px or parts.config.preview_px)
    job = parts.queue.submit(
        "preview",
        owner,
        lambda job: desk.preview_picture(parts.bench, item, settings, region, job),
    )
    return Response(await outcome(job, request), media_type="image/png")


@router.post("/settings", status_code=202)
def settings(photo_id: str, wish: ReplayRequest, parts: Parts, owner: Owner) -> JobView:
    """Take settings or a sidecar from elsewhere; a job whose result has their focus worked out."""
    item, given = parts.bench.find(photo_id), read_settings(wish.settings)
    job = parts.queue.submit(
        "settings", owner, lambda job: desk.replay(parts.bench, item, given, job)
    )
    return JobView.of(job)


@router.post("/picture", status_code=202)
def picture(photo_id: str, wish: RenderRequest, parts: Parts, owner: Owner) -> JobView:
    """Render at full resolution and write a file; a job whose result has its address."""
    item, settings = parts.bench.find(photo_id), read_settings(wish.settings)
    given = {"format": wish.format, "quality": wish.quality}
    chosen = settings.changed(**{key: value for key, value in given.items() if value is not None})
    job = parts.queue.submit(
        "picture", owner, lambda job: desk.save_picture(parts.bench, item, chosen, job)
    )
    return JobView.of(job)


@router.post("/depth-map", status_code=202)
def depth_map(photo_id: str, wish: DepthSaveRequest, parts: Parts, owner: Owner) -> JobView:
    """Write the depth map, edits included, as PNG (16 bits), EXR, NPY or PFM."""
    item = parts.bench.find(photo_id)
    settings = check_model(Settings(model=wish.model, refine=wish.refine))
    job = parts.queue.submit(
        "depth-map",
        owner,
        lambda job: desk.save_depth_map(parts.bench, item, settings, wish.format, job),
    )
    return JobView.of(job)


@router.post("/animation", status_code=202)
def animation(photo_id: str, wish: AnimationRequest, parts: Parts, owner: Owner) -> JobView:
    """Render a focus pull as WebP, GIF or (with PyAV) MP4."""
    item, settings = parts.bench.find(photo_id), read_settings(wish.settings)
    job = parts.queue.submit(
        "animation", owner, lambda job: desk.save_animation(parts.bench, item, settings, wish, job)
    )
    return JobView.of(job)


@router.post("/living", status_code=202)
def living(photo_id: str, wish: LivingRequest, parts: Parts, owner: Owner) -> JobView:
    """Write one HTML file in which anyone can click to refocus, offline."""
    item, settings = parts.bench.find(photo_id), read_settings(wish.settings)
    job = parts.queue.submit(
        "living",
        owner,
        lambda job: desk.save_living(parts.bench, item, settings, wish.long_side_px, job),
    )
    return JobView.of(job)
