"""Time `pullfocus video` by stage: python benchmarks/video_speed.py [--frames N] [--fine].

A camera that pans over one of the bundled photos, 1920x1080, H.264 with sound, made in a temporary
folder; default settings, the subject that is found is followed. Stages overlap in threads, so the
busy times of one frame add up to more than it takes. "CPU" is what all threads together used; two
quiet cores can do at best 2000 / CPU frames a second. A first run warms up kernels and network.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from pullfocus.samples import SAMPLES
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.run import pull_focus

STAGES = ("decode", "depth", "focus", "render", "encode")


@dataclass(frozen=True)
class Timing:
    """One run: frames a second, CPU milliseconds a frame, busy milliseconds a frame by stage."""

    name: str
    rate: float
    cpu_ms: float
    busy_ms: dict[str, float]

    def row(self) -> str:
        stages = " | ".join(f"{self.busy_ms[stage]:.0f}" for stage in STAGES)
        return (
            f"| {self.name} | {self.rate:.2f} | {stages} | {self.cpu_ms:.0f} "
            f"| {2000 / self.cpu_ms:.1f} |"
        )


def make_clip(path: Path, frames: int) -> None:
    """Pan over a photo at 1080p, 25 frames a second."""
    photo = cv2.imread(str(SAMPLES[0].path))
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


def measure(name: str, clip: Path, options: FrameOptions) -> Timing:
    """Run once and take the times after the frames that fill the line."""
    output = clip.with_name("out.mp4")
    start, cpu = time.perf_counter(), time.process_time()
    report = pull_focus(VideoJob(clip, output, options, overwrite=True))
    elapsed, used = time.perf_counter() - start, time.process_time() - cpu
    busy_ms = {stage: 1000 * report.busy_s[stage] / report.frames for stage in STAGES}
    return Timing(name, report.frames / elapsed, 1000 * used / report.frames, busy_ms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--fine", action="store_true", help="also at full size")
    given = parser.parse_args()
    plain = FrameOptions()
    runs = {"1080p": plain, "540p preview": replace(plain, preview=True)}
    if given.fine:
        runs["1080p --fine"] = replace(plain, fine=True)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(clip, 2)
        for options in runs.values():
            pull_focus(VideoJob(clip, clip.with_name("warm.mp4"), options, overwrite=True))
        make_clip(clip, given.frames)
        print(f"{given.frames} frames, load {os.getloadavg()[0]:.1f}\n")
        print(f"| run | frames/s | {' | '.join(STAGES)} | CPU ms | at best on 2 cores |")
        print("|" + "---|" * (len(STAGES) + 4))
        for name, options in runs.items():
            print(measure(name, clip, options).row(), flush=True)


if __name__ == "__main__":
    main()
