"""One video to do, and what became of it."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.focus.script import FOUND, FocusScript
from pullfocus.pipeline import Settings, fitted


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """How the frames are made.

    script: the focus decisions.
    every: depth is estimated on every n-th frame. two_pass: the whole clip is looked at first.
    fine: the blur is computed at full size. preview: at most `preview_lines` lines, and everything
        that costs time made cheaper.
    codec, quality: of the encoder; quality on its own scale.
    """

    settings: Settings = field(default_factory=Settings)
    script: FocusScript = FOUND
    every: int = 4
    two_pass: bool = False
    fine: bool = False
    preview: bool = False
    preview_lines: int = 540
    codec: str | None = None
    quality: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return everything that decides what frames look like, for comparing two runs."""
        rest = {key: value for key, value in asdict(self).items() if key not in _MODELS}
        script = self.script.model_dump(mode="json")
        return rest | {"settings": self.settings.model_dump(mode="json"), "script": script}


_MODELS = ("settings", "script")


@dataclass(frozen=True, slots=True)
class VideoJob:
    """A video file, where it goes, and how. resume: go on with the parts of an earlier run."""

    video: Path
    output: Path
    options: FrameOptions = field(default_factory=FrameOptions)
    overwrite: bool = False
    resume: bool = False

    @property
    def parts_folder(self) -> Path:
        """Where the encoded parts wait until the output is written."""
        return fitted(self.output.with_name(f".{self.output.name}.parts"))

    def check(self) -> None:
        """Refuse to write over the video itself, or over what is there.

        Raises:
            UsageError, CannotWriteError: in one sentence.
        """
        output, video = self.output, self.video
        there = os.path.exists(output)  # pathlib's own fails where a name is too long
        if there and video.exists() and output.samefile(video):
            raise UsageError(f"The output would replace the video {video}; choose another -o.")
        if not output.parent.is_dir():
            raise CannotWriteError(f"There is no folder {output.parent}; make it first.")
        goes_on = self.resume and self.parts_folder.is_dir()
        if there and not self.overwrite and not goes_on:
            raise CannotWriteError(
                f"{output} is already there; add --overwrite, or choose another name with -o."
            )


@dataclass(slots=True)
class VideoReport:
    """What became of a video.

    stopped: ended early, on request. end_s: the video's time after the last frame.
    broken: packets that could not be decoded. damaged: frames that the decoder patched up.
    notes: what people should know. busy_s: seconds that each stage worked, by its name.
    """

    output: str
    frames: int = 0
    stopped: bool = False
    end_s: float = 0.0
    broken: int = 0
    damaged: int = 0
    notes: list[str] = field(default_factory=list)
    busy_s: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it."""
        return asdict(self)
