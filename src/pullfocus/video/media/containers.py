"""Open a video container by name, and nothing that it refers to.

Playlists (m3u8, ffconcat, MPD, SDP) are containers to FFmpeg: it would open every file and address
that they name, and put its pictures into the output. Only containers that hold their own frames
are opened, only through the protocol `file`, and what a file is called decides nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import av

from pullfocus.errors import UnreadableInputError

DEMUXERS = (
    "mov", "matroska", "webm", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "h261", "h263", "h264",
    "hevc", "vvc", "av1", "obu", "ivf", "ogg", "flv", "live_flv", "asf", "mxf", "gxf", "lxf", "nut",
    "rm", "wtv", "dv", "gif", "apng", "yuv4mpegpipe", "mjpeg", "mpjpeg", "vc1", "vc1test", "dirac",
    "cavsvideo", "avs2", "avs3", "evc", "r3d", "dnxhd", "pva", "nsv", "flic", "bink", "smk",
)  # fmt: skip
"""FFmpeg's demuxers that hold their frames themselves; all others are refused."""

OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)}
_HEAD_BYTES = 4096
_TEXT = bytes({*range(0x20, 0x7F), *range(0x80, 0x100), *b"\t\n\r\f\x1b"})
_Y4M = b"YUV4MPEG2 "
_MAGIC = (
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"), (4, b"moov", "mov"), (4, b"mdat", "mov"), (4, b"free", "mov"),
    (4, b"skip", "mov"), (4, b"wide", "mov"),
    (8, b"AVI ", "avi"),
    (0, b"OggS", "ogg"),
    (0, b"FLV\1", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", "mxf"),
    (0, b"\0\0\1\xba", "mpeg"),
    (0, b"\0\0\1\xb3", "mpegvideo"),
    (0, b"nut/multimedia container\0", "nut"),
    (0, b"DKIF", "ivf"),
    (0, b".RMF", "rm"),
    (0, b"GIF8", "gif"),
    (0, _Y4M, "yuv4mpegpipe"),
)  # fmt: skip
_LISTS = (
    (b"#EXTM3U", "an m3u8 playlist"),
    (b"ffconcat version", "a list of files for FFmpeg's concat"),
    (b"<MPD", "a DASH manifest"),
    (b"v=0", "an SDP session description"),
)


def open_container(place: Path | BinaryIO, name: str, device: str | None = None) -> Any:
    """Open a file, a pipe or a camera for reading; a context manager of PyAV.

    Args:
        place: a file's path, or an open binary stream.
        name: what people call it.
        device: FFmpeg's name of the kind of camera that `place` is.

    Raises:
        UnreadableInputError: no such file, or none that holds a video by itself.
    """
    try:
        if device is not None:
            return av.open(str(place), format=device)
        if not isinstance(place, Path):
            return av.open(place, options=OPTIONS)
        return av.open(file_url(place), format=_demuxer(place, name), options=OPTIONS)
    except (av.FFmpegError, ValueError, OSError) as problem:
        reason = (getattr(problem, "strerror", None) or str(problem)).rstrip(".").lower()
        raise UnreadableInputError(
            f"{name} is not a video that can be read ({reason}); "
            "is it complete, and does it play elsewhere?"
        ) from None


def file_url(path: Path) -> str:
    """Return a path as FFmpeg takes it as a path: a file may be called `tcp:x.mp4` or `pipe:`."""
    return f"file:{path}"


def _demuxer(path: Path, name: str) -> str | None:
    """Choose the demuxer by a file's first bytes; None where FFmpeg must probe further."""
    if not path.is_file():
        raise UnreadableInputError(f"There is no video {name}; check the name.")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise UnreadableInputError(f"{name} is empty (0 bytes); copy it again.")
    for at, magic, demuxer in _MAGIC:
        if head.startswith(magic, at):
            return demuxer
    if head[:1] == b"G" == head[188:189] == head[376:377]:
        return "mpegts"
    if not head.translate(None, _TEXT):
        kind = next((words for mark, words in _LISTS if mark in head), "text")
        raise UnreadableInputError(
            f"{name} is not a video but {kind}; give the video itself: files and addresses that "
            "another file names are never opened."
        )
    return None
