"""Boundary F1 before and after edge refinement: truth shrunk to a network's size, and networks.

    python benchmarks/refine_edges.py [--data ../shared/data] [--frames 8] [--model NAME ...]

"truth@N" is the sensor's or renderer's own disparity, holes filled from the nearest pixel, shrunk
to N pixels on the longer side and softened by one pixel as networks do: it asks what refinement
alone can bring back. Sensor truth (7-Scenes, OSD, HoloLens) is itself shifted against its picture
by some pixels and ragged at edges, so its figures are low; rendered scenes are exact.
Score: Depth Pro's boundary F1 (../shared/reference/evaluation-protocols.md), mean over frames;
networks are aligned by least squares in disparity first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth import find_card, open_estimator
from pullfocus.depth.edges.upsample import DEFAULT, RefineSettings, enlarge, refine_to_edges
from pullfocus.depth.normalise import to_disparity
from pullfocus.lab.protocols.metrics import boundary_f1
from pullfocus.types import srgb_to_linear

Frame = tuple[np.ndarray, np.ndarray, np.ndarray]  # rgb uint8, disparity with holes filled, valid


def filled(disparity: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Fill holes with the nearest known disparity."""
    holes = (~valid).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        holes, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    known = np.zeros(labels.max() + 1, np.float32)
    known[labels[valid]] = disparity[valid]
    return np.where(valid, disparity, known[labels]).astype(np.float32)


def sensor_frames(data: Path, count: int) -> dict[str, list[Frame]]:
    from pullfocus.lab.data import truth

    readers = {
        "7scenes": truth.seven_scenes,
        "osd": truth.osd,
        "hololens": truth.hololens_held_out,
        "middlebury": truth.middlebury,
    }
    out: dict[str, list[Frame]] = {}
    for name, reader in readers.items():
        frames = list(reader(data))
        chosen = frames[:: max(1, len(frames) // count)][:count]
        out[name] = []
        for f in chosen:
            disparity = np.where(f.valid, 1 / np.maximum(f.depth_m, 1e-3), 0).astype(np.float32)
            out[name].append((f.rgb, filled(disparity, f.valid), f.valid))
    return {name: frames for name, frames in out.items() if frames}


def rendered_frames(count: int) -> Iterator[Frame]:
    """Render exact scenes at 1024x768; nothing on machines without EGL."""
    from pullfocus.lab.scenes.generate import draw_layout, is_telling
    from pullfocus.lab.scenes.render import Renderer
    from pullfocus.lab.scenes.textures import build_stack

    stack = build_stack(None, None, 7)
    try:
        renderer = Renderer(stack.rgba, (1536, 2048))
    except Exception as error:  # noqa: BLE001 - moderngl raises bare Exception without a driver
        print(f"no rendered scenes: {error}")
        return
    made, seed = 0, 51_000_000
    while made < count:
        rgb, disparity = renderer(draw_layout(stack, seed)[1])
        seed += 1
        if not is_telling(disparity):
            continue
        made += 1
        small = cv2.resize(rgb, (1024, 768), interpolation=cv2.INTER_AREA)
        floor = np.maximum(disparity[::2, ::2], 1e-3).astype(np.float32)
        yield small, floor, np.ones(floor.shape, bool)


def shrunk(disparity: np.ndarray, long_side: int) -> np.ndarray:
    h, w = disparity.shape
    scale = long_side / max(h, w)
    size = (round(w * scale), round(h * scale))
    return cv2.GaussianBlur(cv2.resize(disparity, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)


def network_disparity(model: str, frame: Frame) -> np.ndarray:
    rgb, truth, valid = frame
    small, kind = to_disparity(open_estimator(model).estimate(rgb))
    if kind == "metric":
        return small
    scale, shift = np.polyfit(enlarge(small, truth.shape)[valid], truth[valid], 1)
    return np.maximum(scale * small + shift, 1e-3).astype(np.float32)


def scores(frames: list[Frame], source: str, settings: RefineSettings) -> tuple[float, ...]:
    """Return F1 enlarged bilinearly, F1 refined, and how refinement changes the mean error."""
    rows = []
    for frame in frames:
        rgb, truth, valid = frame
        if source.startswith("truth@"):
            small = shrunk(truth, int(source[6:]))
        else:
            small = network_disparity(source, frame)
        before = enlarge(small, truth.shape)
        after = refine_to_edges(small, srgb_to_linear(rgb.astype(np.float32) / 255), settings)
        errors = [float(np.abs(d - truth)[valid].mean()) for d in (before, after)]
        f1 = [boundary_f1(d, truth, valid) for d in (before, after)]
        rows.append((*f1, errors[1] / max(errors[0], 1e-9)))
    return tuple(float(v) for v in np.mean(rows, axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--sizes", type=int, nargs="*", default=[384, 160])
    parser.add_argument("--model", nargs="*", default=[])
    options = parser.parse_args()
    data = sensor_frames(options.data, options.frames) if options.data.is_dir() else {}
    data["rendered"] = list(rendered_frames(options.frames))
    sources = [f"truth@{n}" for n in options.sizes]
    sources += [m for m in options.model if find_card(m)]
    print("| data | disparity from | F1 bilinear | F1 refined | ratio | mean error ratio |")
    print("|---|---|---|---|---|---|")
    start = time.perf_counter()
    for name, frames in data.items():
        for source in sources if frames else []:
            before, after, error = scores(frames, source, DEFAULT)
            ratio = after / max(before, 1e-9)
            print(f"| {name} | {source} | {before:.3f} | {after:.3f} | {ratio:.1f} | {error:.2f} |")
    print(f"\n{options.frames} frames a set, {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
