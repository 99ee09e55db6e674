"""How well people are found: mean IoU of the person mask on real photos, and a sheet of pictures.

    python benchmarks/subjects/score.py [--data ../shared/data] [--every 1] [--model NAME]
                                        [--sheet people.png]

Every mask is resized bilinearly to the photo, cut at 0.5, and compared with the photo's truth (also
resized to the photo); IoU per photo, then the mean. "teacher" is MediaPipe's selfie segmentation,
which taught the mask and is never shipped. These photos are for evaluation only.
The sheet shows, a row a photo: the photo, the truth, the network's mask, the teacher's, the
subjects found, the disparity before and after each person was made one surface, and a refocus at
f/1.4 on "#1".
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from pullfocus.depth.person_mask import person_mask

from pullfocus.depth import open_estimator
from pullfocus.depth.estimator import Estimator
from pullfocus.depth.normalise import to_disparity
from pullfocus.depth.refine import enlarge
from pullfocus.depth.subjects.surface import person_surface
from pullfocus.focus import find_subjects
from pullfocus.lab.sheet import coloured, tile
from pullfocus.lab.teachers import PersonTeacher, person_teacher_path
from pullfocus.photo import load
from pullfocus.pipeline import Settings, apply, find_depth

Finder = Callable[[np.ndarray], np.ndarray | None]


def photos(data: Path, every: int) -> Iterator[tuple[Path, np.ndarray, np.ndarray]]:
    """Yield path, rgb and truth (bool) at the photo's size."""
    folder = data / "people"
    for path in sorted((folder / "Training_Images").glob("*.jpg"))[::every]:
        truth = cv2.imread(str(folder / "Ground_Truth" / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
        rgb = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        yield path, rgb, cv2.resize(truth, rgb.shape[1::-1]) > 127


def iou(person: np.ndarray, truth: np.ndarray) -> float:
    mask = enlarge(person, truth.shape) > 0.5
    return float((mask & truth).sum() / max((mask | truth).sum(), 1))


def finders(data: Path, model: str | None) -> dict[str, Finder]:
    network = open_estimator(model)
    found: dict[str, Finder] = {
        f"{network.id}, as photos get it": lambda rgb: as_photos_get_it(network, rgb),
        f"{network.id}, one look": lambda rgb: network.estimate(rgb).person,
    }
    if person_teacher_path(data).is_file():
        found["teacher"] = PersonTeacher(person_teacher_path(data))
    return found


def as_photos_get_it(network: Estimator, rgb: np.ndarray) -> np.ndarray | None:
    return person_mask(network, rgb, network.estimate(rgb).person)


def score(data: Path, every: int, found: dict[str, Finder]) -> None:
    results: dict[str, list[float]] = {name: [] for name in found}
    for _, rgb, truth in photos(data, every):
        for name, find in found.items():
            person = find(rgb)
            if person is not None:
                results[name].append(iou(person, truth))
    print("| mask of | photos | mean IoU | worst tenth |\n|---|---|---|---|")
    for name, values in results.items():
        if not values:
            print(f"| {name} | 0 | it does not look for people | |")
            continue
        tenth = sorted(values)[: max(1, len(values) // 10)]
        print(f"| {name} | {len(values)} | {np.mean(values):.3f} | {np.mean(tenth):.3f} |")


def row(path: Path, rgb: np.ndarray, truth: np.ndarray, found: dict[str, Finder]) -> np.ndarray:
    photo = load(path)
    settings = Settings(f_number=1.4)
    depth = find_depth(photo, settings)
    raw = open_estimator().estimate(rgb)
    before = to_disparity(raw)[0]
    person = person_mask(open_estimator(), rgb, raw.person)
    after = before if person is None else person_surface(before, person)
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


def _grey(mask: np.ndarray | None) -> np.ndarray:
    values = np.zeros((8, 8)) if mask is None else mask
    return np.repeat((255 * values).astype(np.uint8)[..., None], 3, axis=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--model")
    parser.add_argument("--sheet", type=Path, help="write pictures of 10 photos there (PNG)")
    options = parser.parse_args()
    found = finders(options.data, options.model)
    score(options.data, options.every, found)
    if options.sheet:
        all_photos = list(photos(options.data, 1))
        rows = [row(*each, found) for each in all_photos[:: max(1, len(all_photos) // 10)][:10]]
        cv2.imwrite(str(options.sheet), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
