"""Photos without depth, labelled once by the teacher: what distillation learns from.

Which folders may do so, and that some may only through pseudo-labels, is said in
../shared/data/README.md and repeated in the model card.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.lab.data.pack import Item
from pullfocus.lab.data.truth import read_rgb, sensor_training
from pullfocus.lab.teachers import PersonTeacher, Teacher, person_label

TRAINING_FOLDERS = (
    "photos/web",
    "photos/imagenet",
    "photos/bsds",
    "photos/everyday",
    "photos/samples",
    "photos/kodak",
    "video/tennis",
)
"""Folders under the data root whose photos may teach shipped weights."""
LONG_SIDE = 400
"""Packed photos are shrunk to this long side, px."""
ENSEMBLE = (256, 320, 384)
"""Long sides at which the teacher looks at a photo, each also mirrored; the best of the sizes
tried on the measured sets (lab/recipes/RESULTS.md)."""


def shrink(rgb: np.ndarray, long_side: int = LONG_SIDE) -> np.ndarray:
    """Return the picture no longer than ``long_side``; never enlarged."""
    scale = long_side / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def fitted_hw(hw: tuple[int, int], long_side: int, multiple: int = 32) -> tuple[int, int]:
    """Return the size nearest to ``long_side`` with the aspect of hw, in multiples."""
    scale = long_side / max(hw)
    return (
        max(multiple, round(hw[0] * scale / multiple) * multiple),
        max(multiple, round(hw[1] * scale / multiple) * multiple),
    )


def as_input(rgb: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Return 1 3 h w float32 in 0..1, resized to hw."""
    small = cv2.resize(rgb, (hw[1], hw[0]), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def standardised(disparity: np.ndarray) -> np.ndarray:
    """Return the map with mean 0 and standard deviation 1 over all its pixels."""
    return (disparity - disparity.mean()) / (disparity.std() + 1e-6)


def ensemble_label(teacher: Teacher, rgb: np.ndarray) -> np.ndarray:
    """Return disparity h/2 w/2, standardised: the mean over ``ENSEMBLE`` sizes and mirrors."""
    h, w = rgb.shape[:2]
    half = (max(1, w // 2), max(1, h // 2))
    total = np.zeros(half[::-1], np.float32)
    for long_side in ENSEMBLE:
        image = as_input(rgb, fitted_hw((h, w), long_side))
        both = teacher(np.concatenate([image, image[..., ::-1]]))
        total += standardised(cv2.resize(both[0] + both[1][:, ::-1], half))
    return standardised(total)


def labelled_photos(
    data: Path, teacher: Teacher, people: PersonTeacher | None = None, limit: int | None = None
) -> Iterator[Item]:
    """Yield every training photo with its teachers' labels; unreadable files are passed over."""
    count = 0
    for folder in TRAINING_FOLDERS:
        for path in sorted((data / folder).rglob("*")):
            if path.suffix.lower() not in (".jpg", ".jpeg", ".png") or count == limit:
                continue
            try:
                rgb = shrink(read_rgb(path))
            except FileNotFoundError:
                continue
            if min(rgb.shape[:2]) < 96:
                continue
            count += 1
            person = None if people is None else person_label(people, rgb, path.parent.name)
            yield Item(path.name, folder, rgb, ensemble_label(teacher, rgb), person)


def sensor_items(data: Path) -> Iterator[Item]:
    """Yield the RGB-D frames that may train, as disparity in 1/m at half size."""
    for frame in sensor_training(data):
        disparity = np.where(frame.valid, 1 / np.maximum(frame.depth_m, 0.1), np.nan)
        h, w = frame.rgb.shape[:2]
        disparity = cv2.resize(
            disparity.astype(np.float32), (w // 2, h // 2), interpolation=cv2.INTER_NEAREST
        )
        yield Item(frame.name, "sensor", shrink(frame.rgb, 480), disparity)
