"""Make a street look like a model: depth of your own instead of the true one.

    python examples/miniature.py [FOLDER] [PHOTO]

Depth is whatever you say it is. Here it rises evenly from the top of the picture to the bottom, so
that only a band of rows is sharp, as under a lens a hand's breadth above a model.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pullfocus import DepthMap, Lens, focus_at, load, render, save, save_depth
from pullfocus.samples import SAMPLES

SHARP_AT = (0.5, 0.62)
MORE_COLOUR = 1.25


def main(arguments: list[str]) -> None:
    """Write miniature.jpg, and the depth map it was made with."""
    folder = Path(arguments[0] if arguments else "example-output")
    folder.mkdir(parents=True, exist_ok=True)
    photo = load(arguments[1] if len(arguments) > 1 else SAMPLES[0].path)
    rows = np.linspace(0.0, 1.0, photo.height, dtype=np.float32)  # disparity: 1 is nearest
    depth = DepthMap.from_disparity(np.repeat(rows[:, None], photo.width, axis=1), source="rows")
    done = render(photo, depth, focus_at(depth, *SHARP_AT), Lens(f_number=0.8))
    grey = done.linear.mean(axis=2, keepdims=True)  # models are painted brightly
    bright = np.clip(grey + (done.linear - grey) * np.float32(MORE_COLOUR), 0.0, None)
    save(done.with_linear(bright.astype(np.float32)), folder / "miniature.jpg")
    save_depth(depth, folder / "miniature.depth.png")
    print(folder / "miniature.jpg")


if __name__ == "__main__":
    main(sys.argv[1:])
