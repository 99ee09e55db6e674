"""`pullfocus demo`: the main job on bundled photos; depth, refocused, before beside after."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pullfocus.cli.console import progress, say
from pullfocus.cli.first_run import tell_first_run
from pullfocus.files import make_folder
from pullfocus.pipeline import Settings, apply
from pullfocus.samples import SAMPLES, Sample
from pullfocus.types import Photo

SHADE_PX = 4
"""Width of the white line between before and after."""


def command(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the pictures go.")
    ] = Path("pullfocus-demo"),
    f_number: Annotated[str, typer.Option("--f-number", metavar="N", help="Aperture.")] = "1.4",
    every: Annotated[
        bool, typer.Option("--all", help="All three photos instead of the first.")
    ] = False,
) -> None:
    """Refocus bundled photos: writes the depth map, the picture, and before beside after."""
    make_folder(output)
    tell_first_run()
    chosen = SAMPLES if every else SAMPLES[:1]
    with progress(len(chosen)) as bar:
        for sample in chosen:
            say(f"{sample.name}: {sample.words}; focus at {sample.x},{sample.y}, f/{f_number}")
            bar.step(sample.name)
            for name, path in _refocus_sample(sample, output, f_number).items():
                say(f"  {name:13} {path}")
            bar.advance()
    command = os.environ.get("PULLFOCUS_COMMAND", "pullfocus")
    say(f"Now your own: {command} PHOTO --at 0.42,0.61, or {command} web to click.")


def _refocus_sample(sample: Sample, folder: Path, f_number: str) -> dict[str, Path]:
    from pullfocus.depthmap.files import preview
    from pullfocus.photo import load, save

    photo = load(sample.path)
    done = apply(photo, Settings.parse(at=(sample.x, sample.y), f_number=f_number))
    names = {
        "photo": folder / f"{sample.name}.jpg",
        "depth": folder / f"{sample.name}.depth.preview.png",
        "refocused": folder / f"{sample.name}.refocused.jpg",
        "before/after": folder / f"{sample.name}.before-after.jpg",
    }
    pictures = (photo, Photo.from_array(preview(done.depth)), done.image, _pair(photo, done.image))
    for path, picture in zip(names.values(), pictures, strict=True):
        save(picture, path, overwrite=True)
    return {name: path.resolve() for name, path in names.items()}


def _pair(before: Photo, after: Photo) -> Photo:
    """Put two pictures of one size side by side, with a white line between."""
    line = np.ones((before.height, SHADE_PX, 3), np.float32)
    return after.with_linear(np.hstack([before.linear, line, after.linear]), alpha=None)
