"""Make an animation in which the focus travels from one point to another and back.

    python examples/focus_pull.py [FOLDER] [PHOTO]

The pull is even in disparity, which is how it looks even; see docs/explanation/optics.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from pullfocus import Focus, Lens, Photo, estimate_depth, focus_at, load, render_many
from pullfocus.samples import SAMPLES

FRAMES = 12
FRAME_MS = 80
NEAR, FAR = (0.83, 0.90), (0.45, 0.50)
LONG_SIDE_PX = 640


def main(arguments: list[str]) -> None:
    """Write pull.webp, which every browser plays."""
    folder = Path(arguments[0] if arguments else "example-output")
    folder.mkdir(parents=True, exist_ok=True)
    photo = small(load(arguments[1] if len(arguments) > 1 else SAMPLES[0].path))
    depth = estimate_depth(photo)
    ends = [focus_at(depth, *point).disparity for point in (NEAR, FAR)]
    way = (1 - np.cos(np.linspace(0, np.pi, FRAMES))) / 2  # slow at both ends
    planes = [Focus(ends[0] + (ends[1] - ends[0]) * share) for share in way]
    frames = [
        Image.fromarray(done.encoded) for done in render_many(photo, depth, planes, Lens(1.2))
    ]
    there_and_back = [*frames, *frames[-2::-1]]
    path = folder / "pull.webp"
    there_and_back[0].save(
        path, save_all=True, append_images=there_and_back[1:], duration=FRAME_MS, loop=0, quality=80
    )
    print(path)


def small(photo: Photo) -> Photo:
    """Take every n-th pixel: quick, and good enough for an animation."""
    step = max(1, max(photo.size_hw) // LONG_SIDE_PX)
    return Photo.from_array(np.ascontiguousarray(photo.encoded[::step, ::step]))


if __name__ == "__main__":
    main(sys.argv[1:])
