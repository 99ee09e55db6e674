"""Read labelled photos from shards, decoded ahead of training by a thread of their own."""

from __future__ import annotations

import json
import queue
import tarfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.errors import UnreadableInputError

AHEAD = 32
"""Photos decoded before they are asked for."""


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """A photo with its pseudo-label, all of one size.

    Attributes:
        disparity: relative, larger = nearer. confidence: 0..1. score: its mean.
    """

    name: str
    rgb: UInt8[np.ndarray, "h w 3"]
    disparity: Float32[np.ndarray, "h w"]
    confidence: Float32[np.ndarray, "h w"]
    score: float


def shard_paths(folder: Path) -> list[Path]:
    """Return a folder's whole shards.

    Raises:
        UnreadableInputError: it holds none.
    """
    paths = sorted(p.with_suffix(".tar") for p in folder.glob("shard-*.names"))
    if not paths:
        raise UnreadableInputError(
            f"{folder} holds no labelled photos; run `pullfocus lab pseudo-label` first."
        )
    return paths


def read_shards(
    paths: Sequence[Path], seed: int | None = None, worker: int = 0, workers: int = 1
) -> Iterator[LabelledPhoto]:
    """Yield the photos of shards once, decoded by a thread that runs ahead.

    Args:
        paths: of `shard_paths`.
        seed: shuffles shards and, in each, photos; None keeps their order.
        worker, workers: this process's number and how many share the shards.

    Raises:
        UnreadableInputError: a shard is missing or damaged.
    """
    rng = None if seed is None else np.random.default_rng(seed)
    order = list(paths) if rng is None else [paths[i] for i in rng.permutation(len(paths))]
    ahead: queue.Queue[LabelledPhoto | Exception | None] = queue.Queue(AHEAD)
    stop = threading.Event()
    reader = threading.Thread(
        target=_fill, args=(ahead, order[worker::workers], rng, stop), daemon=True
    )
    reader.start()
    try:
        while (item := ahead.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        while reader.is_alive():  # it may be waiting for room
            while not ahead.empty():
                ahead.get_nowait()
            reader.join(0.01)


def _fill(
    ahead: queue.Queue[LabelledPhoto | Exception | None],
    paths: list[Path],
    rng: np.random.Generator | None,
    stop: threading.Event,
) -> None:
    try:
        for path in paths:
            for photo in _photos(path, rng):
                ahead.put(photo)
                if stop.is_set():
                    return
        ahead.put(None)
    except Exception as error:  # noqa: BLE001 - handed to the thread that asked
        ahead.put(error)


def _photos(path: Path, rng: np.random.Generator | None) -> Iterator[LabelledPhoto]:
    try:
        with tarfile.open(path) as tar:
            members = {member.name: member for member in tar}
            keys = sorted(name.removesuffix(".json") for name in members if name.endswith(".json"))
            for i in range(len(keys)) if rng is None else rng.permutation(len(keys)):
                parts = ("jpg", "disparity.png", "confidence.png", "json")
                yield _decoded(*(_bytes(tar, members[f"{keys[i]}.{part}"]) for part in parts))
    except (OSError, tarfile.TarError, KeyError, ValueError, cv2.error) as error:
        raise UnreadableInputError(
            f"{path} is damaged or gone ({error}); delete it and its .names, then label again."
        ) from None


def _bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> np.ndarray:
    file = tar.extractfile(member)
    return np.frombuffer(file.read() if file else b"", np.uint8)


def _decoded(
    photo: np.ndarray, disparity: np.ndarray, confidence: np.ndarray, facts: np.ndarray
) -> LabelledPhoto:
    said = json.loads(facts.tobytes())
    codes = _picture(disparity, cv2.IMREAD_UNCHANGED).astype(np.float32) / 65535
    values = said["low"] + codes * (said["high"] - said["low"])
    sure = _picture(confidence, cv2.IMREAD_UNCHANGED).astype(np.float32) / 255
    rgb = np.ascontiguousarray(_picture(photo, cv2.IMREAD_COLOR)[:, :, ::-1])
    return LabelledPhoto(said["name"], rgb, values.astype(np.float32), sure, said["score"])


def _picture(data: np.ndarray, mode: int) -> np.ndarray:
    values = cv2.imdecode(data, mode)
    if values is None:
        raise ValueError("a picture in it cannot be decoded")
    return np.asarray(values)
