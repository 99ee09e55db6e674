"""Plan a batch: which photo goes where, with which settings; nothing is opened yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullfocus.errors import UsageError
from pullfocus.photo.folder import make_folder
from pullfocus.pipeline import Settings, Sidecar, default_output, sidecar_path


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
    """Give every photo its output; photos whose outputs would collide keep their suffix in it.

    output: a file (for one photo), a folder, or None for "beside the photo".

    Raises:
        UsageError: several photos and one output file, or an output that is the photo itself.
    """
    folder, file = _place(output, len(photos))
    jobs = []
    names = [_name(photo, folder, file, sidecar.settings.changed(**given)) for photo in photos]
    used = Counter(names)
    for photo, name in zip(photos, names, strict=True):
        settings = _settings_for(photo, sidecar).changed(**given)
        target = name if used[name] == 1 else _with_suffix(photo, name)
        if _same_file(target, photo):
            raise UsageError(f"The output would replace the photo {photo}; choose another -o.")
        beside = target.parent / photo.name
        jobs.append(
            Job(
                photo,
                target,
                settings,
                sidecar_path(beside) if save_settings else None,
                beside.with_name(f"{photo.stem}.depth.png") if save_depth else None,
            )
        )
    return jobs


def _place(output: str | Path | None, count: int) -> tuple[Path | None, Path | None]:
    """Tell whether the output is a folder or a file; make the folder."""
    if output is None:
        return None, None
    if not str(output):
        raise UsageError("The name of the output is empty; is it a variable that is not set?")
    path = Path(output).expanduser()
    if path.is_dir():
        return path, None
    if count == 1 and not str(output).endswith(("/", "\\")) and path.suffix:
        return None, path
    if count > 1 and path.is_file():
        raise UsageError(f"{count} photos cannot all go into the file {path}; give a folder.")
    return make_folder(path), None


def _name(photo: Path, folder: Path | None, file: Path | None, settings: Settings) -> Path:
    return file or default_output(photo, folder=folder, format_=settings.format)


def _with_suffix(photo: Path, name: Path) -> Path:
    return name.with_name(f"{photo.name}.refocused{name.suffix}")


def _settings_for(photo: Path, sidecar: Sidecar) -> Settings:
    """Return the sidecar's settings; another photo than its own gets the focus anew."""
    recorded = sidecar.record.get("photo")
    if recorded is None or recorded == photo.name:
        return sidecar.settings
    return sidecar.settings.model_copy(update={"focus_disparity": None})


def _same_file(target: Path, photo: Path) -> bool:
    try:
        return target.samefile(photo)
    except OSError:
        return False
