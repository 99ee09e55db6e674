"""Results: what the worker writes for a job lands in the store, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pullfocus.web.open_files import OpenFilm, OpenPhoto
from pullfocus.web.queue import Job
from pullfocus.web.schema import FilmView
from pullfocus.web.store import Kept, Store, by_its_name, with_room

if TYPE_CHECKING:
    from pullfocus.web.app_state import Context

MEDIA = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".tif": "image/tiff",
    ".tiff": "image/tiff", ".webp": "image/webp", ".avif": "image/avif", ".heic": "image/heic",
    ".exr": "image/x-exr", ".npy": "application/octet-stream", ".gif": "image/gif",
    ".pfm": "application/octet-stream", ".mp4": "video/mp4", ".mov": "video/quicktime",
    ".mkv": "video/x-matroska", ".webm": "video/webm", ".html": "text/html",
}  # fmt: skip


def as_download(name: str) -> str:
    """Return the header that has a browser save a file under a name.

    Source: RFC 6266, section 5 and appendix D: `filename` for old clients, `filename*` exact.
    """
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def written(
    job: Job, store: Store, name: str, write: Callable[[Path], dict[str, Any]]
) -> dict[str, Any]:
    """Have a result written to the store and describe it, with what `write` says beside.

    A failure leaves nothing behind, nor does a job that was cancelled meanwhile.
    """
    suffix = Path(name).suffix.lower()
    kept = store.place(name, MEDIA.get(suffix, "application/octet-stream"), suffix)
    try:
        with with_room(kept), by_its_name(kept):
            told = write(kept.path)
            job.check()
    except BaseException:
        store.drop(kept.id)
        raise
    return {
        "id": kept.id,
        "name": kept.name,
        "media_type": kept.media_type,
        "bytes": kept.bytes,
        "url": f"/api/results/{kept.id}",
        **told,
    }


def open_photo(parts: Context, kept: Kept, job: Job) -> dict[str, Any]:
    """Have an upload read as a photo; what is none is removed at once.

    Raises:
        UnreadableInputError, TooLargeError: what it holds is no photo, or too large a one.
    """
    photo = OpenPhoto(kept)
    try:
        with by_its_name(kept):
            told: dict[str, Any] = parts.worker.run(job, "open_photo", photo.files())
        job.check()
    except BaseException:
        parts.worker.forget(kept.id)
        parts.store.drop(kept.id)
        raise
    photo.size_hw = told["height"], told["width"]
    parts.photos.add(photo)
    return told


def open_film(parts: Context, kept: Kept, job: Job) -> dict[str, Any]:
    """Have an upload read as a video; what is none is removed at once.

    Raises:
        MissingModelError: PyAV is not installed.
        UnreadableInputError: what it holds is no video.
    """
    try:
        with by_its_name(kept):
            told: dict[str, Any] = parts.worker.run(job, "open_film", kept.id, kept.path, kept.name)
        job.check()
    except BaseException:
        parts.store.drop(kept.id)
        raise
    parts.films.add(OpenFilm(kept, FilmView(**told)))
    return told


def take_still(parts: Context, film: OpenFilm, at_s: float, job: Job) -> dict[str, Any]:
    """Take one frame out of a video and open it as a photo."""
    kept = parts.store.place("still.png")
    try:
        with with_room(kept), by_its_name(film.kept):
            time_s = parts.worker.run(job, "take_still", film.kept.path, at_s, kept.path)
    except BaseException:
        parts.store.drop(kept.id)
        raise
    kept.name = f"{Path(film.kept.name).stem} {time_s:.2f} s.png"
    return {**open_photo(parts, kept, job), "at_s": time_s}
