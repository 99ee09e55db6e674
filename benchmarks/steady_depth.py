"""How much depth flickers over a video, and what steadying costs in correctness and time.

    python benchmarks/steady_depth.py [--data ../shared/data] [--clips 4] [--model NAME]

TAE (../shared/reference/evaluation-protocols.md): one least-squares disparity fit per video, frame
i carried to i + 1 and back, mean AbsRel x 100. Real videos lack poses for most frames, so they are
carried by DIS flow where the check of both directions holds. Rendered clips are carried by exact
depth and poses, less what is hidden or moves by itself, so that exact depth scores 0 (by the
protocol's own rule, without a check, exact depth scores 7.7 on the first of these clips). tennis
has no truth: its 1st and 99th percentile of disparity become 0.1 and 1. delta1 is over the frames
that have depth, twice: with the same one fit per video, and with one for each frame, as pictures
are scored by the protocols, which leaves out how well the frames' scales go together.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth import Estimator, open_estimator
from pullfocus.depth.edges.upsample import enlarge
from pullfocus.depth.normalise import to_disparity
from pullfocus.lab.protocols.metrics import align_least_squares, delta1
from pullfocus.video.temporal_depth.online import LONG_SIDE_PX, SteadyDepth
from pullfocus.video.temporal_depth.optical_flow import (
    Motion,
    flows_between,
    followed,
    small_picture,
)
from pullfocus.video.temporal_depth.two_pass import SurveyedDepth

VARIANTS = {
    "one pass": (SteadyDepth, 1),
    "two passes": (SurveyedDepth, 1),
    "one pass, every 4th": (SteadyDepth, 4),
    "two passes, every 4th": (SurveyedDepth, 4),
}


@dataclass(frozen=True)
class Video:
    """Frames and what is known of them; inverse depth 0 = unknown, per frame or None."""

    name: str
    frames: list[np.ndarray]
    frame_s: float
    inverse: dict[int, np.ndarray]
    intrinsics: np.ndarray | None = None
    poses: np.ndarray | None = None
    moving: np.ndarray | None = None


class Remembered:
    """An estimator that asks the network once for each frame, so that all variants see the same."""

    def __init__(self, estimator: Estimator) -> None:
        self.id, self.card, self._ask, self._known = estimator.id, estimator.card, estimator, {}

    def estimate(self, rgb: np.ndarray):
        key = rgb.tobytes()
        if key not in self._known:
            self._known[key] = self._ask.estimate(rgb)
        return self._known[key]


def real_videos(data: Path) -> Iterator[Video]:
    tennis = sorted((data / "video" / "tennis").glob("*.jpg"))
    if tennis:
        yield Video("tennis", [_read(path) for path in tennis], 1 / 25, {})
    kitchen = sorted((data / "video" / "redkitchen").glob("*.color.jpg"))
    if kitchen:
        inverse = {}
        for i, path in enumerate(kitchen):
            name = path.name.replace("color.jpg", "depth_mm.png")
            if (path_mm := data / "rgbd" / "7scenes" / name).is_file():
                depth_mm = cv2.imread(str(path_mm), cv2.IMREAD_UNCHANGED)
                known = (depth_mm > 0) & (depth_mm < 10_000)
                inverse[i] = np.where(known, 1000 / np.maximum(depth_mm, 1), 0).astype(np.float32)
        yield Video("redkitchen", [_read(path) for path in kitchen], 1 / 15, inverse)


def rendered_videos(count: int) -> Iterator[Video]:
    from pullfocus.errors import MissingModelError
    from pullfocus.lab.scenes.clips import FRAMES_PER_SECOND, clip

    for seed in range(71_000, 71_000 + count):
        try:
            made = clip(seed, (288, 384), 24)
        except MissingModelError as problem:
            print(problem)
            return
        inverse = dict(enumerate(np.where(np.isfinite(made.depth_m), 1 / made.depth_m, 0)))
        yield Video(
            f"rendered {made.name}", list(made.frames), 1 / FRAMES_PER_SECOND, inverse,
            made.intrinsics, made.poses, made.moving,
        )  # fmt: skip


def _read(path: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def frame_by_frame(video: Video, estimator: Estimator) -> list[np.ndarray]:
    h, w = small_picture(video.frames[0], LONG_SIDE_PX).shape[:2]
    return [enlarge(to_disparity(estimator.estimate(rgb))[0], (h, w)) for rgb in video.frames]


def steadied(video: Video, estimator: Estimator, kind: type, every: int) -> list[np.ndarray]:
    timed = [(rgb, video.frame_s * i) for i, rgb in enumerate(video.frames)]
    if kind is SteadyDepth:
        steady = SteadyDepth(estimator, every)
        return [steady.push(rgb, time_s) for rgb, time_s in timed]
    with closing(SurveyedDepth(timed, estimator, every, LONG_SIDE_PX)) as surveyed:
        return [surveyed.push(rgb, time_s) for rgb, time_s in timed]


def fitted(video: Video, disparity: np.ndarray) -> np.ndarray:
    """Fit one scale and shift for the whole video."""
    if not video.inverse:
        low, high = np.percentile(disparity, (1, 99))
        return 0.1 + 0.9 * (disparity - low) / (high - low)
    at = list(video.inverse)
    truth = np.stack([_resized(video.inverse[i], disparity.shape[1:]) for i in at])
    x, y = disparity[at][truth > 0], truth[truth > 0]
    line = align_least_squares(np.array([0.0, 1.0, *x]), np.array([0.0, 0.0, *y]), _but_two(x))
    return line[0] + (line[1] - line[0]) * disparity


def fitted_each(video: Video, disparity: np.ndarray) -> np.ndarray:
    """Fit one scale and shift for each frame whose depth is known; the others stay."""
    out = disparity.copy()
    for i, whole in video.inverse.items():
        truth = _resized(whole, disparity.shape[1:])
        out[i] = align_least_squares(disparity[i], truth, truth > 0)
    return out


def _but_two(x: np.ndarray) -> np.ndarray:
    return np.concatenate([[False, False], np.ones(len(x), bool)])


def _resized(inverse: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    return cv2.resize(inverse, hw[::-1], interpolation=cv2.INTER_NEAREST)


def tae(video: Video, depth: np.ndarray, ways: list) -> float:
    errors = []
    for i, (there, back) in enumerate(ways):
        errors.append(_carried_error(video, depth, i, i + 1, there))
        errors.append(_carried_error(video, depth, i + 1, i, back))
    return 100 * float(np.mean(errors))


def _carried_error(video: Video, depth: np.ndarray, a: int, b: int, way) -> float:
    if video.poses is None:
        error = np.abs(way.carry(depth[a].astype(np.float32)) - depth[b]) / depth[b]
        return float(error[way.seen].mean())
    pixels, rows, columns, moved_m = _carried_exactly(video, a, b)
    expected = depth[a].ravel()[pixels] * moved_m * video.inverse[a].ravel()[pixels]
    there = depth[b][rows, columns]
    return float(np.mean(np.abs(expected - there) / there))


def _carried_exactly(video: Video, a: int, b: int) -> tuple[np.ndarray, ...]:
    """Return pixels of frame a, where they are in frame b, and their exact depth there.

    Only what stands still and is seen in both: carried depth and depth there agree to 5 %.
    """
    inverse = video.inverse[a]
    h, w = inverse.shape
    pixels = np.flatnonzero((inverse > 0) & ~video.moving[a])
    rows, columns = np.divmod(pixels, w)
    rays = np.stack([columns + 0.5, rows + 0.5, np.ones(len(pixels))], -1)
    points = rays @ np.linalg.inv(video.intrinsics).T / inverse.ravel()[pixels, None]
    move = np.linalg.inv(video.poses[b]) @ video.poses[a]
    points = points @ move[:3, :3].T + move[:3, 3]
    x, y, _ = (points @ video.intrinsics.T / np.maximum(points[:, 2:], 1e-3)).T
    kept = (points[:, 2] > 1e-3) & (x >= 0) & (y >= 0) & (x < w) & (y < h)
    pixels, rows, columns = pixels[kept], y[kept].astype(int), x[kept].astype(int)
    moved_m = points[kept, 2]
    same = np.abs(moved_m * video.inverse[b][rows, columns] - 1) < 0.05
    return pixels[same], rows[same], columns[same], moved_m[same]


def ways_between(video: Video) -> list:
    if video.poses is not None:
        return [(None, None)] * (len(video.frames) - 1)
    small = [small_picture(rgb, LONG_SIDE_PX) for rgb in video.frames]
    return [_there_and_back(a, b) for a, b in pairwise(small)]


def _there_and_back(a: np.ndarray, b: np.ndarray) -> tuple[Motion, Motion]:
    flows = flows_between(a, b)
    return followed(a, b, flows), followed(b, a, flows.reversed())


def mean_delta1(video: Video, inverse: np.ndarray) -> float:
    scores = []
    for i, whole in video.inverse.items():
        truth = _resized(whole, inverse.shape[1:])
        known = truth > 0
        depth = 1 / np.maximum(inverse[i], 1e-3)
        scores.append(delta1(depth, 1 / np.where(known, truth, 1), known))
    return float(np.mean(scores)) if scores else float("nan")


def report(video: Video, estimator: Estimator) -> None:
    ways = ways_between(video)
    base = None
    for name in ("frame by frame", *VARIANTS):
        if name == "frame by frame":
            out = frame_by_frame(video, estimator)
        else:
            out = steadied(video, estimator, *VARIANTS[name])
        disparity = np.stack(out)
        inverse = fitted(video, disparity)
        error = tae(video, 1 / np.maximum(inverse, 1e-2), ways)
        right = mean_delta1(video, inverse), mean_delta1(video, fitted_each(video, disparity))
        base = base or (error, right)
        losses = [f"{now:.3f} ({was - now:+.3f})" for now, was in zip(right, base[1], strict=True)]
        correct = " | ".join(losses) if video.inverse else "no truth | "
        print(
            f"| {video.name} | {name} | {error:.3f} | {error / base[0]:.2f} | {correct} |",
            flush=True,
        )


def static_db(estimator: Estimator, rgb: np.ndarray, noise: float) -> float:
    """The least PSNR between consecutive maps of one frame repeated, after the first five."""
    rng = np.random.default_rng(0)
    steady = SteadyDepth(estimator)
    out = []
    for i in range(30):
        frame = np.clip(rgb + noise * rng.standard_normal(rgb.shape), 0, 255).astype(np.uint8)
        out.append(steady.push(frame, i / 30))
    worst = max(float(np.mean((a - b) ** 2)) for a, b in pairwise(out[5:]))
    return float("inf") if worst == 0 else -10 * np.log10(worst)


def stage_ms(estimator: Estimator, rgb: np.ndarray) -> tuple[float, float]:
    """CPU milliseconds of the network and of steadying, for one 1080p frame."""
    frame = cv2.resize(rgb, (1920, 1080))
    network, both = [], []
    steady = SteadyDepth(estimator)
    for i in range(8):
        start = time.process_time()
        estimator.estimate(frame)
        middle = time.process_time()
        steady.push(frame, i / 30)
        network.append(middle - start)
        both.append(time.process_time() - middle)
    return 1000 * min(network), 1000 * (min(both[1:]) - min(network))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--model")
    options = parser.parse_args()
    network = open_estimator(options.model)
    estimator = Remembered(network)
    print(
        "| video | depth | TAE | of frame by frame | delta1, one fit (loss) | a fit each (loss) |"
    )
    print("|---|---|---|---|---|---|")
    videos = [*real_videos(options.data), *rendered_videos(options.clips)]
    for video in videos:
        report(video, estimator)
    rgb = videos[0].frames[0]
    for noise in (0, 3):
        print(f"one frame repeated, noise {noise} codes: {static_db(network, rgb, noise):.1f} dB")
    print("CPU ms at 1080p, network / steadying: {:.0f} / {:.0f}".format(*stage_ms(network, rgb)))


if __name__ == "__main__":
    main()
