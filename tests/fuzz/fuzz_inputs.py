"""Damaged inputs: seeds that are good, and what is done to them, decided by a number."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fuzz_pictures
import fuzz_requests
import fuzz_videos
import numpy as np
from fuzz_damage import Chance, damaged_bytes, mixed
from fuzz_json import damaged_json

from pullfocus.depth.card import embedded_path

SIDECAR = {
    "pullfocus": "0.1.0",
    "sidecar_version": 1,
    "settings": {"at": [0.4, 0.6], "f_number": 1.8, "blades": 7, "depth_file": "cat.png"},
    "record": {"photo": "cat.jpg", "size_hw": [48, 64]},
}
SCRIPT = {
    "version": 1,
    "subjects": {"anna": {"point": [0.4, 0.5]}, "dog": {"box": [0.1, 0.1, 0.4, 0.9], "at_s": 2}},
    "decisions": [
        {"at_s": 0, "focus": {"subject": "anna"}, "also": ["dog"], "range": [0.9, 0.5]},
        {"at_s": 1.5, "focus": {"disparity": 0.3}, "strength": "weak", "easing": "ease-in"},
    ],
    "apertures": [{"at_s": 0.5, "f_number": 2.8, "change_s": 1}],
}
CARD = {
    "kind": "relative disparity",
    "polarity": "larger = nearer",
    "licence": "MIT",
    "preprocessing": {"mean": [0, 0, 0], "std": [1, 1, 1], "range": [0, 1], "long_side": 64},
}
CONFIG = {
    "model_type": "dpt",
    "patch_size": 16,
    "image_size": 384,
    "depth_estimation_type": "relative",
    "backbone_config": {"hidden_size": 384, "out_features": ["stage3", "stage6"]},
}
PREPROCESSOR = {
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "size": {"height": 384, "width": 384},
    "keep_aspect_ratio": True,
    "ensure_multiple_of": 32,
}
SEEDS: dict[str, Any] = {
    "sidecar": SIDECAR,
    "script": SCRIPT,
    "http settings": {"at": [0.4, 0.6], "f_number": 1.8, "blades": 7, "range": [0.9, 0.5]},
    "card": CARD,
    "config": CONFIG,
    "preprocessor": PREPROCESSOR,
}


def inputs(loader: str, seed: int, count: int, folder: Path) -> Iterator[Path]:
    """Write inputs for a loader, each decided by the seed and its number alone."""
    for number in range(count):
        chance = np.random.default_rng([seed, number, *loader.encode()])
        yield WRITERS.get(loader, _json_file)(loader, number, chance, folder)


def _json_file(loader: str, number: int, chance: Chance, folder: Path) -> Path:
    path = folder / f"{number}.json"
    path.write_bytes(damaged_json(SEEDS[loader], chance))
    return path


def _card(loader: str, number: int, chance: Chance, folder: Path) -> Path:
    if not (beside := folder / "some.onnx").exists():
        shutil.copy(embedded_path(), beside)
    path = folder / "some.onnx.json"
    path.write_bytes(damaged_json(CARD, chance))
    return path


def _model_folder(loader: str, number: int, chance: Chance, folder: Path) -> Path:
    place = folder / str(number)
    place.mkdir()
    names = {"config": "config.json", "preprocessor": "preprocessor_config.json"}
    for kind, name in names.items():
        (place / name).write_text(json.dumps(SEEDS[kind]))
    path = place / names[loader]
    path.write_bytes(damaged_json(SEEDS[loader], chance))
    return path


def _network(loader: str, number: int, chance: Chance, folder: Path) -> Path:
    """Damage the graph, which lies before and after the weights, more often than the weights."""
    whole = embedded_path().read_bytes()
    path = folder / f"{number}.onnx"
    if chance.random() < 0.3:
        path.write_bytes(damaged_bytes(whole, chance))
        return path
    content, edge = bytearray(whole), 20_000
    for _ in range(int(chance.integers(1, 9))):
        place = int(chance.integers(0, edge)) * (1 if chance.random() < 0.5 else -1)
        content[place] = int(chance.integers(0, 256))
    path.write_bytes(content)
    return path


def _binary(
    take: Callable[[int, Chance], tuple[str, bytes]],
) -> Callable[[str, int, Chance, Path], Path]:
    """Return a writer of files whose names and bytes `take` decides."""

    def write(loader: str, number: int, chance: Chance, folder: Path) -> Path:
        name, content = take(number, chance)
        path = folder / f"{number}-{name}"
        path.write_bytes(content)
        return path

    return write


def _photo(number: int, chance: Chance) -> tuple[str, bytes]:
    return mixed(fuzz_pictures.photo_seeds())(number, chance)


def _depth(number: int, chance: Chance) -> tuple[str, bytes]:
    return mixed(fuzz_pictures.depth_seeds())(number, chance)


WRITERS: dict[str, Callable[[str, int, Chance, Path], Path]] = {
    "card": _card,
    "config": _model_folder,
    "preprocessor": _model_folder,
    "network": _network,
    "photo": _binary(_photo),
    "depth file": _binary(_depth),
    "video": _binary(fuzz_videos.video),
    "film": _binary(fuzz_videos.video),
    "http": _binary(fuzz_requests.request),
}
