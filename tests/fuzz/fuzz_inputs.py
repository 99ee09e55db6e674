"""Damaged inputs: seeds that are good, and what is done to them, decided by a number."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.depth.installed import embedded_path

Chance = np.random.Generator
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
    "http settings": SIDECAR["settings"],
    "card": CARD,
    "config": CONFIG,
    "preprocessor": PREPROCESSOR,
}
HOSTILE: list[str] = [
    "null", "true", "0", "-1", "-0.0", "1e999", "-1e999", "1e-320", "NaN", "Infinity", "9" * 30,
    "9" * 5000, "2147483648", "0.1e1", '""', '"\\u0000"', '"\\ud800"', '"\\u001b[2J"', '"../../x"',
    '"/dev/zero"', '"nan"', '"1e9999"', "[]", "{}", "[[[[]]]]", '{"a": 1}', "[0.5]", "[1, 2, 3]",
    "[null, null]", '"' + "x" * 50_000 + '"', "[" * 200 + "]" * 200, '"हिन्दी"', '"a\\nb"',
]  # fmt: skip
"""JSON texts that take the place of a value."""


def damaged_bytes(content: bytes, chance: Chance) -> bytes:
    """Flip bits, cut, delete, repeat or put in something else, one to four times."""
    out = bytearray(content)
    for _ in range(int(chance.integers(1, 5))):
        first = int(chance.integers(0, max(1, len(out))))
        length = int(min(2 ** chance.integers(0, 12), len(out)))
        does = int(chance.integers(0, 6))
        if does == 0 and out:
            out[first] ^= 1 << int(chance.integers(0, 8))
        elif does == 1:
            del out[first:]
        elif does == 2:
            del out[first : first + length]
        elif does == 3:
            out[first:first] = out[first : first + length]
        elif does == 4:
            out[first:first] = chance.bytes(min(length, 64))
        else:
            out[first : first + length] = bytes([int(chance.choice([0, 255, 0x80]))]) * length
    return bytes(out)


def damaged_json(seed: Any, chance: Chance) -> bytes:
    """Put hostile values in the place of good ones, drop and add keys, damage the text."""
    marked = json.loads(json.dumps(seed))
    texts: dict[str, str] = {}
    for _ in range(int(chance.integers(1, 4))):
        holder = _somewhere(marked, chance)
        if isinstance(holder, dict) and chance.random() < 0.3:
            holder[str(chance.choice(["x", "settings", "at", "kind", "\u200d", "é" * 300]))] = 1
        elif holder:
            place = _place(holder, chance)
            if chance.random() < 0.2:
                del holder[place]
            else:
                mark = f"@{len(texts)}@"
                texts[f'"{mark}"'] = HOSTILE[int(chance.integers(len(HOSTILE)))]
                holder[place] = mark
    text = json.dumps(marked)
    for mark, hostile in texts.items():
        text = text.replace(mark, hostile)
    content = text.encode()
    return damaged_bytes(content, chance) if chance.random() < 0.25 else content


def _somewhere(value: Any, chance: Chance) -> Any:
    """Return a random list or mapping inside a value."""
    while True:
        inner = value.values() if isinstance(value, dict) else value
        deeper = [child for child in inner if isinstance(child, dict | list)]
        if not deeper or chance.random() < 0.4:
            return value
        value = deeper[int(chance.integers(len(deeper)))]


def _place(holder: Any, chance: Chance) -> Any:
    places = list(holder) if isinstance(holder, dict) else range(len(holder))
    return places[int(chance.integers(len(places)))]


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


WRITERS: dict[str, Callable[[str, int, Chance, Path], Path]] = {
    "card": _card,
    "config": _model_folder,
    "preprocessor": _model_folder,
    "network": _network,
}
