"""Say whether a model's weights are on this machine, without the network or heavy imports."""

from __future__ import annotations

import os
from pathlib import Path

from pullfocus.depth.card import ModelCard


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
