"""The stages between a source and an encoder: decode | depth, focus | render, a thread each."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Shaped, UInt8

from pullfocus.cores import sharing_cores
from pullfocus.lens import resolve_lens
from pullfocus.pipeline import make_lens
from pullfocus.types import DepthMap, Focus, Lens
from pullfocus.video.focus_puller import Puller
from pullfocus.video.frame_renderer import FrameRenderer
from pullfocus.video.job import FrameOptions
from pullfocus.video.media.colour import preview_rgb8, tone_curve_of
from pullfocus.video.media.convert import FrameConverter
from pullfocus.video.media.encoders import EncodingPlan, plan_encoding
from pullfocus.video.media.reader import VideoInfo, VideoSource, shrunk
from pullfocus.video.temporal_depth.online import LONG_SIDE_PX, SteadyDepth
from pullfocus.video.temporal_depth.two_pass import Look, SurveyedDepth
from pullfocus.video.tracking.subjects import Subjects

Item = TypeVar("Item")
Made = TypeVar("Made")
AHEAD = 2
"""Frames that wait between two stages; with five stages, some ten frames are in memory."""


class StageClock:
    """Seconds that each stage was busy, and how often; seconds of threads side by side add up."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.busy_s: dict[str, float] = {}
        self.count: dict[str, int] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = self._now()
        try:
            yield
        finally:
            with self._lock:
                self.busy_s[stage] = self.busy_s.get(stage, 0.0) + self._now() - start
                self.count[stage] = self.count.get(stage, 0) + 1


def run_ahead(items: Iterable[Item], name: str, ahead: int = AHEAD) -> Iterator[Item]:
    """Produce `items` in a thread, at most `ahead` before the consumer asks for them.

    A failure in the thread is raised at the consumer, after the items before it. Closing the
    returned generator (or leaving it) ends the thread and closes `items`.
    """
    waiting: queue.Queue = queue.Queue(ahead)
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, waiting, stop), name=name, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == "end":
                return
            if kind == "failure":
                raise value
            yield value
    finally:
        stop.set()
        thread.join()


def side_by_side(
    work: Callable[[Item], Made], items: Iterable[Item], threads: int
) -> Iterator[Made]:
    """Yield work(item) of every item, in order, as many at a time as there are threads.

    One more item waits, so that no thread does. A failure is raised in its item's place.
    """
    at_work: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            at_work.append(pool.submit(work, item))
            if len(at_work) > threads:
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


