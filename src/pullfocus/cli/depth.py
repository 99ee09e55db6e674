"""`pullfocus depth PHOTO`: the depth map as a file, with a preview for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.cli.console import progress, say, show_json
from pullfocus.cli.inputs import find_photos
from pullfocus.cli.options import with_settings
from pullfocus.errors import CannotWriteError, PullfocusError, UsageError
from pullfocus.photo.folder import make_folder
from pullfocus.pipeline import Settings

SUFFIXES = (".png", ".npy", ".exr", ".pfm", ".tif", ".tiff")


@with_settings("model", "refine", "max_megapixels")
def command(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos, folders or patterns.")
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="OUT",
            help="File (.png 16-bit, .npy, .exr, .pfm) or folder; default: PHOTO.depth.png.",
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also write a magma picture for people.")
    ] = False,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Also write how far to trust it (.npy).")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace outputs that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Write the depth map of photos: the photo's own, or what the network sees."""
    settings = Settings.parse(given)
    paths = find_photos(photos)
    results, failed = [], 0
    with progress(len(paths)) as bar:
        for path in paths:
            bar.step(path.name)
            try:
                target = _target(path, output, len(paths))
                results.append(_one(path, target, settings, preview, uncertainty, overwrite))
            except PullfocusError as problem:
                if len(paths) == 1:
                    raise
                say(f"{path}: {problem}")
                results.append({"photo": str(path), "error": str(problem)})
                failed += 1
            bar.advance()
    if as_json:
        show_json(results)
    if failed:
        raise SystemExit(1)


def _one(
    path: Path, target: Path, settings: Settings, preview: bool, uncertainty: bool, overwrite: bool
) -> dict[str, Any]:
    from pullfocus.depth import estimate_depth
    from pullfocus.photo import load
    from pullfocus.photo.depth_file import save_depth

    extras = [target.with_suffix(".preview.png")] if preview else []
    extras += [target.with_suffix(".uncertainty.npy")] if uncertainty else []
    _refuse_existing([target, *extras], overwrite)
    photo = load(path, max_megapixels=settings.max_megapixels)
    depth = estimate_depth(photo, settings.model, refine=settings.refine, uncertainty=uncertainty)
    save_depth(depth, target, overwrite=overwrite)
    if preview:
        _save_preview(depth, target.with_suffix(".preview.png"))
    if uncertainty:
        _save_uncertainty(depth, target.with_suffix(".uncertainty.npy"))
    low, high = float(depth.disparity.min()), float(depth.disparity.max())
    say(f"{target}  ({depth.kind}; disparity {low:.3g} to {high:.3g}; from: {depth.source})")
    return {
        "photo": str(path),
        "output": str(target),
        "kind": depth.kind,
        "source": depth.source,
        "licence": depth.licence,
        "disparity": [low, high],
        "size_hw": list(depth.size_hw),
    }


def _target(photo: Path, output: str | None, count: int) -> Path:
    if output is None:
        return photo.with_name(f"{photo.stem}.depth.png")
    path = Path(os.path.expanduser(output))
    if path.suffix and not path.is_dir() and not output.endswith(("/", "\\")):
        if count > 1:
            raise UsageError(f"{count} depth maps cannot go into the one file {path}.")
        if path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{path} has no depth format; use {', '.join(SUFFIXES)}.")
        return path
    return make_folder(path) / f"{photo.stem}.depth.png"


def _refuse_existing(targets: list[Path], overwrite: bool) -> None:
    for target in targets:
        if target.exists() and not overwrite:
            raise CannotWriteError(f"{target} is already there; add --overwrite or another -o.")


def _save_preview(depth: Any, target: Path) -> None:
    from pullfocus.photo import save
    from pullfocus.photo.depth_file import preview
    from pullfocus.types import Photo

    save(Photo.from_array(preview(depth)), target, overwrite=True)
    say(f"{target}")


def _save_uncertainty(depth: Any, target: Path) -> None:
    """Write one standard deviation, in the disparity's own unit, as float32 NPY."""
    import io

    import numpy as np

    from pullfocus.photo.atomic import write_whole

    if depth.uncertainty is None:
        say("This depth has no uncertainty: it was read, not estimated.")
        return
    buffer = io.BytesIO()
    np.save(buffer, depth.uncertainty)
    write_whole(target, buffer.getvalue())
    say(f"{target}")
