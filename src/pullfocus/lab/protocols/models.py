"""Any model by what a person calls it: the registry's names and files, checkpoints, a baseline."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pullfocus.depth import open_estimator
from pullfocus.depth.card import ModelCard
from pullfocus.depth.estimator import Estimator, RawDepth
from pullfocus.lab.protocols.quick import lower_row_is_nearer

LOWER_ROW = "lower-row"
"""The baseline "lower row = nearer", to stand beside every score."""
CHECKPOINTS = (".pt", ".ckpt")


class LowerRow:
    """An estimator that looks at nothing."""

    id = LOWER_ROW
    card = ModelCard(LOWER_ROW, "MIT", "relative_disparity", "embedded")

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        """Return disparity that grows with the row, 0 to 1."""
        return RawDepth(lower_row_is_nearer(rgb), self.card.output)


@dataclass(frozen=True)
class Exported:
    """The estimator of a checkpoint's exported file, under the checkpoint's name."""

    inner: Estimator
    id: str

    @property
    def card(self) -> ModelCard:
        """The inner one's, under this name."""
        return replace(self.inner.card, id=self.id)

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        """Ask the inner one."""
        return self.inner.estimate(rgb)


def open_model(model: str | Path | None) -> Estimator:
    """Return the estimator of a name, Hugging Face id or folder, .onnx file, or checkpoint.

    A checkpoint is exported first, so that what is measured is what would be shipped.

    Raises:
        UsageError, MissingModelError, UnreadableInputError: see `depth.open_estimator` and
            `lab.export`.
    """
    if model == LOWER_ROW:
        return LowerRow()
    if model is None or Path(model).suffix not in CHECKPOINTS:
        return open_estimator(model)
    from pullfocus.lab.export.onnx import export_checkpoint

    folder = tempfile.mkdtemp(prefix="pullfocus-checkpoint-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the session opens it again
    path = Path(folder) / "checkpoint.onnx"
    export_checkpoint(Path(model), path)
    return Exported(open_estimator(path), str(model))
