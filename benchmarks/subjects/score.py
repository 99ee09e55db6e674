"""How well people are found: scores of the person mask on real photos, and a sheet of pictures.

    python benchmarks/subjects/score.py [--data ../shared/data] [--every 1] [--sheet people.png]

Every mask is resized bilinearly to the photo, cut at 0.5, and compared with the photo's truth (also
resized to the photo); scores per photo (`pullfocus.lab.mask_metrics`), then the mean. "teacher" is
MediaPipe's selfie segmentation, which helped to teach the mask and is never shipped. These photos
are for evaluation only.
The sheet shows, a row a photo: the photo, the truth, the mask of each finder, the subjects found,
the disparity before and after it was cut by the masks, and a refocus at f/1.4 on "#1".
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth import open_estimator
from pullfocus.depth.edges.upsample import enlarge
from pullfocus.depth.normalise import to_disparity
from pullfocus.depth.subjects import find_masks
from pullfocus.focus import find_subjects
from pullfocus.lab.mask_metrics import mask_scores
from pullfocus.lab.sheet import coloured, tile
from pullfocus.lab.teachers import PersonTeacher, person_teacher_path
from pullfocus.photo import load
from pullfocus.pipeline import Settings, apply, find_depth

Finder = Callable[[np.ndarray], np.ndarray]


def photos(data: Path, every: int) -> Iterator[tuple[Path, np.ndarray, np.ndarray]]:
    """Yield path, rgb and truth (bool) at the photo's size."""
    folder = data / "people"
    for path in sorted((folder / "Training_Images").glob("*.jpg"))[::every]:
        truth = cv2.imread(str(folder / "Ground_Truth" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        rgb = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        yield path, rgb, cv2.resize(truth, rgb.shape[1::-1]) > 127


def finders(data: Path) -> dict[str, Finder]:
    found: dict[str, Finder] = {
        "pullfocus-subjects, as photos get it": lambda rgb: find_masks(rgb).person,
        "pullfocus-subjects, one run": lambda rgb: find_masks(rgb, flip_averaging=False).person,
    }
    if person_teacher_path(data).is_file():
        found["teacher"] = PersonTeacher(person_teacher_path(data))
    return found


def score(data: Path, every: int, found: dict[str, Finder]) -> None:
    results: dict[str, list[list[float]]] = {name: [] for name in found}
    for _, rgb, truth in photos(data, every):
        if not truth.any():
            continue
        for name, find in found.items():
            mask = enlarge(find(rgb), truth.shape) > 0.5
            results[name].append(list(vars(mask_scores(mask, truth)).values()))
    print(
        "| mask of | photos | IoU | worst tenth | head | limbs | outline F |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name, values in results.items():
        table = np.array(values)
        tenth = np.sort(table[:, 0])[: max(1, len(table) // 10)].mean()
        iou, head, limbs, outline = np.nanmean(table, axis=0)
        cells = " | ".join(f"{v:.3f}" for v in (iou, tenth, head, limbs, outline))
        print(f"| {name} | {len(table)} | {cells} |")


def row(path: Path, rgb: np.ndarray, truth: np.ndarray, found: dict[str, Finder]) -> np.ndarray:
    photo = load(path)
    settings = Settings(f_number=1.4)
    depth = find_depth(photo, settings)
    before = to_disparity(open_estimator().estimate(rgb))[0]
    after = depth.disparity
    masks = [_grey(find(rgb)) for find in found.values()]
    subjects = rgb.copy()
    for subject in find_subjects(photo, depth):
        left, top, right, bottom = (
            int(n * side) for n, side in zip(subject.box, rgb.shape[1::-1] * 2, strict=True)
        )
        cv2.rectangle(subjects, (left, top), (right, bottom), (255, 60, 60), 3)
        cv2.putText(subjects, subject.id, (left + 4, top + 30), 0, 1, (255, 60, 60), 2)
    image = apply(photo, settings, depth=depth).image.encode(8)
    shown = [rgb, _grey(truth), *masks, subjects, coloured(before), coloured(after), image]
    return np.hstack([tile(picture) for picture in shown])


def _grey(mask: np.ndarray) -> np.ndarray:
    return np.repeat((255 * mask).astype(np.uint8)[..., None], 3, axis=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--sheet", type=Path, help="write pictures of 10 photos there (PNG)")
    options = parser.parse_args()
    found = finders(options.data)
    score(options.data, options.every, found)
    if options.sheet:
        all_photos = list(photos(options.data, 1))
        rows = [row(*each, found) for each in all_photos[:: max(1, len(all_photos) // 10)][:10]]
        cv2.imwrite(str(options.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
