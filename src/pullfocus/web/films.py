"""Films: videos that are open in the page: a still of any moment, and the film with pulled focus.

upload -> open_film -> take_still -> (a photo like any other: depth, focus, brush)
                    -> suggest     (a focus script to be edited)
                    -> save_film   (a focus script of what was tapped, and when; whole or small)
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.focus.script import FocusScript
from pullfocus.pipeline import Settings
from pullfocus.web import desk
from pullfocus.web.queue import CancelledJobError, Job
from pullfocus.web.schema import FilmView
from pullfocus.web.store import GoneError, Kept, Store, by_its_name, with_room
from pullfocus.web.view import png
from pullfocus.web.workbench import Workbench

if TYPE_CHECKING:
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.source import VideoInfo

PREVIEW_LINES, PREVIEW_SUFFIX = 288, ".webm"
"""The size of a preview, and a container that all browsers play."""


@dataclass(frozen=True, eq=False)
class Film:
    """One open video."""

    kept: Kept
    info: VideoInfo

    @property
    def view(self) -> FilmView:
        """What the page must know of it; sizes are those of the upright picture."""
        h, w = self.info.size_hw[:: -1 if self.info.quarter_turns % 2 else 1]
        return FilmView(
            id=self.kept.id,
            name=self.kept.name,
            width=w,
            height=h,
            start_s=self.info.start_s,
            duration_s=self.info.duration_s,
            frames=self.info.frames,
        )


@dataclass(frozen=True, eq=False)
class Films:
    """Open videos by id."""

    store: Store
    held: dict[str, Film] = field(default_factory=dict)

    def find(self, id_: str) -> Film:
        """Return an open video.

        Raises:
            GoneError: no such video in this run.
        """
        film = self.held.get(id_)
        if film is None or self.store.find(id_) is None:
            raise GoneError("This video is no longer open here; open it again.")
        return film

    def close(self, id_: str) -> None:
        """Forget a video and remove its file."""
        self.held.pop(id_, None)
        self.store.drop(id_)


def open_film(films: Films, kept: Kept, job: Job) -> dict[str, Any]:
    """Look at an upload and describe it; what is no video is removed at once.

    Raises:
        MissingModelError: PyAV is not installed.
        UnreadableInputError: what it holds is no video.
    """
    job.step(0.2, "reading the video")
    try:
        film = Film(kept, _info(kept))
    except BaseException:
        films.store.drop(kept.id)
        raise
    films.held[kept.id] = film
    return film.view.model_dump()


def take_still(film: Film, bench: Workbench, at_s: float, job: Job) -> dict[str, Any]:
    """Take one frame out of a video and open it as a photo."""
    job.step(0.1, "reading the video")
    rgb, time_s = _frame_at(film, at_s)
    kept = bench.store.place(f"{Path(film.kept.name).stem} {time_s:.2f} s.png")
    try:
        with with_room(kept):
            kept.path.write_bytes(png(rgb))
    except BaseException:
        bench.store.drop(kept.id)
        raise
    return {**desk.open_photo(bench, kept, job), "at_s": time_s}


def film_options(script: FocusScript, settings: Settings, preview: bool) -> FrameOptions:
    """Say how a film's frames are made: as the command line does, or small for the page."""
    from pullfocus.video.job import FrameOptions

    asked = script.with_sharp(settings.range, settings.all_people_sharp)
    return FrameOptions(settings, asked, preview=preview, preview_lines=PREVIEW_LINES)


def suggest(film: Film, settings: Settings, job: Job) -> dict[str, Any]:
    """Suggest a focus script for a video, as `pullfocus video --suggest` does."""
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.suggest import suggest_script

    job.step(0.0, "reading the video")
    with by_its_name(film.kept):
        options = FrameOptions(settings)
        script = suggest_script(film.kept.path, options, told=lambda *at: _step(job, *at))
    return as_told(script)


def as_told(script: FocusScript) -> dict[str, Any]:
    """Return a focus script as the page takes it: defaults written out, what has none left out."""
    return {"script": script.model_dump(mode="json", exclude_none=True)}


def save_film(
    film: Film, store: Store, options: FrameOptions, suffix: str | None, job: Job
) -> dict[str, Any]:
    """Pull focus in the whole video; suffix: of another container than the video's own.

    Its notes are those of the command line: what was left out, who was lost.
    """
    from pullfocus.video.codecs import default_output
    from pullfocus.video.job import VideoJob
    from pullfocus.video.run import pull_focus

    stop, notes = threading.Event(), []

    def told(done: int, count: int) -> None:
        try:
            _step(job, done, count)
        except CancelledJobError:
            stop.set()

    def write(path: Path) -> None:
        work = VideoJob(film.kept.path, path, options, overwrite=True)
        try:
            notes.extend(pull_focus(work, stop=stop, told=told).notes)
        finally:
            shutil.rmtree(work.parts_folder, ignore_errors=True)

    with by_its_name(film.kept):
        name = default_output(Path(film.kept.name))
        name = name.with_suffix(suffix or name.suffix)
        return {**desk.written(job, store, name.name, write), "notes": notes}


def _step(job: Job, done: int, count: int) -> None:
    job.step(min(0.97, done / max(count, done)), f"frame {done} of {count or '?'}")


def _info(kept: Kept) -> VideoInfo:
    from contextlib import closing

    if find_spec("av") is None:
        raise MissingModelError('Videos need PyAV: pip install "pullfocus[video]".')
    from pullfocus.video.source import VideoSource

    with by_its_name(kept), closing(VideoSource(kept.path)) as source:
        info = source.info
        if info.start_s > 0 or not info.duration_s:  # what the file says is not the length then
            return replace(info, duration_s=source.end_s() - info.start_s)
        return info


def _frame_at(film: Film, at_s: float) -> tuple[np.ndarray, float]:
    """Decode the first frame at or after a time (else the last) to sRGB uint8, and its time."""
    from contextlib import closing

    from pullfocus.video.colour import preview_rgb8
    from pullfocus.video.convert import FrameConverter
    from pullfocus.video.source import VideoSource

    with by_its_name(film.kept), closing(VideoSource(film.kept.path)) as source:
        found = source.frame_at(at_s)
        codes = FrameConverter(film.info, found.format.name).to_codes(found)
        return preview_rgb8(codes, film.info.tags, max(codes.shape[:2])), float(found.time or 0.0)
