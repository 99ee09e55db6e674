"""Label a folder of photos into shards, going on where an earlier run was stopped.

A shard is a plain tar in webdataset's layout: ``KEY.jpg`` (the photo), ``KEY.disparity.png`` and
``KEY.confidence.png`` (16 and 8 bits), ``KEY.json`` (name, model, range of the disparity, score).
A shard is written whole or not at all; the photos of whole shards are not labelled again.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from pullfocus.depth.estimator import Estimator
from pullfocus.errors import CannotWriteError, UnreadableInputError, UsageError
from pullfocus.lab.data.dataset_files import OWN, pictures_below
from pullfocus.lab.pseudo_label.label import SCALES, Label, label_photo

PER_SHARD = 200
"""Photos in a shard: about 20 MB at 400 px."""
JPEG_QUALITY = 92
_JOB = "job.json"
Told = Callable[[str, float | None], None]
"""Told of every photo: its name, and its score or None if it could not be read."""


def label_folder(
    photos: Path,
    out: Path,
    model: Estimator,
    *,
    long_side: int = 400,
    scales: tuple[float, ...] = SCALES,
    per_shard: int = PER_SHARD,
    told: Told = lambda _name, _score: None,
) -> int:
    """Label every photo below a folder; return how many are labelled now, earlier runs included.

    Photos that cannot be read are passed over (``told`` hears of them).

    Raises:
        UnreadableInputError: the folder is missing or holds no photo.
        UsageError: ``out`` holds labels of another model or other settings.
        CannotWriteError: ``out`` cannot be written to.
    """
    found = pictures_below(photos)
    job = {"model": model.id, "long_side": long_side, "scales": list(scales)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        done = _going_on(out, job)
        todo = [path for path in found if _key(path, photos) not in done]
        for rows in _shards(_labelled(todo, photos, model, long_side, scales, told), per_shard):
            _write_shard(out, rows, job)
            done |= {key for key, _, _ in rows}
    except OSError as error:
        raise CannotWriteError(
            f"{out} cannot be written to ({error.strerror}); choose another folder."
        ) from None
    return len(done)


Row = tuple[str, np.ndarray, Label]
"""A photo's name in the folder, its pixels as labelled, its label."""


def _labelled(
    paths: list[Path],
    root: Path,
    model: Estimator,
    long_side: int,
    scales: tuple[float, ...],
    told: Told,
) -> Iterator[Row]:
    for path in paths:
        name = _key(path, root)
        try:
            rgb = OWN.rgb(path)
        except UnreadableInputError:
            told(name, None)
            continue
        label = label_photo(rgb, model, scales, long_side)
        size = label.disparity.shape[::-1]
        told(name, label.score)
        yield name, np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)), label


def _shards(rows: Iterator[Row], count: int) -> Iterator[list[Row]]:
    held: list[Row] = []
    for row in rows:
        held.append(row)
        if len(held) == count:
            yield held
            held = []
    if held:
        yield held


def _going_on(out: Path, job: dict[str, object]) -> set[str]:
    """Return the names that whole shards hold, after checking that they are of this job."""
    path = out / _JOB
    if path.exists() and (before := json.loads(path.read_text())) != job:
        raise UsageError(f"{out} holds labels of {before}, not {job}; choose another folder.")
    path.write_text(json.dumps(job))
    listings = sorted(out.glob("shard-*.names"))
    return {name for listing in listings for name in listing.read_text().splitlines()}


def _write_shard(out: Path, rows: list[Row], job: dict[str, object]) -> None:
    """Write the tar, then the list of its names: a tar without its list is written again."""
    number = len(list(out.glob("shard-*.names")))
    path = out / f"shard-{number:06d}.tar"
    partial = path.with_suffix(".partial")
    with tarfile.open(partial, "w") as tar:
        for row in rows:
            for ending, data in _members(row, job).items():
                member = tarfile.TarInfo(f"{_stem(row[0])}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    os.replace(partial, path)
    path.with_suffix(".names").write_text("\n".join(name for name, _, _ in rows))


def _members(row: Row, job: dict[str, object]) -> dict[str, bytes]:
    name, rgb, label = row
    low, high = float(label.disparity.min()), float(label.disparity.max())
    codes = (label.disparity - low) / max(high - low, 1e-6) * 65535
    facts = {"name": name, "low": low, "high": high, "score": label.score, "model": job["model"]}
    return {
        "jpg": _encoded(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
        "disparity.png": _encoded(".png", np.rint(codes).astype(np.uint16)),
        "confidence.png": _encoded(".png", np.rint(label.confidence * 255).astype(np.uint8)),
        "json": json.dumps(facts).encode(),
    }


def _encoded(ending: str, values: np.ndarray, how: list[int] | None = None) -> bytes:
    return bytes(cv2.imencode(ending, values, how or [])[1])


def _key(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _stem(name: str) -> str:
    """Return the name without dots and slashes, as webdataset's keys want it."""
    return name.replace(".", "_").replace("/", "--")
