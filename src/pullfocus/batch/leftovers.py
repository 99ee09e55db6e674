"""What a killed run left beside an output: depth maps and sidecars without their picture."""

from __future__ import annotations

import os
from pathlib import Path

from pullfocus.batch.plan import Job
from pullfocus.depthmap.labels import PREFIX
from pullfocus.errors import PullfocusError
from pullfocus.pipeline import read_sidecar

_HEAD_BYTES = 1 << 16


def is_leftover(path: Path, job: Job) -> bool:
    """Tell whether an earlier run of the same job made this file, and not a person or a program.

    Its picture is written last, so that without it the file is of a run that did not come to its
    end. A sidecar names its photo; a depth map says who wrote it, and that is all it can say.
    """
    if os.path.exists(job.output) or not path.is_file():
        return False
    if path == job.sidecar:
        return _photo_of(path) == job.photo.name
    try:
        with path.open("rb") as file:
            return path == job.depth and f"{PREFIX}kind".encode() in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _photo_of(sidecar: Path) -> object:
    try:
        return read_sidecar(sidecar).record.get("photo")
    except PullfocusError:
        return None
