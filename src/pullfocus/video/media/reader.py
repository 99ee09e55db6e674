"""Read a video: frames with their own timestamps, and everything else the file carries.

container -> packets -> frames of the first video stream     (other streams: see `copied`)
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from pullfocus.errors import TooLargeError, UnreadableInputError
from pullfocus.memory import free_bytes
from pullfocus.video.media.colour import UNSPECIFIED, ColourTags
from pullfocus.video.media.containers import open_container

MOST_FAILURES_IN_A_ROW = 200
"""Reading ends after this many refusals without a frame between them: the rest is no video."""

MOST_MEGAPIXELS = 100
"""Larger frames are refused unread: 8K has 33, the largest cameras have 80."""
_LARGE_MEGAPIXELS, _BYTES_PER_PIXEL = 10, 100
"""What a few frames on their way through the stages take; asked of the system for large ones."""
_LATEST_S, _LATEST_TICK = 1e9, (1 << 62)
"""FFmpeg counts ticks in 64 bits."""
_SAME_S = 1e-4
"""A time that was written in decimals is the frame's own up to this."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What the first video stream says about itself.

    size_hw: as stored, before the display matrix. time_base: seconds per tick of the timestamps.
    frames, duration_s: how many there are, how long they take; 0 where nobody knows. start_s: when
    the first one is shown. bit_depth: 8 to 16 per channel.
    matrix: the nine numbers of the display matrix, or None.
    """

    size_hw: tuple[int, int]
    time_base: Fraction
    rate: Fraction
    frames: int
    duration_s: float
    start_s: float
    pix_fmt: str
    bit_depth: int
    has_alpha: bool
    chroma: str
    tags: ColourTags
    aspect: Fraction | None
    matrix: tuple[int, ...] | None
    quarter_turns: int
    interlaced: bool


class VideoSource:
    """An open video; `frames()` may be read once, from start to end.

    Args:
        place: a file's path, or an open binary stream (a pipe).
        live: it can be read once only; packets of the other streams gather in `passing`.
        device: FFmpeg's name of the kind of camera that `place` is.

    broken: packets that could not be read or decoded so far. damaged: frames that the decoder had
        to patch up. notes: what of the file is neither this video nor copied, in words.

    Raises:
        UnreadableInputError: no such file, no video in it, not one frame in it.
    """

    def __init__(
        self, place: Path | BinaryIO, *, live: bool = False, device: str | None = None
    ) -> None:
        self.name = str(place) if isinstance(place, Path) else "stdin"
        self.broken = 0
        self.damaged = 0
        self.passing: deque[Any] = deque()
        self.container = open_container(place, self.name, device)
        self.stream = self._first_video()
        self.stream.thread_type = "AUTO"
        self.notes = [
            f"Stream {other.index}, another picture, is left out."
            for other in self.container.streams.video
            if other is not self.stream
        ]
        self._told_tags = _tags_of(self.stream.codec_context)  # decoders may forget them
        self._demuxed = [self.stream, *(self.copied(self.container) if live else [])]
        self._reading = self._decode()
        self._first = self._first_frame()
        self.info = _describe(self.container, self.stream, self._first, self._told_tags)

    def frames(self) -> Generator[Any]:
        """Yield the frames in order of time; what cannot be decoded is counted and left out."""
        step = max(1, round(1 / (self.info.rate * self.info.time_base)))
        last = -step if self._first.pts is None else self._first.pts - 1
        for frame in chain([self._first], self._reading):
            if frame.pts is None:  # bare streams carry no times
                frame.pts = last + step
            if frame.pts > last:
                last = frame.pts
                yield frame
            else:
                self.broken += 1  # a second frame for one instant: no player would show both
        self.notes += self._cut_short((last + step) * self.info.time_base)

    @staticmethod
    def copied(container: Any) -> list[Any]:
        """List the streams of an open container that are not the video."""
        return [stream for stream in container.streams if stream.type != "video"]

    def again(self) -> Any:
        """Open the file once more, for the streams that are copied; a context manager.

        Raises:
            UnreadableInputError: it has gone meanwhile.
        """
        return open_container(Path(self.name), self.name)

    def frame_at(self, time_s: float) -> Any:
        """Return the first frame at or after a time, else the last; without `frames`."""
        try:
            tick = int(min(time_s, _LATEST_S) / self.stream.time_base)
            self.container.seek(min(tick, _LATEST_TICK), stream=self.stream)
            frames: Iterator[Any] = self._decode()
        except av.FFmpegError:  # a bare stream, which is read from its start
            frames = chain([self._first], self._reading)
        found = self._first
        for frame in frames:
            found = frame
            if frame.time is not None and frame.time >= time_s - _SAME_S:
                break
        return found

    def end_s(self) -> float:
        """Read to the end, without decoding, and return when the last frame ends."""
        ticks = [
            packet.pts + (packet.duration or 0)
            for packet in self._packets()
            if packet is not None and packet.pts is not None
        ]
        return float(max(ticks, default=0) * self.stream.time_base)

    def close(self) -> None:
        """Close the file."""
        self._reading.close()
        self.container.close()

    def _cut_short(self, end_s: Fraction) -> list[str]:
        """Say that the frames end before the file says so; a tenth of a second may lack."""
        told_s = _told_duration_s(self.container, self.stream)
        reached_s = float(end_s) - self.info.start_s
        if told_s is None or reached_s > told_s - max(0.1, 3 / float(self.info.rate)):
            return []
        return [
            f"The video ends early: {reached_s:.2f} s of the {told_s:.2f} s that it says it has. "
            "The file is cut off or damaged; copy it again from its source."
        ]

    def _first_video(self) -> Any:
        pictures = av.stream.Disposition.attached_pic
        for stream in self.container.streams.video:
            if not stream.disposition & pictures:
                if stream.codec_context is None:
                    break
                self._check_size(stream.codec_context)
                return stream
        self.container.close()
        raise UnreadableInputError(f"{self.name} holds no video that can be decoded.")

    def _check_size(self, decoder: Any) -> None:
        """Refuse frames that are too large, now by the header and later by the decoder itself."""
        megapixels = decoder.width * decoder.height / 1e6
        free = free_bytes() if megapixels > _LARGE_MEGAPIXELS else None
        needed = megapixels * 1e6 * _BYTES_PER_PIXEL
        if megapixels > MOST_MEGAPIXELS or (free is not None and needed > free):
            self.container.close()
            raise TooLargeError(
                f"{self.name} says that its frames are {decoder.width} x {decoder.height} pixels, "
                f"and this machine can take {MOST_MEGAPIXELS} megapixels at most, or fewer if "
                "memory is short; make it smaller first."
            )
        decoder.options = {"max_pixels": str(int(MOST_MEGAPIXELS * 1e6))}

    def _first_frame(self) -> av.VideoFrame:
        for frame in self._reading:
            return frame
        self.container.close()
        raise UnreadableInputError(
            f"{self.name} holds not one frame that can be decoded; is the file complete?"
        )

    def _decode(self) -> Generator[Any]:
        failures = 0
        for packet in self._packets():
            try:
                frames = self.stream.decode(packet)
            except av.EOFError:
                return
            except av.FFmpegError:
                self.broken += 1
                failures += 1
                if failures > MOST_FAILURES_IN_A_ROW:
                    return
                continue
            for frame in frames:
                failures = 0
                self.damaged += frame.is_corrupt
                yield frame

    def _packets(self) -> Iterator[Any]:
        """Yield the video's packets and the end; a hole in the file does not end them."""
        for _ in range(MOST_FAILURES_IN_A_ROW):
            try:
                for packet in self.container.demux(self._demuxed):
                    if packet.stream is self.stream:
                        yield packet
                    elif packet.dts is not None:
                        self.passing.append(packet)
                return
            except av.FFmpegError:
                self.broken += 1
        yield None


