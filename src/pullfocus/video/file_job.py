"""Pull focus in a video file: encode parts that stand alone, then join them with what is copied."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from heapq import merge
from itertools import chain, islice
from typing import Any

from pullfocus.files import make_private
from pullfocus.video.frame_pipeline import FrameLine, Told
from pullfocus.video.job import VideoJob, VideoReport
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.media.resume import Parts
from pullfocus.video.media.writer import (
    NOTHING_COPIED,
    DamagedCopyError,
    FrameEncoder,
    VideoSink,
    packets_until,
)

PART_FRAMES = 250
"""Frames of one part: at most so many are lost when the process is killed."""
STOPPED_EARLY = "It was stopped while it looked at the clip first: nothing new is written."


def pull_focus(
    job: VideoJob, *, stop: threading.Event | None = None, told: Told = lambda *_: None
) -> VideoReport:
    """Refocus a video file; frames keep their timestamps, other streams are copied.

    stop: when it is set, the run ends after the frame at hand, and the output holds what is done.

    Raises:
        PullfocusError: see the tree in `pullfocus.errors`.
    """
    job.check()
    stop = stop or threading.Event()
    with (
        closing(VideoSource(job.video)) as source,
        closing(FrameLine(source, job.options, job.output.suffix)) as line,
    ):
        if job.options.two_pass:
            with closing(VideoSource(job.video)) as first:
                line.survey(first, stop, told)
            if stop.is_set():
                return VideoReport(str(job.output), stopped=True, notes=[STOPPED_EARLY])
        parts = Parts(job.parts_folder, _fingerprint(job, line))
        frames = _encode_parts(line, parts, parts.begin(job.resume), stop, told)
        report = VideoReport(
            str(job.output), frames, stop.is_set(), parts.end_s(line.info.time_base)
        )
        end_s = parts.end() * line.info.time_base if report.stopped else None
        lost = [*line.plan.notes, *source.notes, *_join(parts, job, source, line, end_s)]
        report.notes = [*lost, *line.puller.events]
        report.broken, report.damaged = source.broken, source.damaged
        report.busy_s = line.clock.busy_s
    if not report.stopped:
        parts.remove()
    return report


def _fingerprint(job: VideoJob, line: FrameLine) -> dict[str, Any]:
    state = job.video.stat()
    return {
        "video": [str(job.video.resolve()), state.st_size, state.st_mtime_ns],
        "options": job.options.to_json(),
        "encoder": [line.plan.encoder.library, line.plan.pix_fmt, line.plan.options],
    }


def _encode_parts(
    line: FrameLine, parts: Parts, done: int, stop: threading.Event, told: Told
) -> int:
    """Encode the frames after the first `done` into parts; return how many there are now."""
    with closing(line.frames(skip=done)) as frames:  # type: ignore[type-var]
        for stretch in _stretches(frames, PART_FRAMES):
            part, encoder = parts.new_part(), FrameEncoder(line.info, line.plan)
            for frame in stretch:
                with line.clock.time("encode"):
                    part.write(encoder.encode(line.encodable(frame)))
                done += 1
                told(done, line.info.frames)
                if stop.is_set():
                    break
            with line.clock.time("encode"):
                part.write(encoder.flush())
            part.finish()
            if stop.is_set():
                break
    return done


def _stretches(frames: Iterator[Any], length: int) -> Iterator[Iterator[Any]]:
    """Cut an iterator into iterators of `length`, each to be used up before the next."""
    for first in frames:
        yield chain([first], islice(frames, length - 1))


def _join(
    parts: Parts, job: VideoJob, source: VideoSource, line: FrameLine, end_s: Fraction | None
) -> list[str]:
    """Write parts and copied streams into the output, whole or not at all; return notes.

    end_s: where the copied streams end, too; None leaves them as long as they are. Damaged ones
        are left out: they must not cost the frames that were made.
    """
    with source.again() as container:
        streams = source.copied(container)
        try:
            return _joined(parts, job, line, container, streams, end_s)
        except DamagedCopyError:
            return [*_joined(parts, job, line, container, [], end_s), NOTHING_COPIED]


def _joined(
    parts: Parts,
    job: VideoJob,
    line: FrameLine,
    container: Any,
    streams: list[Any],
    end_s: Fraction | None,
) -> list[str]:
    made = parts.folder / f"joined{job.output.suffix}"
    time_base = line.info.time_base
    sink = VideoSink(made, line.info, line.plan, streams, container)
    copies = packets_until(container, streams, end_s)
    for packet in merge(parts.packets(time_base), copies, key=_decoding_time):
        sink.mux(packet)
    sink.close()
    make_private(made, job.video, job.output)
    made.replace(job.output)
    return sink.notes


def _decoding_time(packet: Any) -> Any:
    return packet.dts * packet.time_base
