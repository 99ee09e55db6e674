"""What a run says about itself: log.jsonl always, TensorBoard where it is installed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np


class Journal:
    """Rows of a run in ``log.jsonl``, and the same numbers as TensorBoard scalars.

    Rows after ``step`` are cut: they were written by a run that was killed before its next
    checkpoint, and its steps are done again.
    """

    def __init__(self, out: Path, step: int) -> None:
        self.path = out / "log.jsonl"
        _cut(self.path, step)
        self.board = _board(out / "tensorboard", step)

    def row(self, step: int, values: Mapping[str, float], **facts: Any) -> None:
        """Write one row: values become curves, facts are only noted."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step} | facts | dict(values)) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, rgb: np.ndarray) -> None:
        """Show a h w 3 uint8 picture on the board."""
        if self.board is not None:
            self.board.add_image(name, rgb, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what the board still holds."""
        if self.board is not None:
            self.board.close()


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


def _board(folder: Path, step: int) -> Any:
    if not has_tensorboard():
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
