"""The embedded network's samples: packs made once, mixed views with the teacher's features.

data folder --prepare--> CACHE/NAME packs --ViewMixture--> crops with labels and hints
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache as once
from pathlib import Path

import cv2
import numpy as np
import torch

from pullfocus.errors import MissingModelError, UsageError
from pullfocus.lab.data.crops import View, view
from pullfocus.lab.data.pack import Item, Pack, write_pack
from pullfocus.lab.data.people import with_people
from pullfocus.lab.data.photos import labelled_photos, sensor_items
from pullfocus.lab.engine.mixer import Mixture
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch
from pullfocus.lab.recipes.distill import HINT, HINTED
from pullfocus.lab.recipes.distill_settings import DistillSettings
from pullfocus.lab.recipes.samples import needed, split_last
from pullfocus.lab.teachers import PersonTeacher, Teacher, person_teacher_path, teacher_path

LABELLED = ("photos", "people")
"""Sources whose disparity is the teacher's; all others hold truth."""
SCENES = 6000
"""Rendered scenes in the pack, h w = 240 320."""
HELD_OUT_SHARE = 1 / 32
HELD_OUT_HW = (192, 256)


def prepare(recipe: DistillSettings, data: Path | None, folder: Path) -> None:
    """Write the packs a recipe asks for that are not there yet.

    Raises:
        UsageError: a pack that is neither there nor of a kind that can be made; no data folder.
        MissingModelError: the teacher is not in the data folder.
    """
    names = ("photos", *(name for name in recipe.shares if name not in LABELLED))
    missing = [name for name in names if not (folder / name / "index.json").exists()]
    if not missing:
        return
    root = needed(data, "packs")
    makers = {
        "photos": lambda: labelled_photos(root, open_teacher(teacher_path(root)), _people(root)),
        "sensor": lambda: sensor_items(root),
        "scenes": lambda: _rendered(root, folder, SCENES),
        "roads": lambda: _rendered(root, folder, SCENES // 4, "road"),
        "corners": lambda: _rendered(root, folder, SCENES, "corner"),
    }
    for name in missing:
        if name not in makers:
            known = ", ".join(("people", *makers))
            raise UsageError(f"There is no pack {name!r} in {folder}; those made here are {known}.")
        write_pack(folder / name, makers[name]())


def sources(
    recipe: DistillSettings, data: Path | None, folder: Path | None
) -> tuple[SampleSource, SampleSource]:
    """Return mixed views to train on, and the last pictures of every pack to measure with."""
    if folder is None:
        raise UsageError("Training the embedded network needs a folder for packs; give --cache.")
    teacher = None
    if recipe.hint_weight:
        teacher = teacher_path(needed(data, "packs"))
        open_teacher(teacher)  # to say now, not in the first step, that it is missing
    parts: dict[str, Sequence[Item]] = {}
    held_out: list[tuple[Sequence[Item], bool]] = []
    for name in recipe.shares:
        if name != "people":
            parts[name], last = split_last(Pack(folder / name), HELD_OUT_SHARE)
            held_out.append((last, name not in LABELLED))
    photos = parts.get("photos") or split_last(Pack(folder / "photos"), HELD_OUT_SHARE)[0]
    return ViewMixture(recipe, parts, photos, teacher), HeldOut(held_out)


class ViewMixture(Mixture):
    """Random views of packed pictures in the recipe's shares; all of a step have one size.

    Args:
        recipe: shares, sizes, batch and seed.
        parts: pictures to train on, by pack.
        photos: where people come from, those that are pasted too.
        teacher: file of the network whose features are the hints; None = no hints.
    """

    def __init__(
        self,
        recipe: DistillSettings,
        parts: dict[str, Sequence[Item]],
        photos: Sequence[Item],
        teacher: Path | None,
    ) -> None:
        self.recipe, self.teacher, self.photos = recipe, teacher, photos
        self.people = with_people(photos)
        self.parts = dict(parts)
        if "people" in recipe.shares:  # all photos where none shows people
            found = [int(index) for index in self.people] or range(len(photos))
            self.parts["people"] = Chosen(photos, found)
        counts = {name: len(items) for name, items in self.parts.items()}
        super().__init__(counts, recipe.shares, recipe.batch, recipe.epoch_crops, recipe.seed)

    def sample(self, name: str, index: int, rng: np.random.Generator, step: int) -> Batch:
        """Return one view with its labels and hints."""
        config = self.recipe.crop_config(step)
        of_step = np.random.default_rng((self.seed, step))
        hw = config.sizes[int(of_step.integers(len(config.sizes)))]
        guest = None
        if name in LABELLED and len(self.people) > 0 and rng.random() < config.pasted:
            guest = self.photos[int(rng.choice(self.people))]
        seen = view(self.parts[name][index], hw, config, rng, guest)
        batch = as_batch(seen, name not in LABELLED)
        if self.teacher is not None:
            stages = teacher_of(self.teacher).stages(batch["image"][None].numpy())[1]
            batch |= {HINT + stage: torch.from_numpy(stages[stage][0]) for stage in HINTED}
        return batch


class HeldOut:
    """Whole pictures at one size, with their labels.

    Args:
        parts: pictures, and whether their disparity is the truth.
    """

    def __init__(self, parts: list[tuple[Sequence[Item], bool]]) -> None:
        self._items = [(items, i, is_truth) for items, is_truth in parts for i in range(len(items))]

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return one picture; nothing is random."""
        items, i, is_truth = self._items[index]
        item = items[i]
        half = (HELD_OUT_HW[1] // 2, HELD_OUT_HW[0] // 2)
        rgb = cv2.resize(item.rgb, HELD_OUT_HW[::-1], interpolation=cv2.INTER_AREA)
        nearest = cv2.INTER_NEAREST_EXACT  # NaN stays where it is
        disparity = cv2.resize(item.disparity.astype(np.float32), half, interpolation=nearest)
        person = np.full(half[::-1], np.nan, np.float32)
        if item.person is not None:
            person = cv2.resize(item.person.astype(np.float32), half, interpolation=nearest)
        return as_batch(View(np.asarray(rgb), np.asarray(disparity), np.asarray(person)), is_truth)


class Chosen(Sequence[Item]):
    """Some items of a longer sequence, by their indices."""

    def __init__(self, whole: Sequence[Item], indices: Sequence[int]) -> None:
        self._whole, self._indices = whole, indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, i: int) -> Item:  # type: ignore[override]
        return self._whole[self._indices[i]]


def as_batch(seen: View, is_truth: bool) -> Batch:
    """Return a view as tensors: image 3 h w in 0..1, disparity, person, is_truth."""
    image = np.ascontiguousarray(seen.rgb.transpose(2, 0, 1), np.float32) / np.float32(255)
    return {
        "image": torch.from_numpy(image),
        "disparity": torch.from_numpy(np.ascontiguousarray(seen.disparity)),
        "person": torch.from_numpy(np.ascontiguousarray(seen.person)),
        "is_truth": torch.tensor(is_truth),
    }


def open_teacher(path: Path) -> Teacher:
    """Return the public network that labels photos and hints.

    Raises:
        MissingModelError: it is not there.
    """
    if not path.is_file():
        raise MissingModelError(
            f"{path} is not there: it is the network that the embedded one imitates. Put it there, "
            "or train without it on packs that exist: --set hint_weight=0 --cache FOLDER."
        )
    return teacher_of(path)


@once
def teacher_of(path: Path) -> Teacher:
    """Return the teacher of a file, opened once a process."""
    return Teacher(path, 1)


def _people(data: Path) -> PersonTeacher | None:
    path = person_teacher_path(data)
    return PersonTeacher(path) if path.exists() else None


def _rendered(data: Path, folder: Path, count: int, only: str | None = None) -> Iterator[Item]:
    os.environ.setdefault("LP_NUM_THREADS", "1")
    from pullfocus.lab.scenes.generate import scenes
    from pullfocus.lab.scenes.textures import build_stack

    stack = build_stack(Pack(folder / "photos"), _people(data), 0)
    return scenes(stack, 0, count, (240, 320), only)
