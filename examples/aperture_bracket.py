"""Render one photo at five f-numbers and lay the pictures side by side.

    python examples/aperture_bracket.py [FOLDER] [PHOTO]

Depth is the slow step and is the same for every lens, so it is estimated once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from pullfocus import Lens, estimate_depth, focus_on_subject, load, render, save
from pullfocus.samples import SAMPLES

F_NUMBERS = (1.2, 1.8, 2.8, 4.0, 8.0)


def main(arguments: list[str]) -> None:
    """Write bracket.jpg, and the picture at each f-number."""
    folder = Path(arguments[0] if arguments else "example-output")
    folder.mkdir(parents=True, exist_ok=True)
    photo = load(arguments[1] if len(arguments) > 1 else SAMPLES[0].path)
    depth = estimate_depth(photo)
    focus = focus_on_subject(photo, depth)
    print(f"focus: {focus.chosen} at {focus.x:.2f},{focus.y:.2f}; depth: {depth.source}")
    pictures = [render(photo, depth, focus, Lens(f_number=number)) for number in F_NUMBERS]
    for number, picture in zip(F_NUMBERS, pictures, strict=True):
        save(picture, folder / f"f{number:g}.jpg")
    strip = np.hstack([picture.linear[::2, ::2] for picture in pictures])
    save(photo.with_linear(strip, alpha=None), folder / "bracket.jpg")
    print(folder / "bracket.jpg")


if __name__ == "__main__":
    main(sys.argv[1:])
