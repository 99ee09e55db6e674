"""`pullfocus depth PHOTO`: the depth map as a file, with a preview for people."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from pullfocus.batch import told_apart
from pullfocus.cli.console import progress, say
from pullfocus.cli.inputs import STDIN, answer_one_by_one, find_photos, finish
from pullfocus.cli.options import with_settings
from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.files import check_folder, make_folder, remove_leftovers
from pullfocus.pipeline import Settings, fitted

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
    targets = dict(zip(paths, _targets(paths, output), strict=True))
    with progress(len(paths)) as bar:

        def answer(path: Path) -> dict[str, Any]:
            bar.step(path.name)
            try:
                return _one(path, targets[path], settings, preview, uncertainty, overwrite)
            finally:
                bar.advance()

        answers = answer_one_by_one(paths, answer)
    finish(answers, as_json=as_json)


def _one(
    path: Path, target: Path, settings: Settings, preview: bool, uncertainty: bool, overwrite: bool
) -> dict[str, Any]:
    from pullfocus.depth import estimate_depth
    from pullfocus.depthmap.files import save_depth
    from pullfocus.photo import load

    extras = [fitted(target.with_suffix(".preview.png"))] if preview else []
    extras += [fitted(target.with_suffix(".uncertainty.npy"))] if uncertainty else []
    _refuse_existing([target, *extras], overwrite)
    remove_leftovers([target, *extras])
    check_folder(target.parent)
    photo = load(path, max_megapixels=settings.max_megapixels)
    depth = estimate_depth(photo, settings.model, refine=settings.refine, uncertainty=uncertainty)
    save_depth(depth, target, overwrite=overwrite, like=path)
    if preview:
        _save_preview(depth, extras[0], path)
    if uncertainty:
        _save_uncertainty(depth, extras[-1], path)
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


def _targets(photos: list[Path], output: str | None) -> list[Path]:
    """Name a file for every photo, no two the same."""
    if output == STDIN:
        raise UsageError("A depth map goes into a file, not to stdout: give -o FILE or a folder.")
    path = None if output is None else Path(os.path.expanduser(output))
    if path is None or output is None:
        return told_apart(photos, [photo.with_name(f"{photo.stem}.depth.png") for photo in photos])
    if not path.suffix or os.path.isdir(path) or output.endswith(("/", "\\")):
        folder = make_folder(path)
        return told_apart(photos, [folder / f"{photo.stem}.depth.png" for photo in photos])
    if len(photos) > 1:
        raise UsageError(f"{len(photos)} depth maps cannot go into the one file {path}.")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} has no depth format; use {', '.join(SUFFIXES)}.")
    return [path]


def _refuse_existing(targets: list[Path], overwrite: bool) -> None:
    for target in targets:
        if os.path.exists(target) and not overwrite:
            raise CannotWriteError(f"{target} is already there; add --overwrite or another -o.")


def _save_preview(depth: Any, target: Path, photo: Path) -> None:
    from pullfocus.depthmap.files import save_preview

    save_preview(depth, target, like=photo)
    say(f"{target}")


def _save_uncertainty(depth: Any, target: Path, photo: Path) -> None:
    """Write one standard deviation, in the disparity's own unit, as float32 NPY."""
    import io

    import numpy as np

    from pullfocus.files import write_whole

    if depth.uncertainty is None:
        say("This depth has no uncertainty: it was read, not estimated.")
        return
    buffer = io.BytesIO()
    np.save(buffer, depth.uncertainty)
    write_whole(target, buffer.getvalue(), like=photo)
    say(f"{target}")
