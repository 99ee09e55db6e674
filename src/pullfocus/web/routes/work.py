"""What can be made of an open photo: previews, pictures, depth files, animations, living photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from pullfocus.pipeline import Settings, default_output
from pullfocus.web.app_state import Context, Owner, Parts, outcome
from pullfocus.web.open_files import OpenPhoto
from pullfocus.web.preview import Region
from pullfocus.web.queue import Job
from pullfocus.web.results import written
from pullfocus.web.routes.requests import check_model, read_settings
from pullfocus.web.schema import (
    AnimationRequest,
    DepthSaveRequest,
    JobView,
    LivingRequest,
    RenderRequest,
    ReplayRequest,
)
from pullfocus.web.store import by_its_name

router = APIRouter(prefix="/api/photos/{photo_id}", tags=["work"])


def _submit(
    parts: Context, owner: str, kind: str, photo: OpenPhoto, name: str, *arguments: Any
) -> Job:
    """Have the worker do something with a photo."""

    def work(job: Job) -> Any:
        with by_its_name(photo.kept):
            return parts.worker.run(job, name, photo.files(), *arguments)

    return parts.queue.submit(kind, owner, work)


def _submit_writing(
    parts: Context, owner: str, kind: str, photo: OpenPhoto, name: str, *arguments: Any, to: str
) -> JobView:
    """Have the worker write a file that is made of a photo; to: what the file is called."""

    def work(job: Job) -> dict[str, Any]:
        def write(path: Path) -> dict[str, Any]:
            told: dict[str, Any] = parts.worker.run(job, name, photo.files(), *arguments, path)
            return told

        with by_its_name(photo.kept):
            return written(job, parts.store, to, write)

    return JobView.of(parts.queue.submit(kind, owner, work))


@router.post("/preview", response_class=Response)
async def preview(
    photo_id: str, wish: RenderRequest, parts: Parts, owner: Owner, request: Request,
    long_side_px: int | None = None,
) -> Response:  # fmt: skip
    """Render a small picture here and return it as PNG, where the browser has no WebGL2."""
    photo, settings = parts.photos.find(photo_id), read_settings(wish.settings)
    region = Region(long_side_px=long_side_px or parts.config.preview_px)
    job = _submit(parts, owner, "preview", photo, "preview_picture", settings, region)
    return Response(await outcome(job, request), media_type="image/png")


@router.post("/settings", status_code=202)
def settings(photo_id: str, wish: ReplayRequest, parts: Parts, owner: Owner) -> JobView:
    """Take settings or a sidecar from elsewhere; a job whose result has their focus worked out."""
    photo, given = parts.photos.find(photo_id), read_settings(wish.settings)
    return JobView.of(_submit(parts, owner, "settings", photo, "replay", given))


@router.post("/picture", status_code=202)
def picture(photo_id: str, wish: RenderRequest, parts: Parts, owner: Owner) -> JobView:
    """Render at full resolution and write a file; a job whose result has its address."""
    photo, settings = parts.photos.find(photo_id), read_settings(wish.settings)
    given = {"format": wish.format, "quality": wish.quality}
    chosen = settings.changed(**{key: value for key, value in given.items() if value is not None})
    name = default_output(Path(photo.kept.name), format_=chosen.format).name
    return _submit_writing(parts, owner, "picture", photo, "save_picture", chosen, to=name)


@router.post("/depth-map", status_code=202)
def depth_map(photo_id: str, wish: DepthSaveRequest, parts: Parts, owner: Owner) -> JobView:
    """Write the depth map, edits included, as PNG (16 bits), EXR, NPY or PFM."""
    photo = parts.photos.find(photo_id)
    settings = check_model(Settings(model=wish.model, refine=wish.refine))
    name = f"{Path(photo.kept.name).stem}.depth.{wish.format}"
    return _submit_writing(parts, owner, "depth-map", photo, "save_depth_map", settings, to=name)


@router.post("/animation", status_code=202)
def animation(photo_id: str, wish: AnimationRequest, parts: Parts, owner: Owner) -> JobView:
    """Render a focus pull as WebP, GIF or (with PyAV) MP4."""
    photo, settings = parts.photos.find(photo_id), read_settings(wish.settings)
    name = f"{Path(photo.kept.name).stem}.focus-pull.{wish.format}"
    return _submit_writing(
        parts, owner, "animation", photo, "save_animation", settings, wish, to=name
    )


@router.post("/living", status_code=202)
def living(photo_id: str, wish: LivingRequest, parts: Parts, owner: Owner) -> JobView:
    """Write one HTML file in which anyone can click to refocus, offline."""
    photo, settings = parts.photos.find(photo_id), read_settings(wish.settings)
    name = f"{Path(photo.kept.name).stem}.living.html"
    return _submit_writing(
        parts, owner, "living", photo, "save_living", settings, wish.long_side_px, to=name
    )
