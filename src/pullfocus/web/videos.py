"""Films: the work on videos: a still of any moment, and the film with pulled focus.

upload -> open_film -> take_still -> (a photo like any other: depth, focus, brush)
                    -> suggest     (a focus script to be edited)
                    -> save_film   (a focus script of what was tapped, and when; whole or small)

Like `desk`, it is done in the worker process.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.focus.script import FocusScript
from pullfocus.pipeline import Settings
from pullfocus.web.open_photos import Workbench
from pullfocus.web.preview import png
from pullfocus.web.schema import FilmView
from pullfocus.web.steps import CancelledJobError, Steps

if TYPE_CHECKING:
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.media.reader import VideoInfo

PREVIEW_LINES, PREVIEW_SUFFIX = 288, ".webm"
"""The size of a preview, and a container that all browsers play."""


def open_film(_: Workbench, steps: Steps, id_: str, path: Path, name: str) -> dict[str, Any]:
    """Look at an upload and describe it; sizes are those of the upright picture.

    Raises:
        MissingModelError: PyAV is not installed.
        UnreadableInputError: what it holds is no video.
    """
    steps.step(0.2, "reading the video")
    info = _info(path)
    h, w = info.size_hw[:: -1 if info.quarter_turns % 2 else 1]
    view = FilmView(
        id=id_,
        name=name,
        width=w,
        height=h,
        start_s=info.start_s,
        duration_s=info.duration_s,
        frames=info.frames,
    )
    return view.model_dump()


def take_still(_: Workbench, steps: Steps, film: Path, at_s: float, path: Path) -> float:
    """Write the first frame at or after a time (else the last) as sRGB PNG; return its time."""
    from contextlib import closing

    from pullfocus.video.media.colour import preview_rgb8
    from pullfocus.video.media.convert import FrameConverter
    from pullfocus.video.media.reader import VideoSource

    steps.step(0.1, "reading the video")
    with closing(VideoSource(film)) as source:
        found = source.frame_at(at_s)
        codes = FrameConverter(source.info, found.format.name).to_codes(found)
        rgb: np.ndarray = preview_rgb8(codes, source.info.tags, max(codes.shape[:2]))
        path.write_bytes(png(rgb))
        return float(found.time or 0.0)


def film_options(script: FocusScript, settings: Settings, preview: bool) -> FrameOptions:
    """Say how a film's frames are made: as the command line does, or small for the page."""
    from pullfocus.video.job import FrameOptions

    asked = script.with_sharp(settings.range, settings.all_people_sharp)
    return FrameOptions(settings, asked, preview=preview, preview_lines=PREVIEW_LINES)


def suggest(_: Workbench, steps: Steps, film: Path, settings: Settings) -> dict[str, Any]:
    """Suggest a focus script for a video, as `pullfocus video --suggest` does."""
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.suggest import suggest_script

    steps.step(0.0, "reading the video")
    options = FrameOptions(settings)
    return as_told(suggest_script(film, options, told=lambda *at: _step(steps, *at)))


def as_told(script: FocusScript) -> dict[str, Any]:
    """Return a focus script as the page takes it: defaults written out, what has none left out."""
    return {"script": script.model_dump(mode="json", exclude_none=True)}


def save_film(
    _: Workbench, steps: Steps, film: Path, options: FrameOptions, path: Path
) -> dict[str, Any]:
    """Pull focus in the whole video.

    Its notes are those of the command line: what was left out, who was lost.
    """
    from pullfocus.video.file_job import pull_focus
    from pullfocus.video.job import VideoJob

    stop = threading.Event()

    def told(done: int, count: int) -> None:
        try:
            _step(steps, done, count)
        except CancelledJobError:
            stop.set()

    work = VideoJob(film, path, options, overwrite=True)
    try:
        return {"notes": pull_focus(work, stop=stop, told=told).notes}
    finally:
        shutil.rmtree(work.parts_folder, ignore_errors=True)


def _step(steps: Steps, done: int, count: int) -> None:
    steps.step(min(0.97, done / max(count, done)), f"frame {done} of {count or '?'}")


def _info(path: Path) -> VideoInfo:
    from contextlib import closing

    if find_spec("av") is None:
        raise MissingModelError('Videos need PyAV: pip install "pullfocus[video]".')
    from pullfocus.video.media.reader import VideoSource

    with closing(VideoSource(path)) as source:
        info = source.info
        if info.start_s > 0 or not info.duration_s:  # what the file says is not the length then
            return replace(info, duration_s=source.end_s() - info.start_s)
        return info
