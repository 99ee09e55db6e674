"""Write a video: the encoder with the source's clock and tags, and the streams that are copied."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av

from pullfocus.errors import CannotWriteError
from pullfocus.video.media.containers import file_url
from pullfocus.video.media.encoders import EncodingPlan
from pullfocus.video.media.reader import MOST_FAILURES_IN_A_ROW, VideoInfo

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_REFUSALS = (av.ArgumentError, av.InvalidDataError)
"""What a container says to a packet that it cannot hold; other errors are about the disk."""

NOTHING_COPIED = "No sound and no other streams are copied: what they say is damaged."


class DamagedCopyError(CannotWriteError):
    """Report that a container refuses a stream that is copied into it."""


class FrameEncoder:
    """The encoder of one stretch of frames; opened by the first frame, closed by `flush`."""

    def __init__(self, info: VideoInfo, plan: EncodingPlan) -> None:
        self._context: Any = av.CodecContext.create(plan.encoder.library, "w")
        configure(self._context, info, plan)
        self._durations: dict[int, int] = {}

    def encode(self, frame: Any) -> list[av.Packet]:
        """Encode a frame that carries its pts (in the source's ticks) and its duration."""
        if frame.duration:
            self._durations[frame.pts] = frame.duration
        return self._timed(self._context.encode(frame))

    def flush(self) -> list[av.Packet]:
        """Return what the encoder still holds."""
        return self._timed(self._context.encode(None))

    def _timed(self, packets: list[Any]) -> list[av.Packet]:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0) or packet.duration
        return packets


def configure(context: Any, info: VideoInfo, plan: EncodingPlan) -> None:
    """Give an encoder's context the size, clock, colour tags and options of the output."""
    h, w = info.size_hw
    context.width, context.height, context.pix_fmt = w, h, plan.pix_fmt
    context.time_base, context.framerate = info.time_base, info.rate
    context.options = dict(plan.options)
    context.thread_count = 0
    tags = info.tags
    context.color_primaries, context.color_trc = tags.primaries, tags.transfer
    context.colorspace = tags.matrix or tags.swscale_matrix(h)
    context.color_range = tags.range_code
    if info.aspect:
        context.sample_aspect_ratio = info.aspect
    if plan.encoder.tag and hasattr(context, "codec_tag"):
        context.codec_tag = plan.encoder.tag


