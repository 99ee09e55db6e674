"""Films of the page: bring in, stills to focus on, scripts, the film, close."""

from __future__ import annotations

from fastapi import APIRouter, Request

from pullfocus.focus.script import FOUND, FocusScript
from pullfocus.pipeline import Settings
from pullfocus.web import films
from pullfocus.web.context import Owner, Parts
from pullfocus.web.routes.body import keep_file
from pullfocus.web.schema import (
    DepthRequest,
    FilmRequest,
    FilmView,
    JobView,
    ScriptRequest,
    ScriptView,
    StillRequest,
)
from pullfocus.web.settings_in import check_model, read_settings

router = APIRouter(prefix="/api/films", tags=["films"])


@router.post("", status_code=202)
async def bring_in(request: Request, parts: Parts, owner: Owner, name: str = "film") -> JobView:
    """Take a video: its bytes are the body, its name a parameter; a job that looks at it."""
    kept = await keep_file(request, parts, name)
    job = parts.queue.submit(
        "open-film",
        owner,
        lambda job: films.open_film(parts.films, kept, job),
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
    parts.films.close(parts.films.find(film_id).kept.id)


@router.post("/{film_id}/stills", status_code=202)
def still(film_id: str, wish: StillRequest, parts: Parts, owner: Owner) -> JobView:
    """Open the frame of a moment as a photo; a job whose result describes it."""
    film = parts.films.find(film_id)
    job = parts.queue.submit(
        "still", owner, lambda job: films.take_still(film, parts.bench, wish.at_s, job)
    )
    return JobView.of(job)


@router.post("/{film_id}/suggestion", status_code=202)
def suggestion(film_id: str, wish: DepthRequest, parts: Parts, owner: Owner) -> JobView:
    """Look at the whole video and suggest a focus script; a job whose result holds it."""
    found = parts.films.find(film_id)
    settings = check_model(Settings(model=wish.model, refine=wish.refine))
    job = parts.queue.submit("suggest", owner, lambda job: films.suggest(found, settings, job))
    return JobView.of(job)


@router.post("/{film_id}/script")
def check_script(film_id: str, wish: ScriptRequest, parts: Parts) -> ScriptView:
    """Check a focus script from elsewhere and return it with its defaults written out."""
    parts.films.find(film_id)
    return ScriptView(**films.as_told(FocusScript.parse(wish.script)))


@router.post("/{film_id}/film", status_code=202)
def film(film_id: str, wish: FilmRequest, parts: Parts, owner: Owner) -> JobView:
    """Pull focus in the whole video, or in a small copy; a job whose result has its address."""
    found, settings = parts.films.find(film_id), read_settings(wish.settings)
    script = FOUND if wish.script is None else FocusScript.parse(wish.script)
    options = films.film_options(script, settings, wish.preview)
    suffix = films.PREVIEW_SUFFIX if wish.preview else None
    job = parts.queue.submit(
        "film", owner, lambda job: films.save_film(found, parts.store, options, suffix, job)
    )
    return JobView.of(job)
