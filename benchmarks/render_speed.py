"""Time the renderer: python benchmarks/render_speed.py [--huge] [--gpu].

Prints a markdown table of one run: seconds, and ratios to cv2.GaussianBlur (sigma = radius / 2,
float32, 3 channels) and to a plain copy of the same picture, measured in the same process right
before. Peak memory is that of a process of its own, beyond the picture and its disparity.

--huge adds 100 MP at radius 400 (half a minute a turn, GaussianBlur many minutes). --gpu times
`render.on_gpu` on CUDA at 4K.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from pullfocus.render.layered.renderer import PreparedScene, render_linear
from pullfocus.types import Lens


def scene(megapixels: float, radius_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Make a textured ground with three discs standing on it: linear (h, w, 3), radius (h, w)."""
    w = int((megapixels * 1e6 * 4 / 3) ** 0.5) // 8 * 8
    h = w * 3 // 4
    picture = np.empty((h, w, 3), np.float32)
    radius = np.empty((h, w), np.float32)
    rng = np.random.default_rng(0)
    noise = rng.random((64, w, 3), np.float32)
    x = np.arange(w, dtype=np.float32)[None] / w
    for top in range(0, h, 64):
        rows = min(64, h - top)
        y = (np.arange(top, top + rows, dtype=np.float32) / h)[:, None]
        picture[top : top + rows] = noise[:rows] * 0.4 + y[..., None] * 0.3
        d = np.broadcast_to(y * 0.5, (rows, w)).copy()
        for cx, cy, r, value in ((0.3, 0.5, 0.2, 0.7), (0.7, 0.4, 0.15, 0.5), (0.55, 0.7, 0.1, 1)):
            d[((x - cx) ** 2 + ((y - cy) * 0.75) ** 2) < r * r] = value
        radius[top : top + rows] = (d - 0.5) * 2 * radius_px
    return picture, radius


def best_of(turns: int, work) -> float:
    """Return the shortest wall time of a few turns, in seconds."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_mb(megapixels: float, radius_px: float) -> float:
    """Measure memory beyond picture and disparity, in a process of its own."""
    command = [sys.executable, __file__, "--memory", str(megapixels), str(radius_px)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def resident_mb() -> float:
    """Return this process's resident memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def print_memory(megapixels: float, radius_px: float) -> None:
    """Print how far resident memory grows while rendering once, in MB (kernels loaded before)."""
    small, near = scene(0.05, radius_px)
    render_linear(small, near)
    picture, radius = scene(megapixels, radius_px)
    before, peak, done = resident_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            peak[0] = max(peak[0], resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    render_linear(picture, radius)
    done.set()
    watcher.join()
    print(peak[0] - before)


def row(megapixels: float, radius_px: float, turns: int = 3) -> str:
    """Render one row of the table."""
    import cv2

    picture, radius = scene(megapixels, radius_px)
    copy_s = best_of(3, picture.copy)
    gauss_s = best_of(turns, lambda: cv2.GaussianBlur(picture, (0, 0), radius_px / 2))
    ours_s = best_of(turns, lambda: render_linear(picture, radius))
    return (
        f"| {megapixels:g} MP, radius {radius_px:g} | {ours_s:.2f} s | {ours_s / gauss_s:.2f} x | "
        f"{ours_s / copy_s:.0f} x | {peak_mb(megapixels, radius_px):.0f} MB |"
    )


def second_focus(megapixels: float, radius_px: float) -> str:
    """Time another focus setting on a prepared scene."""
    import cv2

    picture, radius = scene(megapixels, radius_px)
    prepared = PreparedScene(picture, radius, 1.0, radius_px * 1.2)
    prepared.render_radii(1.0, 0.0, 0.0, Lens())
    gauss_s = best_of(3, lambda: cv2.GaussianBlur(picture, (0, 0), radius_px / 2))
    copy_s = best_of(3, picture.copy)
    shift = radius_px * 0.1
    ours_s = best_of(5, lambda: prepared.render_radii(1.0, shift, shift, Lens()))
    return (
        f"| {megapixels:g} MP, radius {radius_px:g}, second focus | {ours_s:.3f} s | "
        f"{ours_s / gauss_s:.2f} x | {ours_s / copy_s:.0f} x | |"
    )


def gpu_row() -> str:
    """Time `on_gpu` at 3840 x 2160."""
    import torch

    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    picture, radius = scene(3840 * 2160 / 1e6, 40)
    on_device = upload_scene(picture, radius, 1.0, 48.0, device="cuda")
    for _ in range(5):
        render_on_device(on_device, 1.0, 2.0, 2.0, Lens())
    torch.cuda.synchronize()
    start = time.perf_counter()
    for turn in range(60):
        render_on_device(on_device, 1.0, turn / 10, turn / 10, Lens())
    torch.cuda.synchronize()
    fps = 60 / (time.perf_counter() - start)
    return f"| 8.3 MP, radius 40, {torch.cuda.get_device_name()} | {fps:.0f} frames/s | | | |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huge", action="store_true")
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--memory", nargs=2, type=float)
    options = parser.parse_args()
    if options.memory:
        print_memory(*options.memory)
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    render_linear(*scene(0.05, 40))
    print(f"commit {commit}\n")
    print("| case | time | / GaussianBlur | / copy | memory |\n|---|---|---|---|---|")
    for radius_px in (11, 40, 43):
        print(row(12, radius_px), flush=True)
    print(second_focus(2, 40), flush=True)
    print(second_focus(2, 16), flush=True)
    if options.huge:
        print(row(100, 400, turns=1), flush=True)
    if options.gpu:
        print(gpu_row(), flush=True)


if __name__ == "__main__":
    main()
