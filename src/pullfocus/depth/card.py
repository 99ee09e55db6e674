"""What is known about a depth model before it runs: its card, kept by `registry`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import isfinite
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
LARGEST_SIDE_PX = 4096
"""Of a network's input: what a model file may ask for; 200 MB in float32."""
LARGEST_MULTIPLE = 1024
LARGEST_CODE = 1e4
"""Of mean, deviation and scale, either way; real ones lie between 1/255 and 255."""


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

    def __post_init__(self) -> None:
        """Refuse what no network needs and what would exhaust the memory.

        Raises:
            ValueError: a size or a number out of bounds, in a few words.
        """
        sizes = {"height": self.size_hw[0], "width": self.size_hw[1]}
        for name, side in sizes.items():
            _within(name, side, 1, LARGEST_SIDE_PX)
        _within("multiple_of", self.multiple, 1, LARGEST_MULTIPLE)
        _within("second_long_side", self.second_long_side, 0, LARGEST_SIDE_PX)
        _within("range", self.scale, 1 / LARGEST_CODE, LARGEST_CODE)
        for mean, std in zip(self.mean, self.std, strict=True):
            _within("mean", mean, -LARGEST_CODE, LARGEST_CODE)
            _within("std", std, 1 / LARGEST_CODE, LARGEST_CODE)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} lies between {low:g} and {high:g}, not {value:.6g}")


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

        return is_installed(self)


def embedded_path() -> Path:
    """Return where the embedded depth network lies inside the package."""
    return Path(__file__).parent / "weights" / "depth.onnx"


def subjects_path() -> Path:
    """Return where the network that finds people and salient subjects lies inside the package."""
    return Path(__file__).parent / "weights" / "subjects.onnx"


def hub_cache() -> Path:
    """Return huggingface_hub's cache folder: HF_HUB_CACHE, else HF_HOME/hub, else the default.

    Source: huggingface_hub, "Environment variables".
    """
    if cache := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(os.path.expanduser(cache))
    if home := os.environ.get("HF_HOME"):
        return Path(os.path.expanduser(home)) / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base)) / "huggingface" / "hub"


def is_installed(card: ModelCard) -> bool:
    """Say whether the weights of `card` can be loaded without the network."""
    if card.source == "embedded":
        return embedded_path().is_file()
    if card.source == "huggingface":
        snapshots = hub_cache() / ("models--" + card.id.replace("/", "--")) / "snapshots"
        return any(snapshots.glob("*/*.safetensors")) or any(snapshots.glob("*/*.bin"))
    return card.location is not None and card.location.exists()
