"""`pullfocus graded`: project-defude's own file contract, with this program's depth and blur.

    sample0.png [+ sample0_disp.npy] -> sample0_disp.npy, sample0_disp.png, sample0_defocus.png

Source: MonoDepthDeFocus, chapters 6 and 7 (tables 7.1 to 7.4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.cli.console import progress, say
from pullfocus.cli.inputs import find_photos
from pullfocus.cli.options import with_settings
from pullfocus.errors import PullfocusError
from pullfocus.pipeline import Settings, apply, find_depth, fitted
from pullfocus.types import DepthMap, Photo


@with_settings("at", "range", "method", "strength", "model", "refine", "max_megapixels")
def command(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos, folders or patterns.")
    ],
    depth_only: Annotated[
        bool, typer.Option("--depth-only", help="Only write the depth files (table 7.1).")
    ] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Blur and stitch as project-defude did, with its file names.

    For name.png: reads name_disp.npy when it is there, else estimates it; writes name_disp.npy,
    name_disp.png (colour map) and name_defocus.png beside it. The two pictures are replaced on
    every run; a depth map that is there is never touched.
    """
    settings = Settings.parse(given, style="graded")
    paths = find_photos(photos)
    failed: list[PullfocusError] = []
    with progress(len(paths)) as bar:
        for path in paths:
            bar.step(path.name)
            try:
                _one(path, settings, depth_only)
            except PullfocusError as problem:
                if len(paths) == 1:
                    raise
                say(f"{path}: {problem}")
                failed.append(problem)
            bar.advance()
    if failed:
        raise SystemExit(1)


def _one(path: Path, settings: Settings, depth_only: bool) -> None:
    from pullfocus.depthmap.files import save_depth, save_preview
    from pullfocus.photo import load, save

    photo = load(path, max_megapixels=settings.max_megapixels)
    disparity_file = _beside(path, "_disp.npy")
    depth = _depth_of(photo, disparity_file, settings)
    for note in depth.notes:
        say(note)
    if not disparity_file.exists():
        save_depth(depth, disparity_file, like=path)
        say(f"{disparity_file}")
    save_preview(depth, _beside(path, "_disp.png"), like=path)
    say(f"{_beside(path, '_disp.png')}")
    if depth_only:
        return
    done = apply(photo, settings, depth=depth)
    output = _beside(path, "_defocus.png")
    save(done.image, output, format="png", overwrite=True)
    say(f"{output}  (focus: {done.focus.chosen}; {settings.method})")


def _depth_of(photo: Photo, disparity_file: Path, settings: Settings) -> DepthMap:
    """Take the disparity file when it is there, unless a model was asked for; else estimate."""
    if disparity_file.exists() and settings.model is None:
        return find_depth(photo, settings.changed(depth_file=str(disparity_file)))
    return find_depth(photo, settings)


def _beside(path: Path, ending: str) -> Path:
    """Name a file beside the photo; only the last suffix goes: a.b c.png -> a.b c_disp.npy."""
    return fitted(path.with_name(path.stem + ending), ending)