class VideoSink:
    """An output container: one video stream, and copies of the source's other streams.

    Args:
        target: a file, or an open binary stream, which gets Matroska.
        copied: streams of the source; those that the container cannot hold are left out and named
            in `notes`.
        described: the source's container, for title and chapters.

    Raises:
        CannotWriteError: the file cannot be made.
    """

    def __init__(
        self,
        target: Path | BinaryIO,
        info: VideoInfo,
        plan: EncodingPlan,
        copied: Iterable[Any] = (),
        described: Any = None,
    ) -> None:
        self.notes: list[str] = []
        self.name = str(target) if isinstance(target, Path) else "stdout"
        self._last_dts: dict[int, int] = {}
        self._left_out: Counter[int] = Counter()
        others = list(copied)
        try:
            self._begin(target, info, plan, others, described)
        except _REFUSALS as problem:
            if not others:
                raise self._cannot_write(problem) from None
            self.notes = [NOTHING_COPIED]
            self._begin(target, info, plan, [], described)

    def _begin(
        self, target: Path | BinaryIO, info: VideoInfo, plan: EncodingPlan, copied: list[Any],
        described: Any,
    ) -> None:  # fmt: skip
        """Open the output and write its head."""
        self._container = self._open(target)
        if described is not None:
            self._describe_like(described)
        self._video = self._container.add_stream(plan.encoder.library, rate=info.rate)
        configure(self._video.codec_context, info, plan)
        self._video.time_base = info.time_base
        if info.matrix is not None:
            self._video.set_display_matrix(info.matrix)
        copies = {stream.index: self._copy_of(stream) for stream in copied}
        self._copies: dict[int, Any] = copies
        try:
            self._container.start_encoding()
        except _REFUSALS:
            with contextlib.suppress(av.FFmpegError):
                self._container.close()
            raise
        except (av.FFmpegError, OSError) as problem:
            raise self._cannot_write(problem) from None

    def mux(self, packet: av.Packet) -> None:
        """Write a packet: of a copied stream bit for bit, or of the video when it has no stream."""
        stream = self._video if packet.stream is None else self._copies.get(packet.stream_index)
        if stream is None or packet.dts is None:
            return
        is_copy, number = packet.stream is not None, packet.stream_index
        if is_copy and not self._goes_on(packet):
            self._left_out[number] += 1
            return
        packet.stream = stream
        try:
            self._container.mux(packet)
        except (av.FFmpegError, OSError) as problem:
            if not (is_copy and isinstance(problem, _REFUSALS)):
                raise self._cannot_write(problem) from None
            self._left_out[number] += 1

    def mux_all(self, packets: Iterable[av.Packet]) -> None:
        """Write packets of the video, fresh from the encoder."""
        for packet in packets:
            self.mux(packet)

    def close(self) -> None:
        """Write the end of the file, and note what of the copied streams it does not hold.

        Raises:
            CannotWriteError: the disk is full, or the pipe has gone.
            DamagedCopyError: the container refuses what is copied, when all is done.
        """
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as problem:
            if isinstance(problem, _REFUSALS) and any(self._copies.values()):
                raise DamagedCopyError(
                    f"The video {self.name} cannot be finished: its container refuses the sound or "
                    "another copied stream, which is damaged; remove that from the video first."
                ) from None
            raise self._cannot_write(problem) from None
        self.notes += [
            f"{count} damaged packet{'s' if count > 1 else ''} of stream {number} "
            f"({self._copies[number].type}) could not be copied."
            for number, count in sorted(self._left_out.items())
        ]
        self._left_out.clear()

    def _goes_on(self, packet: Any) -> bool:
        """Tell whether a copied packet does not go back in time: no container takes that."""
        last = self._last_dts.get(packet.stream_index)
        if last is not None and packet.dts < last:
            return False
        if packet.pts is not None and packet.pts < packet.dts:
            return False
        self._last_dts[packet.stream_index] = packet.dts
        return True

    def _open(self, target: Path | BinaryIO) -> Any:
        try:
            if isinstance(target, Path):
                return av.open(file_url(target), "w", format=FORMATS[_kind(target)])
            return av.open(target, "w", format="matroska")
        except (av.FFmpegError, OSError) as problem:
            raise self._cannot_write(problem) from None

    def _describe_like(self, source: Any) -> None:
        keys = ("major_brand", "minor_version", "compatible_brands", "encoder")
        told = {k: v for k, v in source.metadata.items() if k.lower() not in keys}
        self._container.metadata.update(told)
        self._container.set_chapters(source.chapters())

    def _copy_of(self, stream: Any) -> Any | None:
        codec = stream.codec_context.name if stream.codec_context else None
        if codec is None or codec not in self._container.supported_codecs:
            words = f"{stream.type} ({codec or 'unknown kind'})"
            self.notes.append(f"This container holds no {words}: stream {stream.index} left out.")
            return None
        if stream.type == "audio" and not (stream.sample_rate and stream.channels):
            self.notes.append(f"Sound without a sample rate: stream {stream.index} left out.")
            return None
        copy = self._container.add_stream_from_template(stream, opaque=True)
        copy.metadata.update(stream.metadata)
        copy.disposition = stream.disposition
        return copy

    def _cannot_write(self, problem: Exception) -> CannotWriteError:
        reason = (getattr(problem, "strerror", None) or str(problem)).rstrip(".").lower()
        what_to_try = "choose another folder or free some space"
        if isinstance(problem, _REFUSALS):
            what_to_try = "its container takes no such video; try another, such as -o NAME.mkv"
        return CannotWriteError(
            f"The video {self.name} cannot be written ({reason}); {what_to_try}."
        )


def _kind(target: Path) -> str:
    """Return the suffix that says what container it is; `clip.mp4.part` is a .mp4."""
    return next(s.lower() for s in reversed(target.suffixes) if s.lower() in FORMATS)


def _begins_s(packet: av.Packet) -> Fraction:
    """Return when a packet begins; those that are not reordered may lack a decoding time."""
    if packet.dts is None:
        packet.dts = packet.pts
    return Fraction(packet.dts or 0) * packet.time_base


def packets_until(
    container: Any, streams: list[Any], end_s: Fraction | None
) -> Iterator[av.Packet]:
    """Yield the packets of `streams` that begin before `end_s`; a hole in the file is passed."""
    if not streams:
        return
    failures = 0
    while failures < MOST_FAILURES_IN_A_ROW:
        try:
            for packet in container.demux(streams):
                if packet.size and packet.pts is not None:
                    begins_s = _begins_s(packet)
                    if end_s is None or begins_s < end_s:
                        yield packet
            return
        except av.FFmpegError:
            failures += 1
