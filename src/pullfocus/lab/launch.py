"""From a recipe to running processes: pack the data once, then train side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import torch

from pullfocus.errors import UsageError
from pullfocus.lab.data.crops import batches
from pullfocus.lab.data.pack import Item, Pack, write_pack
from pullfocus.lab.data.photos import labelled_photos, sensor_items
from pullfocus.lab.parallel import fresh_meeting, join_group
from pullfocus.lab.person_teacher import PersonTeacher, person_teacher_path
from pullfocus.lab.scenes.generate import scenes
from pullfocus.lab.scenes.textures import build_stack
from pullfocus.lab.teacher import Teacher, teacher_path
from pullfocus.lab.train import TrainConfig, Trainer, crop_config, run


def prepare(config: TrainConfig, data: Path, cache: Path) -> None:
    """Write the packs a recipe asks for that are not there yet.

    Raises:
        UsageError: a pack that is neither there nor of a kind that can be made.
    """
    makers = {
        "photos": lambda: labelled_photos(data, Teacher(teacher_path(data), 1), _people(data)),
        "sensor": lambda: sensor_items(data),
        "scenes": lambda: _rendered(data, cache, SCENES),
        "roads": lambda: _rendered(data, cache, SCENES // 4, "road"),
        "corners": lambda: _rendered(data, cache, SCENES, "corner"),
    }
    for name in ("photos", *config.truths_per_batch):
        if (cache / name / "index.json").exists():
            continue
        if name not in makers:
            known = ", ".join(makers)
            raise UsageError(f"There is no pack {name!r} in {cache}; those made here are {known}.")
        write_pack(cache / name, makers[name]())


def _people(data: Path) -> PersonTeacher | None:
    path = person_teacher_path(data)
    return PersonTeacher(path) if path.exists() else None


SCENES = 6000
"""Rendered scenes in the pack, h w = 240 320."""


def _rendered(data: Path, cache: Path, count: int, only: str | None = None) -> Iterator[Item]:
    os.environ.setdefault("LP_NUM_THREADS", "1")
    stack = build_stack(Pack(cache / "photos"), _people(data), 0)
    return scenes(stack, 0, count, (240, 320), only)


def train_process(
    rank: int,
    count: int,
    config: TrainConfig,
    data: Path,
    cache: Path,
    out: Path,
    meeting: Path,
    start: Path | None = None,
) -> None:
    """Train as process ``rank`` of ``count``; every process draws its own views."""
    join_group(rank, count, meeting)
    cv2.setNumThreads(0)
    teacher = Teacher(teacher_path(data), 1) if config.hint_weight else None
    trainer = Trainer(config, teacher, out)
    truths = [(Pack(cache / name), n) for name, n in config.truths_per_batch.items()]
    seed = config.seed * 1_000_003 + trainer.crops * 17 + rank
    photos = Pack(cache / "photos")
    stream = batches(
        photos,
        truths,
        config.photos_per_batch,
        lambda: crop_config(config, trainer.crops),
        seed,
        config.people_per_batch,
    )
    if start is not None and trainer.crops == 0:
        trainer.start_from(start, next(stream))
    run(trainer, stream)


def launch(
    config: TrainConfig,
    data: Path,
    cache: Path,
    out: Path,
    processes: int,
    start: Path | None = None,
) -> None:
    """Train a recipe in ``processes`` processes, going on from ``out/checkpoint.pt``.

    Without a checkpoint, begin with the weights of the exported file ``start`` if given.
    """
    out.mkdir(parents=True, exist_ok=True)
    prepare(config, data, cache)
    meeting = fresh_meeting(out)
    arguments = (processes, config, data, cache, out, meeting, start)
    if processes == 1:
        train_process(0, *arguments)
    else:
        torch.multiprocessing.spawn(train_process, arguments, nprocs=processes)
