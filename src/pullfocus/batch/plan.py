"""Plan a batch: which photo goes where, with which settings; nothing is opened yet."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullfocus.errors import UsageError
from pullfocus.files import make_folder
from pullfocus.photo.formats import FORMATS
from pullfocus.pipeline import Settings, Sidecar, default_output, fitted, sidecar_path


@dataclass(frozen=True, slots=True)
class Job:
    """One photo to do: where it is, where it goes, and how."""

    photo: Path
    output: Path
    settings: Settings
    sidecar: Path | None = None
    depth: Path | None = None


def plan_jobs(
    photos: list[Path],
    output: str | Path | None,
    sidecar: Sidecar,
    given: dict[str, Any],
    save_settings: bool = False,
    save_depth: bool = False,
) -> list[Job]:
    """Give every photo files of its own: the output, and a sidecar and depth map if asked for.

    Where two would have the same name, more of the photos' own paths goes into it. A photo that is
    the output of another one (`*.jpg` after a first run) is left out.

    output: a file (for one photo), a folder, or None for "beside the photo".

    Raises:
        UsageError: several photos and one output file, or an output that is the photo itself.
    """
    folder, file = _place(output, len(photos))
    chosen = [sidecar.settings_for(photo.name, given) for photo in photos]
    named = zip(photos, chosen, strict=True)
    targets = told_apart(photos, [_name(photo, folder, file, its) for photo, its in named])
    beside = [target.parent / photo.name for photo, target in zip(photos, targets, strict=True)]
    sidecars = told_apart(photos, [sidecar_path(place) for place in beside])
    depths = told_apart(photos, [place.with_name(f"{place.stem}.depth.png") for place in beside])
    made = {target.absolute() for target in targets}
    jobs = []
    for row in zip(photos, targets, chosen, sidecars, depths, strict=True):
        job = Job(*row[:3], row[3] if save_settings else None, row[4] if save_depth else None)
        if _same_file(job.output, job.photo):
            raise UsageError(f"The output would replace the photo {job.photo}; choose another -o.")
        if job.photo.absolute() not in made:
            jobs.append(job)
    return jobs


def told_apart(photos: list[Path], names: list[Path]) -> list[Path]:
    """Lengthen names that are the same, by more and more of their photos' own paths.

    Of cat.jpg and cat.png: cat.jpg.depth.png and cat.png.depth.png; of a/cat.jpg and b/cat.jpg:
    a.cat.jpg.depth.png and b.cat.jpg.depth.png. names: each begins with its photo's stem.
    """
    out, shared = list(names), [0] * len(names)
    paths = [photo.absolute().parts[1:] for photo in photos]
    for _ in range(max(map(len, paths), default=0)):
        taken = Counter(out)
        for i, (photo, name) in enumerate(zip(photos, names, strict=True)):
            if taken[out[i]] > 1:
                shared[i] += 1
                label = ".".join(paths[i][-shared[i] :])
                out[i] = fitted(name.with_name(label + name.name.removeprefix(photo.stem)))
    return [fitted(name) for name in out]


def _place(output: str | Path | None, count: int) -> tuple[Path | None, Path | None]:
    """Tell whether the output is a folder or a file; make the folder."""
    if output is None:
        return None, None
    if not str(output):
        raise UsageError("The name of the output is empty; is it a variable that is not set?")
    path = Path(os.path.expanduser(output))
    if path.is_dir():
        return path, None
    named_as_folder = str(output).endswith(("/", "\\"))
    if count == 1 and not named_as_folder and path.suffix:
        return None, path
    if count > 1 and (path.is_file() or (_is_picture_name(path) and not named_as_folder)):
        raise UsageError(
            f"{count} photos cannot all go into the file {path}; give a folder (a new one of such "
            "a name with / at its end)."
        )
    return make_folder(path), None


def _is_picture_name(path: Path) -> bool:
    return any(path.suffix.lower() in traits.suffixes for traits in FORMATS.values())


def _name(photo: Path, folder: Path | None, file: Path | None, settings: Settings) -> Path:
    return file or default_output(photo, folder=folder, format_=settings.format)


def _same_file(target: Path, photo: Path) -> bool:
    try:
        return target.samefile(photo)
    except OSError:
        return False
