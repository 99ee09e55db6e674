"""What is compared: a folder of results, a run, or a model that is asked now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pullfocus.errors import UnreadableInputError
from pullfocus.lab.data.dataset_files import OWN
from pullfocus.lab.protocols.alignment import disparity_of
from pullfocus.lab.protocols.models import open_model
from pullfocus.lab.protocols.summary import Summary, read_summary
from pullfocus.lab.sheet import coloured

Curve = list[tuple[float, float]]
"""Points (step, value), steps rising."""
LOG = "log.jsonl"
STEPS = ("step", "crops")
"""What a log's rows count by: the engine's and the compact recipe's word."""


@dataclass(frozen=True, eq=False)
class ComparedSource:
    """One column of the comparison.

    Attributes:
        name: as it was given.
        summaries: results under protocols.
        curves: of its training log, by the name of the value.
        pictures: rows of photo, truth, answer and error that an evaluation left, by image.
        depths: depth of the photos that are compared, by photo (models only).
    """

    name: str
    summaries: list[Summary] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    depths: dict[str, np.ndarray] = field(default_factory=dict)


def open_source(
    given: str, photos: Sequence[Path] = (), scored: Path | None = None
) -> ComparedSource:
    """Return what a name or path stands for.

    A folder with results or a log in it (or right below it) is read; anything else is a model,
    which is asked about the photos. ``scored`` is the folder of results that a model has by now.

    Raises:
        UsageError, MissingModelError, UnreadableInputError: no such model, or damaged files.
    """
    if scored is not None:
        return replace(_read(given, scored), depths=_asked(given, photos))
    folder = Path(given)
    if _result_folders(folder) or (folder / LOG).exists():
        return _read(given, folder)
    return ComparedSource(given, depths=_asked(given, photos))


def _read(name: str, folder: Path) -> ComparedSource:
    summaries = {result: read_summary(result) for result in _result_folders(folder)}
    curves = read_curves(folder / LOG) if (folder / LOG).exists() else {}
    pictures = {
        f"{summary.protocol}/{path.stem}": path
        for result, summary in summaries.items()
        for path in sorted((result / "pictures").glob("*.jpg"))
    }
    return ComparedSource(name, list(summaries.values()), curves, pictures)


def _asked(name: str, photos: Sequence[Path]) -> dict[str, np.ndarray]:
    model, depths = open_model(name), {}
    for path in photos:
        rgb = OWN.rgb(path)
        depths[path.name] = coloured(disparity_of(model.estimate(rgb), rgb.shape[:2]))
    return depths


def read_curves(path: Path) -> dict[str, Curve]:
    """Return every number of a training log over its steps.

    Raises:
        UnreadableInputError: a row is no JSON object (the last one may be cut off).
    """
    curves: dict[str, Curve] = {}
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = dict(json.loads(line))
        except (ValueError, TypeError):
            if number == len(lines):
                break
            raise UnreadableInputError(
                f"{path}, line {number}, is no row of a training log; delete that line."
            ) from None
        at = next((row.pop(word) for word in STEPS if word in row), float(number))
        for name, value in row.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                curves.setdefault(name, []).append((float(at), float(value)))
    return curves


def _result_folders(folder: Path) -> list[Path]:
    if (folder / "summary.json").exists():
        return [folder]
    return sorted(path.parent for path in folder.glob("*/summary.json")) if folder.is_dir() else []
