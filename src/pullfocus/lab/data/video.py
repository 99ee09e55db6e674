"""Any video or folder of frames as short clips: what learning from unlabelled video reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.lab.data.dataset_files import OWN, Origin, pictures
from pullfocus.lab.data.samples import Clip

UNKNOWN_INTRINSICS = np.full((3, 3), np.nan)


@dataclass(frozen=True, eq=False)
class Run:
    """Consecutive pictures of one camera, in order.

    Attributes:
        intrinsics: 3x3, pixel centres at +0.5; NaN where unknown.
        poses: n 4 4 camera to world, or None.
    """

    name: str
    paths: Sequence[Path]
    intrinsics: np.ndarray
    frames_per_second: float
    poses: np.ndarray | None = None


class FrameRuns(Sequence[Clip]):
    """Every window of ``count`` frames of every run, read when it is asked for.

    Args:
        runs: where the frames lie; runs that are too short give nothing.
        count: frames of a clip.
        step: a clip takes every step-th frame.
        origin: where the set comes from, for errors.

    Raises:
        UnreadableInputError: not one run is long enough, or a file is damaged.
    """

    def __init__(
        self, runs: Sequence[Run], count: int = 3, step: int = 1, origin: Origin = OWN
    ) -> None:
        self._runs, self._count, self._step, self._origin = runs, count, step, origin
        span = (count - 1) * step
        self._ends = np.cumsum([max(0, len(run.paths) - span) for run in runs])
        if not len(self):
            where = runs[0].paths[0].parent if runs and runs[0].paths else "The set"
            raise _too_short(where, max((len(r.paths) for r in runs), default=0), count, step)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, i: int) -> Clip:  # type: ignore[override]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        number = int(np.searchsorted(self._ends, i, side="right"))
        run = self._runs[number]
        first = i - (int(self._ends[number - 1]) if number else 0)
        index = first + np.arange(self._count) * self._step
        frames = np.stack([self._origin.rgb(run.paths[n]) for n in index.tolist()])
        times = (index - first) / run.frames_per_second
        poses = None if run.poses is None else run.poses[index]
        return Clip(f"{run.name}/{run.paths[first].stem}", frames, times, run.intrinsics, poses)


class FrameFolder(FrameRuns):
    """Every run of ``count`` frames in a folder of consecutive pictures.

    Args:
        folder: pictures, in the order of their names. ``camera-intrinsics.txt`` or ``K.txt``
            (3x3) is read where it lies beside them.
        count, step: as in `FrameRuns`.
        frames_per_second: for `Clip.times_s`.

    Raises:
        UnreadableInputError: the folder is missing or holds fewer frames than a clip.
    """

    def __init__(
        self, folder: Path, count: int = 3, step: int = 1, frames_per_second: float = 30.0
    ) -> None:
        run = Run(folder.name, pictures(folder), intrinsics_beside(folder), frames_per_second)
        super().__init__([run], count, step)


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
        if len(self) < 1:
            raise _too_short(path, len(self._times), count, step)

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


def _too_short(where: object, there: int, count: int, step: int) -> UnreadableInputError:
    return UnreadableInputError(
        f"{where} holds {there} frames, too few for clips of {count} with step {step}; "
        "give a longer video or shorter clips."
    )


def intrinsics_beside(folder: Path) -> np.ndarray:
    """Return the 3x3 matrix in ``camera-intrinsics.txt`` or ``K.txt``, NaN without either.

    Raises:
        UnreadableInputError: the file holds no 3x3 matrix.
    """
    for name in ("camera-intrinsics.txt", "K.txt"):
        if (folder / name).exists():
            return matrix_file(folder / name, (3, 3))
    return UNKNOWN_INTRINSICS


def matrix_file(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of a text file in a shape.

    Raises:
        UnreadableInputError: it does not hold that many numbers.
    """
    try:
        return np.loadtxt(path).reshape(shape)
    except ValueError:
        raise OWN.damaged(path, f"not numbers for a matrix of shape {shape}") from None


def _open(path: Path) -> Any:
    try:
        import av
    except ImportError:
        raise MissingModelError(
            f"{path} needs PyAV to be decoded; pip install av, or give a folder of frames."
        ) from None
    from pullfocus.video.media.containers import OPTIONS, file_url

    try:
        container = av.open(file_url(path), options=OPTIONS)
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
