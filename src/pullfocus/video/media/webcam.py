"""Open a camera as a video source, where the system has one."""

from __future__ import annotations

import sys
from pathlib import Path

from pullfocus.errors import UnreadableInputError
from pullfocus.video.media.reader import VideoSource

KINDS = {"linux": ("v4l2", "/dev/video0"), "darwin": ("avfoundation", "0"), "win32": ("dshow", "")}
"""FFmpeg's kind of camera device on each system, and the name of the usual one."""


def open_webcam(name: str | None = None) -> VideoSource:
    """Open a camera by its device name (`/dev/video1`, `1`, `video=Integrated Camera`).

    Raises:
        UnreadableInputError: this machine has no such camera, or another program uses it.
    """
    kind, usual = KINDS.get(sys.platform, KINDS["linux"])
    device = name or usual
    if sys.platform == "linux" and not Path(device).exists():
        raise UnreadableInputError(
            f"There is no camera {device or 'here'}; plug one in, or name it: --webcam /dev/video1."
        )
    try:
        return VideoSource(Path(device), live=True, device=kind)
    except UnreadableInputError as problem:
        raise UnreadableInputError(
            f"The camera {device or '(none named)'} gives no picture: {problem} Is another program "
            "using it?"
        ) from None
