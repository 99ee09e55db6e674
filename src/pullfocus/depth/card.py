"""What is known about a depth model before it runs: its card, kept by `registry`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

OutputKind = Literal["relative_disparity", "metric_disparity", "relative_depth", "metric_depth"]
OUTPUT_KINDS: tuple[OutputKind, ...] = (
    "relative_disparity",
    "metric_disparity",
    "relative_depth",
    "metric_depth",
)
ResizeRule = Literal["long_side", "short_side", "fixed", "pad"]
Source = Literal["embedded", "huggingface", "folder", "onnx"]
Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
HALF: Triple = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a network's input: (rgb * scale - mean) / std at a certain size.

    size_hw: what `rule` aims at, in pixels. scale: factor on the 0..255 codes.
    rule: "fixed" stretches to size_hw; "long_side" keeps the aspect with the longer side at
        max(size_hw); "short_side" keeps the aspect and changes the size as little as it can while
        one side fits (DPT's keep_aspect_ratio); "pad" reflects the border first, then "short_side"
        (ZoeDepth), and cuts the border off the answer.
    multiple: both sides are rounded to it.
    second_long_side: longer side of a second, mirrored run for photos (see `flip_averaging`); 0:
        there is none.
    """

    size_hw: tuple[int, int] = (384, 384)
    multiple: int = 32
    rule: ResizeRule = "long_side"
    scale: float = 1.0 / 255.0
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    second_long_side: int = 0


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A depth model's licence, output kind, preprocessing and place.

    id: what `--model` takes. licence: SPDX identifier, or "unknown".
    output: what its numbers mean; always turned into disparity, larger = nearer.
    location: file or folder for local models; None where the id says it all.
    size_mb: of the weights, about. note: one sentence people should know.
    """

    id: str
    licence: str
    output: OutputKind
    source: Source
    preprocessing: Preprocessing = Preprocessing()
    location: Path | None = None
    parameters_m: float | None = None
    size_mb: float | None = None
    note: str = ""

    @property
    def is_metric(self) -> bool:
        """Whether its depth has metres."""
        return self.output.startswith("metric")

    @property
    def installed(self) -> bool:
        """Whether the weights are on this machine; looks at files only, never at the network."""
        from pullfocus.depth.installed import is_installed

        return is_installed(self)
