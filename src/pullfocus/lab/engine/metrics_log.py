"""The numbers and pictures of a run: log.jsonl always, and whatever loggers are attached."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pullfocus.errors import UsageError


class Logger(Protocol):
    """Where a run's numbers go beside ``log.jsonl``: TensorBoard, Weights & Biases, MLflow ..."""

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """Take loss terms or scores after ``step`` steps."""

    def picture(self, step: int, name: str, rgb: np.ndarray) -> None:
        """Take a h w 3 uint8 picture."""

    def close(self) -> None:
        """Write out what is still held; the run ends."""


OpenLogger = Callable[[Path, dict[str, Any], int], Logger]
"""Opens a logger for a run: its folder, its settings as plain values, the step it goes on from."""


class MetricsLog:
    """Rows of a run in ``log.jsonl``, and the same numbers to every logger.

    Rows after ``step`` are removed: they were written by a run that was killed before its next
    checkpoint, and those steps are done again.
    """

    def __init__(self, out: Path, step: int, loggers: Sequence[Logger] = ()) -> None:
        self.path = out / "log.jsonl"
        _cut(self.path, step)
        self.loggers = tuple(loggers)

    def row(self, step: int, values: Mapping[str, float], **facts: Any) -> None:
        """Write one row: values go to the loggers too, facts only into the file."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step} | facts | dict(values)) + "\n")
        for logger in self.loggers:
            logger.row(step, values)

    def picture(self, step: int, name: str, rgb: np.ndarray) -> None:
        """Hand a h w 3 uint8 picture to the loggers."""
        for logger in self.loggers:
            logger.picture(step, name, rgb)

    def close(self) -> None:
        """Close every logger."""
        for logger in self.loggers:
            logger.close()


class TensorBoard:
    """TensorBoard's event files in ``OUT/tensorboard``."""

    def __init__(self, out: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """Add one scalar a value."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, rgb: np.ndarray) -> None:
        """Add an image."""
        self._writer.add_image(name, rgb, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close the files."""
        self._writer.close()


def logger_named(name: str) -> OpenLogger:
    """Return the function that MODULE:FUNCTION names; it opens a logger.

    Raises:
        UsageError: there is no such module or function.
    """
    module, _, function = name.partition(":")
    try:
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
    except (ImportError, ValueError, AttributeError) as problem:
        raise UsageError(
            f"--logger {name} names no function ({problem}); give MODULE:FUNCTION, a function of "
            "(folder, settings, step) in a module that Python can import."
        ) from None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a log; a last line cut short by a kill is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def has_tensorboard() -> bool:
    """Tell whether the tensorboard package is installed."""
    return find_spec("tensorboard") is not None


def _cut(path: Path, step: int) -> None:
    kept = [row for row in read_rows(path) if row["step"] <= step] if step else []
    if path.exists():
        partial = path.with_suffix(".partial")
        text = "".join(json.dumps(row) + "\n" for row in kept)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
