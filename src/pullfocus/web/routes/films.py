"""Films of the page: bring in, stills to focus on, scripts, the film, close."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request

from pullfocus.focus.script import FOUND, FocusScript
from pullfocus.pipeline import Settings
from pullfocus.web import results, videos
from pullfocus.web.app_state import Owner, Parts
from pullfocus.web.queue import Job
from pullfocus.web.routes.requests import check_model, keep_file, read_settings
from pullfocus.web.schema import (
    DepthRequest,
    FilmRequest,
    FilmView,
    JobView,
    ScriptRequest,
    ScriptView,
    StillRequest,
)
from pullfocus.web.store import by_its_name

router = APIRouter(prefix="/api/films", tags=["films"])


@router.post("", status_code=202)
async def bring_in(request: Request, parts: Parts, owner: Owner, name: str = "film") -> JobView:
    """Take a video: its bytes are the body, its name a parameter; a job that looks at it."""
    kept = await keep_file(request, parts, name)
    job = parts.queue.submit(
        "open-film",
        owner,
        lambda job: results.open_film(parts, kept, job),
        unwanted=lambda: parts.store.drop(kept.id),
    )
    return JobView.of(job)


@router.get("/{film_id}")
def look(film_id: str, parts: Parts) -> FilmView:
    """Describe an open video."""
    return parts.films.find(film_id).view


@router.delete("/{film_id}", status_code=204)
def close(film_id: str, parts: Parts) -> None:
    """Close a video and remove it."""
    parts.films.find(film_id)
    parts.films.close(film_id)


@router.post("/{film_id}/stills", status_code=202)
def still(film_id: str, wish: StillRequest, parts: Parts, owner: Owner) -> JobView:
    """Open the frame of a moment as a photo; a job whose result describes it."""
    film = parts.films.find(film_id)
    job = parts.queue.submit(
        "still", owner, lambda job: results.take_still(parts, film, wish.at_s, job)
    )
    return JobView.of(job)


@router.post("/{film_id}/suggestion", status_code=202)
def suggestion(film_id: str, wish: DepthRequest, parts: Parts, owner: Owner) -> JobView:
    """Look at the whole video and suggest a focus script; a job whose result holds it."""
    found = parts.films.find(film_id)
    settings = check_model(Settings(model=wish.model, refine=wish.refine))

    def work(job: Job) -> Any:
        with by_its_name(found.kept):
            return parts.worker.run(job, "suggest", found.kept.path, settings)

    return JobView.of(parts.queue.submit("suggest", owner, work))


@router.post("/{film_id}/script")
def check_script(film_id: str, wish: ScriptRequest, parts: Parts) -> ScriptView:
    """Check a focus script from elsewhere and return it with its defaults written out."""
    parts.films.find(film_id)
    return ScriptView(**videos.as_told(FocusScript.parse(wish.script)))


@router.post("/{film_id}/film", status_code=202)
def film(film_id: str, wish: FilmRequest, parts: Parts, owner: Owner) -> JobView:
    """Pull focus in the whole video, or in a small copy; a job whose result has its address."""
    from pullfocus.video.media.encoders import default_output

    found, settings = parts.films.find(film_id), read_settings(wish.settings)
    script = FOUND if wish.script is None else FocusScript.parse(wish.script)
    options = videos.film_options(script, settings, wish.preview)
    name = default_output(Path(found.kept.name))
    if wish.preview:
        name = name.with_suffix(videos.PREVIEW_SUFFIX)

    def work(job: Job) -> dict[str, Any]:
        def write(path: Path) -> dict[str, Any]:
            told: dict[str, Any] = parts.worker.run(
                job, "save_film", found.kept.path, options, path
            )
            return told

        with by_its_name(found.kept):
            return results.written(job, parts.store, name.name, write)

    return JobView.of(parts.queue.submit("film", owner, work))
