"""Runnable training recipes, one file each, and the table of what they reached (RESULTS.md)."""

from __future__ import annotations

from pullfocus.lab.recipes.compact import (
    compact,
    compact_more,
    compact_people,
    compact_tiny,
    compact_truth,
)
from pullfocus.lab.train import TrainConfig

RECIPES: dict[str, TrainConfig] = {
    "compact": compact(),
    "compact-more": compact_more(),
    "compact-truth": compact_truth(),
    "compact-people": compact_people(),
    "compact-tiny": compact_tiny(),
}
"""Recipes by the name that ``python -m pullfocus.lab train`` takes."""
