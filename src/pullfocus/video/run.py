"""Pull focus in a video: the straight line over its frames, in a few threads, in constant memory.

decode | depth, focus | render | encode -> parts -> join with the copied streams -> output
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt8

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.lens import resolve_lens
from pullfocus.pipeline import Settings, make_lens
from pullfocus.types import DepthMap, Focus, Lens
from pullfocus.video.codecs import EncodingPlan, plan_encoding
from pullfocus.video.colour import preview_rgb8, tone_curve_of
from pullfocus.video.convert import FrameConverter
from pullfocus.video.depth_frames import EachFrame, FrameDepth
from pullfocus.video.focus_frames import HeldPoint
from pullfocus.video.parts import Parts
from pullfocus.video.picture import FrameRenderer
from pullfocus.video.sink import FrameEncoder, VideoSink, packets_until
from pullfocus.video.source import VideoSource
from pullfocus.video.stages import StageClock, run_ahead

PART_FRAMES = 250
"""Frames of one part: at most so many are lost when the process is killed."""
LOOK_LONG_SIDE_PX = 640
"""Longer side of the picture that depth and trackers look at."""


@dataclass(frozen=True, slots=True)
class VideoJob:
    """One video to do: where it is, where it goes, and how.

    quality: of the encoder, on its own scale. resume: go on with the parts of an earlier run.
    """

    video: Path
    output: Path
    settings: Settings = field(default_factory=Settings)
    codec: str | None = None
    quality: int | None = None
    overwrite: bool = False
    resume: bool = False


@dataclass(slots=True)
class VideoReport:
    """What became of a video.

    stopped: ended early, on request. busy_s: seconds that each stage worked, by its name.
    """

    output: Path
    frames: int = 0
    stopped: bool = False
    broken: int = 0
    damaged: int = 0
    notes: list[str] = field(default_factory=list)
    busy_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class FrameAtWork:
    """One frame between two stages."""

    number: int
    pts: int
    duration: int
    time_s: float
    codes: Shaped[np.ndarray, "h w c"]
    rgb: UInt8[np.ndarray, "a b 3"]
    disparity: Float32[np.ndarray, "c d"] | None = None
    focus: Focus | None = None


Told = Callable[[int, int], None]
"""Called after each frame with how many are done and how many there are (0: nobody knows)."""


def pull_focus(
    job: VideoJob, *, stop: threading.Event | None = None, told: Told = lambda *_: None
) -> VideoReport:
    """Refocus a video file; frames keep their timestamps, other streams are copied.

    stop: when it is set, the run ends after the frame at hand, and the output holds what is done.

    Raises:
        PullfocusError: see the tree in `pullfocus.errors`.
    """
    check_output(job)
    source = VideoSource(job.video)
    with closing(source):
        plan = plan_encoding(source.info, job.output.suffix, job.codec, job.quality)
        line = FrameLine(source, job.settings, plan)
        parts = Parts(job.output, fingerprint(job, plan))
        done = parts.begin(job.resume)
        report = VideoReport(job.output, notes=list(plan.notes))
        report.frames, report.stopped = _encode_parts(line, parts, done, stop, told)
        report.broken, report.damaged = source.broken, source.damaged
        report.busy_s = line.clock.busy_s
        if report.frames:
            report.notes += _join(parts, job, source, plan)
    if not report.stopped:
        parts.remove()
    return report


class FrameLine:
    """The stages between a source and an encoder, each a thread of its own."""

    def __init__(self, source: VideoSource, settings: Settings, plan: EncodingPlan) -> None:
        from pullfocus.depth import open_estimator

        self.source, self.settings, self.plan = source, settings, plan
        self.clock = StageClock()
        self.converter = FrameConverter(source.info, plan.pix_fmt)
        self._renderer = FrameRenderer(tone_curve_of(source.info.tags), settings.refine)
        self._depth: FrameDepth = EachFrame(open_estimator(settings.model))
        self._puller = HeldPoint(settings.at or (0.5, 0.5))
        self._lens: Lens | None = None

    def frames(self, skip: int = 0) -> Iterator[FrameAtWork]:
        """Yield rendered frames; the first `skip` are looked at only, as depth remembers them."""
        read = run_ahead(self._read(), "read")
        looked = run_ahead(self._look(read), "depth")
        return run_ahead(self._render(looked, skip), "render")

    def _read(self) -> Iterator[FrameAtWork]:
        info = self.source.info
        frames = self.source.frames()
        number = 0
        while True:
            with self.clock.time("decode"):
                frame = next(frames, None)
                if frame is None:
                    return
                codes = self.converter.to_codes(frame)
                rgb = preview_rgb8(codes, info.tags, LOOK_LONG_SIDE_PX)
            time_s = float(frame.pts * info.time_base)
            yield FrameAtWork(number, frame.pts, frame.duration or 0, time_s, codes, rgb)
            number += 1

    def _look(self, frames: Iterator[FrameAtWork]) -> Iterator[FrameAtWork]:
        with closing(frames):  # type: ignore[type-var]
            for frame in frames:
                with self.clock.time("depth"):
                    disparity = self._depth.push(frame.rgb, frame.time_s)
                    focus = self._puller.focus(frame.rgb, disparity, frame.time_s, self._depth.cut)
                yield replace(frame, disparity=disparity, focus=focus)

    def _render(self, frames: Iterator[FrameAtWork], skip: int) -> Iterator[FrameAtWork]:
        with closing(frames):  # type: ignore[type-var]
            for frame in frames:
                if frame.number < skip or frame.disparity is None or frame.focus is None:
                    continue
                with self.clock.time("render"):
                    lens = self._lens_for(frame.disparity)
                    codes = self._renderer.render(frame.codes, frame.disparity, frame.focus, lens)
                yield replace(frame, codes=codes)

    def _lens_for(self, disparity: np.ndarray) -> Lens:
        if self._lens is None:
            self._lens = resolve_lens(make_lens(self.settings), DepthMap(disparity))
        return self._lens


def check_output(job: VideoJob) -> None:
    """Refuse to write over the video itself, or over what is there.

    Raises:
        UsageError, CannotWriteError: in one sentence.
    """
    if job.output.exists() and job.video.exists() and job.output.samefile(job.video):
        raise UsageError(f"The output would replace the video {job.video}; choose another -o.")
    if not job.output.parent.is_dir():
        raise CannotWriteError(f"There is no folder {job.output.parent}; make it first.")
    goes_on = job.resume and Parts(job.output, {}).folder.is_dir()
    if job.output.exists() and not job.overwrite and not goes_on:
        raise CannotWriteError(
            f"{job.output} is already there; add --overwrite, or choose another name with -o."
        )


def fingerprint(job: VideoJob, plan: EncodingPlan) -> dict[str, Any]:
    """Return everything that decides what the frames look like, for `Parts`."""
    state = job.video.stat()
    return {
        "video": [str(job.video.resolve()), state.st_size, state.st_mtime_ns],
        "settings": job.settings.model_dump(mode="json"),
        "encoder": [plan.encoder.library, plan.pix_fmt, plan.options],
    }


def _encode_parts(
    line: FrameLine, parts: Parts, done: int, stop: threading.Event | None, told: Told
) -> tuple[int, bool]:
    """Encode frames into parts; return how many there are now, and whether it was stopped."""
    expected = line.source.info.frames
    with closing(line.frames(skip=done)) as frames:  # type: ignore[type-var]
        for stretch in _stretches(frames, PART_FRAMES):
            part, encoder, count = parts.new_part(), FrameEncoder(line.source.info, line.plan), 0
            for frame in stretch:
                with line.clock.time("encode"):
                    part.write(encoder.encode(_encodable(line, frame)))
                count += 1
                told(done + count, expected)
                if stop is not None and stop.is_set():
                    break
            with line.clock.time("encode"):
                part.write(encoder.flush())
            part.finish(count)
            done += count
            if stop is not None and stop.is_set():
                return done, True
    return done, False


def _stretches(frames: Iterator[Any], length: int) -> Iterator[Iterator[Any]]:
    """Cut an iterator into iterators of `length`, each to be used up before the next."""
    for first in frames:
        yield chain([first], islice(frames, length - 1))


def _encodable(line: FrameLine, frame: FrameAtWork) -> Any:
    out = line.converter.to_frame(frame.codes)
    out.pts, out.time_base, out.duration = frame.pts, line.source.info.time_base, frame.duration
    return out


def _join(parts: Parts, job: VideoJob, source: VideoSource, plan: EncodingPlan) -> list[str]:
    """Write parts and copied streams into the output, whole or not at all; return notes."""
    made = parts.folder / f"joined{job.output.suffix}"
    time_base = source.info.time_base
    with source.again() as container:
        streams = source.copied(container)
        sink = VideoSink(made, source.info, plan, streams, container)
        copies = packets_until(container, streams, parts.end() * time_base)
        for packet in merge(parts.packets(time_base), copies, key=_decoding_time):
            sink.mux(packet)
        sink.close()
    made.replace(job.output)
    return sink.notes


def _decoding_time(packet: Any) -> Any:
    return packet.dts * packet.time_base
