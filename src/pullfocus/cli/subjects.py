"""`pullfocus subjects PHOTO`: what a photo can be focused on, with the ids that --subject takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullfocus.batch import told_apart
from pullfocus.cli.console import say
from pullfocus.cli.inputs import answer_one_by_one, find_photos, finish, one_depth_for_one_photo
from pullfocus.cli.options import with_settings
from pullfocus.files import make_folder
from pullfocus.pipeline import Settings, fitted

if TYPE_CHECKING:
    from pullfocus.focus import Subject
    from pullfocus.types import DepthMap


@with_settings(
    "depth_file",
    "depth_near",
    "depth_unit",
    "depth_scale",
    "model",
    "refine",
    "max_megapixels",
)
def command(
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO...", help="Photos, folders or patterns.")
    ],
    masks: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write each subject's mask there as a PNG."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """List the people, the thing that stands out and the nearest thing in photos.

    #1 is what is focused when nobody says otherwise; --subject takes any of the ids.
    """
    settings = Settings.parse(given)
    paths = find_photos(photos)
    one_depth_for_one_photo(paths, settings)
    places: dict[Path, Path] = {}
    if masks:
        named = told_apart(paths, [masks / path.stem for path in paths])
        places = dict(zip(paths, named, strict=True))
    answers = answer_one_by_one(
        paths, lambda path: _one(path, settings, places.get(path), quiet=as_json)
    )
    finish(answers, as_json=as_json)


def _one(path: Path, settings: Settings, masks: Path | None, *, quiet: bool) -> dict[str, Any]:
    """List one photo's subjects. masks: what the names of their masks begin with."""
    from pullfocus.focus import find_subjects
    from pullfocus.photo import load
    from pullfocus.pipeline import find_depth

    photo = load(path, max_megapixels=settings.max_megapixels)
    depth = find_depth(photo, settings)
    subjects = find_subjects(photo, depth)
    if not quiet:
        say(f"{path}")
        for note in depth.notes:
            say(f"  {note}")
        for subject in subjects:
            say("  " + _line(subject, depth))
    written = _save_masks(subjects, masks, photo.size_hw, path) if masks else {}
    return {
        "photo": str(path),
        "size_hw": list(photo.size_hw),
        "depth": {"kind": depth.kind, "source": depth.source, "notes": list(depth.notes)},
        "subjects": [_record(subject, depth, written.get(subject.id)) for subject in subjects],
    }


def _line(subject: Subject, depth: DepthMap) -> str:
    left, top, right, bottom = subject.box
    words = {"person": "person", "salient": "stands out", "nearest": "nearest thing"}[subject.kind]
    extra = [*(["face"] if subject.face else []), *(["nearest"] if subject.is_nearest else [])]
    shown = f"{words} ({', '.join(extra)})" if extra and subject.kind != "nearest" else words
    return (
        f"{subject.id}  {shown}  {_distance(subject, depth)}  "
        f"box {left:.3f},{top:.3f},{right:.3f},{bottom:.3f}"
    )


def _distance(subject: Subject, depth: DepthMap) -> str:
    if depth.kind == "metric" and subject.disparity > 0:
        return f"{1 / subject.disparity:.2f} m"
    return f"disparity {subject.disparity:.2f}"


def _record(subject: Subject, depth: DepthMap, mask_file: str | None) -> dict[str, Any]:
    """Say all about a subject; its mask as run lengths, row by row, beginning with outside."""
    metric = depth.kind == "metric" and subject.disparity > 0
    return {
        "id": subject.id,
        "kind": subject.kind,
        "box": list(subject.box),
        "point": list(subject.point),
        "disparity": subject.disparity,
        "distance_m": 1 / subject.disparity if metric else None,
        "sharp": [subject.near_disparity, subject.far_disparity],
        "face": list(subject.face.box) if subject.face else None,
        "eyes": [list(eye) for eye in subject.face.eyes] if subject.face else [],
        "is_nearest": subject.is_nearest,
        "mask": {"size_hw": list(subject.mask.shape), "runs": _runs(subject), "file": mask_file},
    }


def _runs(subject: Subject) -> str:
    import numpy as np

    flat = np.concatenate([[False], subject.mask.ravel(), [not subject.mask.flat[-1]]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return " ".join(str(n) for n in np.diff(changes, prepend=0))


def _save_masks(
    subjects: tuple[Subject, ...], place: Path, size_hw: tuple[int, int], photo: Path
) -> dict[str, str]:
    """Write the masks at the photo's size; return the file of each id."""
    import cv2
    import numpy as np

    from pullfocus.files import write_whole

    make_folder(place.parent)
    written = {}
    for subject in subjects:
        target = fitted(place.with_name(f"{place.name}.{subject.id[1:]}.mask.png"))
        grown = cv2.resize(subject.mask.astype(np.float32), size_hw[::-1]) > 0.5
        _, png = cv2.imencode(".png", grown.astype(np.uint8) * 255)
        write_whole(target, png.tobytes(), like=photo)
        written[subject.id] = str(target)
    return written