def shrunk(info: VideoInfo, lines: int) -> VideoInfo:
    """Return what the video would say with its shorter side at most `lines`; even sides."""
    scale = lines / min(info.size_hw)
    if scale >= 1:
        return info
    h, w = (max(2, round(side * scale / 2) * 2) for side in info.size_hw)
    return replace(info, size_hw=(h, w))


def quarter_turns(matrix: tuple[int, ...] | None) -> int:
    """Return how often a stored frame is turned left by 90 degrees to stand upright, 0..3.

    Convention: numpy's `rot90(frame, turns)` gives the upright frame.
    """
    if matrix is None:
        return 0
    a, b = matrix[0], matrix[1]
    if abs(a) >= abs(b):
        return 0 if a >= 0 else 2
    return 3 if b > 0 else 1


def _describe(
    container: Any, stream: Any, frame: av.VideoFrame, told: tuple[int, ...]
) -> VideoInfo:
    matrix = _display_matrix(frame)
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    duration_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not duration_s and container.duration:
        duration_s = container.duration / av.time_base
    return VideoInfo(
        size_hw=(frame.height, frame.width),
        time_base=stream.time_base,
        rate=rate,
        frames=stream.frames or round(duration_s * rate),
        duration_s=duration_s,
        start_s=float((frame.pts or 0) * stream.time_base),
        pix_fmt=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        has_alpha=any(component.is_alpha for component in frame.format.components),
        chroma=_chroma(frame.format),
        tags=_tags(frame, told),
        aspect=stream.sample_aspect_ratio or None,
        matrix=matrix,
        quarter_turns=quarter_turns(matrix),
        interlaced=frame.interlaced_frame,
    )


def _told_duration_s(container: Any, stream: Any) -> float | None:
    """Return how long the file says its video is, None where that may be another stream's."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    tag = stream.metadata.get("DURATION", "")  # Matroska: 00:00:01.000000000
    if re.fullmatch(r"\d+:\d\d:\d\d(\.\d+)?", tag):
        h, m, s = tag.split(":")
        return int(h) * 3600 + int(m) * 60 + float(s)
    alone = len(container.streams) == 1 and container.duration
    return container.duration / av.time_base if alone else None


def _chroma(form: av.VideoFormat) -> str:
    """Name the sampling of colour: "420", "422" or "444"; RGB counts as 420, which all play."""
    if form.is_rgb or len(form.components) < 3 or form.has_palette:
        return "420"
    across, down = form.chroma_width(64), form.chroma_height(64)
    return {(32, 32): "420", (32, 64): "422"}.get((across, down), "444")


def _tags_of(carrier: Any) -> tuple[int, ...]:
    """Return primaries, transfer and matrix of a frame or a decoder."""
    return int(carrier.color_primaries), int(carrier.color_trc), int(carrier.colorspace)


def _tags(frame: av.VideoFrame, told: tuple[int, ...]) -> ColourTags:
    """Take the frame's own tags where it has some, else the container's."""
    primaries, transfer, matrix = (
        own if own != UNSPECIFIED else other
        for own, other in zip(_tags_of(frame), told, strict=True)
    )
    full = int(frame.color_range) == 2 or frame.format.name.startswith("yuvj")
    return ColourTags(primaries, transfer, matrix, full)


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    found: Any = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return None
    numbers = tuple(int(n) for n in np.frombuffer(found, np.int32))
    identity = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    return None if numbers == identity else numbers
