"""A run's state on disk: written whole or not at all, read back after a kill."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.engine.recipe import Recipe

NAME = "checkpoint.pt"
FORMAT = "pullfocus-lab-1"
BEST = "best.pt"
FREE_TO_CHANGE = {"epochs", "steps", "workers", "save_every", "measure_every"}
"""Settings that may differ when a run goes on."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on, and what export needs to know.

    Attributes:
        recipe: name it was started by.
        settings: of the recipe, as plain values.
        step: steps done.
        seconds: spent training so far.
        system, optimiser: state dicts.
        scaler: state of the fp16 gradient scaler, or None.
        average: of a ``WeightAverage``, with the "buffers" that were measured for it; or None.
        best: the best held-out score so far, or None.
    """

    recipe: str
    settings: dict[str, Any]
    step: int
    seconds: float
    system: dict[str, Any]
    optimiser: dict[str, Any]
    scaler: dict[str, Any] | None
    average: dict[str, Any] | None = None
    best: float | None = None

    def system_as_used(self) -> dict[str, Any]:
        """Return the state dict to score or export: with averaged weights where there are any."""
        if self.average is None:
            return self.system
        return self.system | self.average["weights"] | self.average["buffers"]

    def write(self, path: Path) -> None:
        """Write to disk and wait until it is there; the old file stays until then."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            torch.save({"format": FORMAT} | vars(self), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of this engine.

    Raises:
        UnreadableInputError: not there, or not a checkpoint of ``pullfocus lab train``.
    """
    state = _read_state(path)
    if isinstance(state, dict) and {"average", "hint_scale", "crops"} <= set(state):
        raise UnreadableInputError(
            f"{path} was written by an earlier version, which trained the embedded network apart: "
            "export it with that version, then begin a new run with --start FILE.onnx."
        )
    if not isinstance(state, dict) or state.pop("format", None) != FORMAT:
        raise UnreadableInputError(f"{path} was not written by `pullfocus lab train`.")
    return Checkpoint(**state)


def _read_state(path: Path) -> Any:
    if not path.is_file():
        raise UnreadableInputError(
            f"{path} is not there; a checkpoint is the file {NAME} in the folder of a run."
        )
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as problem:  # noqa: BLE001 - pickle raises whatever the bytes make it raise
        raise UnreadableInputError(f"{path} is not a checkpoint ({problem}).") from None


def resumable(path: Path, name: str, recipe: Recipe) -> Checkpoint | None:
    """Return the checkpoint a run goes on from, None when it begins.

    Raises:
        UsageError: the folder holds a run with other settings.
    """
    if not path.exists():
        return None
    found = read_checkpoint(path)
    if found.recipe != name:
        different = [f"recipe {found.recipe} not {name}"]
    else:
        kept = type(recipe).read(found.settings).model_dump(mode="json")
        wanted = recipe.model_dump(mode="json")
        different = [
            f"{key} {kept[key]!r} not {value!r}"
            for key, value in wanted.items()
            if key not in FREE_TO_CHANGE and kept[key] != value
        ]
    if different:
        raise UsageError(
            f"{path.parent} holds a run with {'; '.join(different)}: choose another --out, "
            "or the settings it was started with."
        )
    return found
