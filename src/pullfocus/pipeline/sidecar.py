"""The sidecar `photo.pullfocus.json`: settings and what was chosen, so that an edit replays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pullfocus.errors import CannotWriteError, UnreadableInputError
from pullfocus.pipeline.settings import Settings


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
        if not isinstance(version, int) or version > Settings.version:
            raise UnreadableInputError(
                f"This sidecar has version {version}, newer than {Settings.version}, which this "
                "pullfocus reads; update pullfocus."
            )
        settings = content.get("settings", content)
        if not isinstance(settings, Mapping):
            raise UnreadableInputError("A sidecar's 'settings' is a JSON object.")
        return cls(Settings.parse(settings), dict(content.get("record") or {}))


def read_sidecar(path: str | Path) -> Sidecar:
    """Read a sidecar file; a relative depth file in it is taken from the sidecar's own folder.

    Raises:
        UnreadableInputError: missing, no JSON, no sidecar.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sidecar = Sidecar.from_json(content)
    except OSError as problem:
        reason = problem.strerror or "it cannot be opened"
        raise UnreadableInputError(f"The settings file {path} cannot be read: {reason}.") from None
    except ValueError as problem:
        if isinstance(problem, json.JSONDecodeError | UnicodeDecodeError):
            raise UnreadableInputError(
                f"The settings file {path} is not JSON; write one with --save-settings."
            ) from None
        raise
    except UnreadableInputError as problem:
        raise UnreadableInputError(f"{path}: {problem}") from None
    depth_file = sidecar.settings.depth_file
    if depth_file and not Path(depth_file).is_absolute():
        found = str(path.parent / depth_file)
        return Sidecar(sidecar.settings.model_copy(update={"depth_file": found}), sidecar.record)
    return sidecar


def write_sidecar(sidecar: Sidecar, path: str | Path) -> None:
    """Write a sidecar file, through a temporary name.

    Raises:
        CannotWriteError: the folder is missing, full or closed to us.
    """
    path = Path(path)
    content = sidecar.to_json()
    depth_file = sidecar.settings.depth_file
    if depth_file:
        content["settings"]["depth_file"] = _portable(Path(depth_file), path.parent)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as problem:
        reason = problem.strerror or "unknown reason"
        raise CannotWriteError(f"The settings cannot be written to {path}: {reason}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def _portable(depth_file: Path, folder: Path) -> str:
    absolute, home = depth_file.resolve(), folder.resolve()
    if absolute.is_relative_to(home):
        return absolute.relative_to(home).as_posix()
    return str(absolute)
