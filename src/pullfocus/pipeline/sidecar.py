"""The sidecar `photo.pullfocus.json`: settings and what was chosen, so that an edit replays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.files import write_whole
from pullfocus.json_files import read_json
from pullfocus.pipeline.settings import FOCUS_FIELDS, Settings

WISHES = FOCUS_FIELDS - {"focus_disparity"}
DEPTH_FIELDS = frozenset({"depth_file", "depth_near", "depth_unit", "depth_scale", "model"})


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Settings with the focus resolved, and a record for people of how it came about.

    settings: `focus_disparity` is filled in, so that the same photo gives the same pixels.
    record: photo, size, focus, depth source, licence and resolved lens; never read back.
    """

    settings: Settings
    record: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what is written to the file."""
        from pullfocus import __version__

        return {
            "pullfocus": __version__,
            "sidecar_version": Settings.version,
            "settings": self.settings.model_dump(mode="json"),
            "record": self.record,
        }

    def settings_for(self, photo: str | None, given: Mapping[str, Any]) -> Settings:
        """Return the settings for a photo, with other values for what is `given`.

        The recorded plane is this photo's with this depth. Another photo gets its focus anew, and
        with another depth map or model the wish behind the plane (a point, a subject, a distance)
        is followed anew. photo: its file's name, None where it has none.

        Raises:
            UsageError: a key or value that is none.
        """
        kept, own = self.settings, self.record.get("photo")
        is_other = photo is not None and own is not None and photo != own
        other_depth = any(given[k] != getattr(kept, k) for k in DEPTH_FIELDS & given.keys())
        wished = any(getattr(kept, wish) is not None for wish in WISHES)
        if is_other or (other_depth and wished):
            kept = kept.model_copy(update={"focus_disparity": None})
        return kept.changed(**given)

    @classmethod
    def from_json(cls, content: Any) -> Sidecar:
        """Read what `to_json` gave, or a bare mapping of settings.

        Raises:
            UnreadableInputError: not a sidecar, or one of a newer version.
            UsageError: a setting that is none.
        """
        if not isinstance(content, Mapping):
            raise UnreadableInputError("A sidecar is a JSON object with 'settings'.")
        version = content.get("sidecar_version", Settings.version)
        if not isinstance(version, int):
            raise UnreadableInputError("A sidecar's 'sidecar_version' is a whole number.")
        if version > Settings.version:
            raise UnreadableInputError(
                f"This sidecar has version {version}, newer than {Settings.version}, which this "
                "pullfocus reads; update pullfocus."
            )
        settings = content.get("settings", content)
        if not isinstance(settings, Mapping):
            raise UnreadableInputError("A sidecar's 'settings' is a JSON object.")
        record = content.get("record") or {}
        if not isinstance(record, Mapping):
            raise UnreadableInputError("A sidecar's 'record' is a JSON object.")
        return cls(Settings.parse(settings), dict(record))


def read_sidecar(path: str | Path) -> Sidecar:
    """Read a sidecar file; the names of files in it are taken from the sidecar's own folder.

    Raises:
        UnreadableInputError: missing, no JSON, no sidecar.
        UsageError: a setting that is none.
    """
    path = Path(path)
    content = read_json(path, "The settings file", "write one with --save-settings")
    try:
        sidecar = Sidecar.from_json(content)
    except (UnreadableInputError, UsageError) as problem:
        raise type(problem)(f"{path}: {problem}") from None
    found = {name: str(path.parent / there) for name, there in _files(sidecar, path.parent).items()}
    return Sidecar(sidecar.settings.model_copy(update=found), sidecar.record)


def write_sidecar(sidecar: Sidecar, path: str | Path, *, like: Path | None = None) -> None:
    """Write a sidecar file, whole or not at all, as private as the photo `like`.

    Raises:
        CannotWriteError: the folder is missing, full or closed to us.
    """
    path = Path(path)
    content = sidecar.to_json()
    for name, file in _files(sidecar, Path()).items():
        content["settings"][name] = _portable(Path(file), path.parent)
    write_whole(path, f"{json.dumps(content, indent=2)}\n".encode(), like=like)


def _files(sidecar: Sidecar, folder: Path) -> dict[str, str]:
    """Return the settings that name files: the depth map, and a model that lies in `folder`."""
    depth_file, model = sidecar.settings.depth_file, sidecar.settings.model
    found = {"depth_file": depth_file} if depth_file else {}
    if model:
        place = folder / os.path.expanduser(model)
        if (place.suffix == ".onnx" and place.is_file()) or (place / "config.json").is_file():
            found["model"] = os.path.expanduser(model)
    return found


def _portable(file: Path, folder: Path) -> str:
    absolute, home = file.resolve(), folder.resolve()
    if absolute.is_relative_to(home):
        return absolute.relative_to(home).as_posix()
    return str(absolute)