def _produce(items: Iterable, waiting: queue.Queue, stop: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if not _put(waiting, ("item", item), stop):
                break
        _put(waiting, ("end", None), stop)
    except BaseException as problem:  # noqa: BLE001 - raised again where the items are used
        _put(waiting, ("failure", problem), stop)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _put(waiting: queue.Queue, item: tuple, stop: threading.Event) -> bool:
    """Wait for a free place; give up, and say so, when the consumer has gone."""
    while not stop.is_set():
        try:
            waiting.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False


LOOK_LONG_SIDE_PX, PREVIEW_LOOK_PX = 640, 256
"""Longer side of the picture that depth and trackers look at."""
DEPTH_LOOK_PX = 320
"""Size at which the embedded network looks at frames: smaller than for photos, for speed."""
LOOK_PAUSE_S = 0.06
"""Subjects are looked for some 15 times a second: every 2nd frame of 25, every frame of 12."""
PREVIEW_SELDOM = 2
"""So much more seldom does a preview estimate depth and look for subjects."""

Told = Callable[[int, int], None]
"""Called after each frame with how many are done and how many there are (0: nobody knows)."""

RENDERED_AT_ONCE = 2
"""Frames: where one waits for its own threads, the other goes on."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameAtWork:
    """One frame between two stages; times in the source's ticks and in seconds."""

    number: int
    pts: int
    duration: int
    time_s: float
    codes: Shaped[np.ndarray, "h w c"]
    rgb: UInt8[np.ndarray, "a b 3"]
    cut: bool = False
    depth: DepthMap | None = None
    focus: Focus | None = None


class FrameLine:
    """Everything between the decoder and the encoder of one video.

    info, plan: size and clock of the output, and how it is encoded.
    puller: says where each frame is focused; its `events` tell what it lost and found.

    Raises:
        PullfocusError: a codec, colour or model that is not to be had.
    """

    def __init__(self, source: VideoSource, options: FrameOptions, suffix: str) -> None:
        from pullfocus.depth import open_estimator

        self.info: VideoInfo = (
            shrunk(source.info, options.preview_lines) if options.preview else source.info
        )
        self.plan: EncodingPlan = plan_encoding(
            self.info, suffix, options.codec, options.quality, fast=options.preview
        )
        self.clock = StageClock()
        seldom = PREVIEW_SELDOM if options.preview else 1
        self.puller = Puller(
            options.script, Subjects(options.script.subjects, pause_s=seldom * LOOK_PAUSE_S)
        )
        self._source, self._options = source, options
        self._converter = FrameConverter(self.info, self.plan.pix_fmt, options.preview)
        self._renderer = FrameRenderer(
            tone_curve_of(self.info.tags), options.settings.refine, options.fine, options.preview
        )
        self._estimator = open_estimator(options.settings.model, long_side_px=DEPTH_LOOK_PX)
        self._depth_long_side_px = PREVIEW_LOOK_PX if options.preview else LONG_SIDE_PX
        self._every = seldom * options.every
        self._depth: SteadyDepth | SurveyedDepth = SteadyDepth(
            self._estimator, self._every, self._depth_long_side_px
        )
        self._lens: Lens | None = None

    def survey(self, source: VideoSource, stop: threading.Event, told: Told) -> None:
        """Look at all frames of the same video once, for depth in two passes; then `close`.

        stop: ends it early; there is depth for the frames so far only.
        """

        def looks() -> Iterator[Look]:
            for frame in self._read(source):
                if stop.is_set():
                    return
                yield frame.rgb, frame.time_s
                told(frame.number + 1, self.info.frames)

        self._depth = SurveyedDepth(looks(), self._estimator, self._every, self._depth_long_side_px)

    def close(self) -> None:
        """Remove what the first of two passes left on the disk."""
        if isinstance(self._depth, SurveyedDepth):
            self._depth.close()

    def frames(self, skip: int = 0) -> Iterator[FrameAtWork]:
        """Yield rendered frames; the first `skip` are only looked at, as depth remembers them."""
        return run_ahead(self._render(self.looked(), skip), "render")

    def looked(self) -> Iterator[FrameAtWork]:
        """Yield frames with their depth and focus, not rendered."""
        return run_ahead(self._look(run_ahead(self._read(self._source), "decode")), "depth")

    def encodable(self, frame: FrameAtWork) -> Any:
        """Turn a rendered frame into one that the encoder takes, with the source's times."""
        out = self._converter.to_frame(frame.codes)
        out.pts, out.time_base, out.duration = frame.pts, self.info.time_base, frame.duration
        return out

    def _read(self, source: VideoSource) -> Iterator[FrameAtWork]:
        look_px = PREVIEW_LOOK_PX if self._options.preview else LOOK_LONG_SIDE_PX
        frames = source.frames()
        number = 0
        while True:
            with self.clock.time("decode"):
                frame = next(frames, None)
                if frame is None:
                    return
                codes = self._converter.to_codes(frame)
                rgb = preview_rgb8(codes, self.info.tags, look_px)
            time_s = float(Fraction(frame.pts) * self.info.time_base)
            yield FrameAtWork(number, frame.pts, frame.duration or 0, time_s, codes, rgb)
            number += 1

    def _look(self, frames: Iterator[FrameAtWork]) -> Iterator[FrameAtWork]:
        with closing(frames):  # type: ignore[type-var]
            for frame in frames:
                with self.clock.time("depth"):
                    disparity = self._depth.push(frame.rgb, frame.time_s)
                with self.clock.time("focus"):
                    depth = DepthMap(disparity, self._depth.kind, person=self._depth.person)
                    focus = self.puller.focus(frame.rgb, depth, frame.time_s, self._depth.cut)
                yield replace(frame, cut=self._depth.cut, depth=depth, focus=focus)

    def _render(self, frames: Iterator[FrameAtWork], skip: int) -> Iterator[FrameAtWork]:
        with closing(frames):  # type: ignore[type-var]
            yield from side_by_side(self._rendered, self._wanted(frames, skip), RENDERED_AT_ONCE)

    def _wanted(
        self, frames: Iterator[FrameAtWork], skip: int
    ) -> Iterator[tuple[FrameAtWork, DepthMap, Focus, Lens]]:
        """Yield the frames to render, each with its depth, focus and lens."""
        for frame in frames:
            if frame.depth is not None and frame.focus is not None:
                lens = self._lens_at(frame.time_s, frame.depth)
                if frame.number >= skip:
                    yield frame, frame.depth, frame.focus, lens

    def _rendered(self, given: tuple[FrameAtWork, DepthMap, Focus, Lens]) -> FrameAtWork:
        frame, depth, focus, lens = given
        with self.clock.time("render"), sharing_cores(RENDERED_AT_ONCE):
            codes = self._renderer.render(frame.codes, depth, focus, lens)
        return replace(frame, codes=codes)

    def _lens_at(self, time_s: float, depth: DepthMap) -> Lens:
        if self._lens is None:
            self._lens = resolve_lens(make_lens(self._options.settings), depth)
        f_number = self.puller.f_number(time_s, self._lens.f_number)
        return replace(self._lens, f_number=f_number)
