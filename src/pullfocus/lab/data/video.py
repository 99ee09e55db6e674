"""Any video or folder of frames as short clips: what learning from unlabelled video reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.lab.data.origin import OWN, pictures
from pullfocus.lab.data.samples import Clip

UNKNOWN_INTRINSICS = np.full((3, 3), np.nan)


class FrameFolder(Sequence[Clip]):
    """Every run of ``count`` frames in a folder of consecutive pictures.

    Args:
        folder: pictures, in the order of their names. ``camera-intrinsics.txt`` or ``K.txt``
            (3x3) is read where it lies beside them.
        count: frames of a clip.
        step: a clip takes every step-th frame.
        frames_per_second: for `Clip.times_s`.

    Raises:
        UnreadableInputError: the folder is missing or holds fewer frames than a clip.
    """

    def __init__(
        self, folder: Path, count: int = 3, step: int = 1, frames_per_second: float = 30.0
    ) -> None:
        self._paths = pictures(folder)
        self._count, self._step, self._fps = count, step, frames_per_second
        self._intrinsics = _intrinsics(folder)
        _enough(len(self._paths), count, step, folder)

    def __len__(self) -> int:
        return len(self._paths) - (self._count - 1) * self._step

    def __getitem__(self, i: int) -> Clip:  # type: ignore[override]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        first = i % len(self)
        taken = self._paths[first : first + (self._count - 1) * self._step + 1 : self._step]
        frames = np.stack([OWN.rgb(path) for path in taken])
        times = np.arange(self._count) * self._step / self._fps
        return Clip(taken[0].stem, frames, times, self._intrinsics)


class VideoFile(Sequence[Clip]):
    """Every run of ``count`` frames in a video file, decoded with PyAV from the nearest key frame.

    Args:
        path: anything that FFmpeg can decode.
        count, step: as in `FrameFolder`.

    Raises:
        MissingModelError: PyAV is not installed.
        UnreadableInputError: no video, or fewer frames than a clip.
    """

    def __init__(self, path: Path, count: int = 3, step: int = 1) -> None:
        self._path, self._count, self._step = OWN.need(path), count, step
        self._times, self._stamps = _time_table(path)
        _enough(len(self._times), count, step, path)

    def __len__(self) -> int:
        return len(self._times) - (self._count - 1) * self._step

    def __getitem__(self, i: int) -> Clip:  # type: ignore[override]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        first = i % len(self)
        index = first + np.arange(self._count) * self._step
        frames = _decoded(self._path, [self._stamps[n] for n in index])
        times = self._times[index] - self._times[first]
        return Clip(f"{self._path.stem}-{first:06d}", frames, times, UNKNOWN_INTRINSICS)


def _enough(there: int, count: int, step: int, where: Path) -> None:
    if there < (count - 1) * step + 1:
        raise UnreadableInputError(
            f"{where} holds {there} frames, too few for clips of {count} with step {step}; "
            "give a longer video or shorter clips."
        )


def _intrinsics(folder: Path) -> np.ndarray:
    for name in ("camera-intrinsics.txt", "K.txt"):
        if (folder / name).exists():
            try:
                return np.loadtxt(folder / name).reshape(3, 3)
            except ValueError:
                raise OWN.damaged(folder / name, "not a 3x3 matrix") from None
    return UNKNOWN_INTRINSICS


def _open(path: Path):  # type: ignore[no-untyped-def]
    try:
        import av
    except ImportError:
        raise MissingModelError(
            f"{path} needs PyAV to be decoded; pip install av, or give a folder of frames."
        ) from None
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise UnreadableInputError(
            f"{path} is no video that FFmpeg can open ({error.strerror}); check the file."
        ) from None
    if not container.streams.video:
        raise UnreadableInputError(f"{path} holds no video stream; check the file.")
    return container


@lru_cache(maxsize=64)
def _time_table(path: Path) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the time in seconds and the stamp of every frame, without decoding."""
    with _open(path) as container:
        stream = container.streams.video[0]
        stamps = sorted(p.pts for p in container.demux(stream) if p.pts is not None and p.size)
        times = np.array(stamps, float) * float(stream.time_base)
    return times - (times[0] if len(times) else 0), tuple(stamps)


def _decoded(path: Path, stamps: list[int]) -> np.ndarray:
    """Return the frames with these stamps (rising), n h w 3."""
    wanted, found = set(stamps), []
    with _open(path) as container:
        stream = container.streams.video[0]
        container.seek(stamps[0], stream=stream)
        for frame in container.decode(stream):
            if frame.pts in wanted:
                found.append(frame.to_ndarray(format="rgb24"))
            if frame.pts is not None and frame.pts >= stamps[-1]:
                break
    if len(found) < len(stamps):
        raise UnreadableInputError(f"{path} ends early or is damaged; cut it anew.")
    return np.stack(found)
