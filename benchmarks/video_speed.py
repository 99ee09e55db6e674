"""Time `pullfocus video` by stage: python benchmarks/video_speed.py [--fine] [--cpu-only].

A camera that pans over one of the bundled photos, 1920x1080, H.264 with sound, made in a temporary
folder; default settings, the subject that is found is followed. First the stages run one after the
other, and the CPU time of all threads is counted by stage; two quiet cores can do 2000 ms a second.
Then the whole line runs as users run it, and frames a second are measured.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from pullfocus.samples import SAMPLES
from pullfocus.video import frame_pipeline
from pullfocus.video.file_job import pull_focus
from pullfocus.video.frame_pipeline import StageClock, run_ahead, side_by_side
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.media.reader import VideoSource
from pullfocus.video.media.writer import FrameEncoder

STAGES = ("decode", "depth", "focus", "render", "encode")
FIRST = 4
"""Frames that are not counted: the first one opens the network and finds the subject."""


@dataclass(frozen=True)
class Timing:
    """CPU milliseconds of one frame by stage, and frames a second of a whole run."""

    name: str
    cpu_ms: dict[str, float]
    rate: float | None

    def row(self) -> str:
        stages = " | ".join(f"{self.cpu_ms[stage]:.0f}" for stage in STAGES)
        total = sum(self.cpu_ms.values())
        rate = "" if self.rate is None else f"{self.rate:.2f}"
        return f"| {self.name} | {stages} | {total:.0f} | {2000 / total:.1f} | {rate} |"


def make_clip(path: Path, frames: int) -> None:
    """Pan over a photo at 1080p, 25 frames a second."""
    scooter = next(sample for sample in SAMPLES if sample.name == "scooter")
    photo = cv2.imread(str(scooter.path))
    scale = 1.25 * max(1920 / photo.shape[1], 1080 / photo.shape[0])
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        sound = out.add_stream("aac", rate=48000, layout="mono")
        for number in range(frames):
            left = min(4 * number, photo.shape[1] - 1920)
            view = np.ascontiguousarray(photo[:1080, left : left + 1920])
            out.mux(stream.encode(av.VideoFrame.from_ndarray(view, "bgr24")))
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), "fltp", "mono")
            tone.sample_rate, tone.pts, tone.time_base = 48000, 1920 * number, Fraction(1, 48000)
            out.mux(sound.encode(tone))
        out.mux(stream.encode(None))
        out.mux(sound.encode(None))


def cpu_by_stage(clip: Path, options: FrameOptions) -> dict[str, float]:
    """Run the stages one after the other, so that all CPU time in between is a stage's own."""
    frame_pipeline.run_ahead = lambda items, name: items
    frame_pipeline.side_by_side = lambda work, items, threads: map(work, items)
    with closing(VideoSource(clip)) as source:
        stages = frame_pipeline.FrameLine(source, options, ".mp4")
        stages.clock = StageClock(time.process_time)
        encoder, before = FrameEncoder(stages.info, stages.plan), {}
        for number, frame in enumerate(stages.frames()):
            with stages.clock.time("encode"):
                encoder.encode(stages.encodable(frame))
            if number == FIRST - 1:
                before = dict(stages.clock.busy_s)
        count = stages.clock.count["encode"] - FIRST
    frame_pipeline.run_ahead, frame_pipeline.side_by_side = run_ahead, side_by_side
    return {stage: 1000 * (stages.clock.busy_s[stage] - before[stage]) / count for stage in STAGES}


def rate_of(clip: Path, options: FrameOptions) -> float:
    """Run the whole line, threads and all, and return frames a second."""
    start = time.perf_counter()
    report = pull_focus(VideoJob(clip, clip.with_name("out.mp4"), options, overwrite=True))
    return report.frames / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--fine", action="store_true", help="also with the blur at full size")
    parser.add_argument("--cpu-only", action="store_true", help="for a machine that is busy")
    given = parser.parse_args()
    plain = FrameOptions()
    runs = {"1080p": plain, "540p preview": replace(plain, preview=True)}
    if given.fine:
        runs["1080p --fine"] = replace(plain, fine=True)
    print(f"{given.frames} frames, load {os.getloadavg()[0]:.1f}\n")
    print(f"| run, CPU ms a frame | {' | '.join(STAGES)} | all | 2 cores, at best | measured |")
    print("|" + "---|" * (len(STAGES) + 4))
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip, given.frames)
        for name, options in runs.items():
            cpu_ms = cpu_by_stage(clip, options)
            rate = None if given.cpu_only else rate_of(clip, options)
            print(Timing(name, cpu_ms, rate).row(), flush=True)


if __name__ == "__main__":
    main()
