"""Pull focus in a stream: from a pipe or a camera, or into a pipe; nothing can be read twice."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from pullfocus.errors import UsageError
from pullfocus.video.frame_pipeline import FrameLine, Told
from pullfocus.video.job import FrameOptions, VideoReport
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.media.writer import FrameEncoder, VideoSink


def pull_focus_live(
    source: VideoSource,
    target: Path | BinaryIO,
    options: FrameOptions,
    *,
    stop: threading.Event | None = None,
    told: Told = lambda *_: None,
) -> VideoReport:
    """Refocus an open source frame by frame into a file or a pipe (Matroska).

    Audio and subtitles pass by beside the frames. There is no going on with it later.

    Raises:
        UsageError: two passes are asked of what passes once.
        PullfocusError: see the tree in `pullfocus.errors`.
    """
    if options.two_pass:
        raise UsageError(
            "A stream passes only once; --two-pass needs a video file and a file to write."
        )
    suffix = target.suffix if isinstance(target, Path) else ".mkv"
    line = FrameLine(source, options, suffix)
    report = VideoReport(str(target) if isinstance(target, Path) else "-")
    streams = source.copied(source.container)
    sink = VideoSink(target, line.info, line.plan, streams, source.container)
    encoder = FrameEncoder(line.info, line.plan)
    with closing(sink), closing(line.frames()) as frames:  # type: ignore[type-var]
        for frame in frames:
            with line.clock.time("encode"):
                sink.mux_all(encoder.encode(line.encodable(frame)))
            while source.passing:
                sink.mux(source.passing.popleft())
            report.frames += 1
            report.end_s = frame.time_s
            told(report.frames, line.info.frames)
            if stop is not None and stop.is_set():
                report.stopped = True
                break
        sink.mux_all(encoder.flush())
    report.notes = [*line.plan.notes, *source.notes, *sink.notes, *line.puller.events]
    report.broken, report.damaged = source.broken, source.damaged
    report.busy_s = line.clock.busy_s
    return report
