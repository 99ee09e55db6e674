"""Every recipe of the engine by the name that ``pullfocus lab train`` takes, and back from disk."""

from __future__ import annotations

import difflib
from pathlib import Path

from pullfocus.errors import UsageError
from pullfocus.lab.engine.checkpoint import Checkpoint, read_checkpoint
from pullfocus.lab.engine.recipe import Recipe
from pullfocus.lab.engine.system import System
from pullfocus.lab.recipes import compact, dynamic, stereo, supervised, two_heads

CATALOGUE: dict[str, Recipe] = {
    **stereo.RECIPES,
    **dynamic.RECIPES,
    **supervised.RECIPES,
    **two_heads.RECIPES,
    **compact.RECIPES,
}
KINDS: dict[str, type[Recipe]] = {r.kind: type(r) for r in CATALOGUE.values()}


def recipe_named(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        UsageError: there is none; the nearest names are suggested.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    near = difflib.get_close_matches(name, CATALOGUE, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(CATALOGUE)}."
    raise UsageError(f"There is no recipe {name!r}; {hint}")


def trained_system(path: Path) -> System:
    """Return the system of a checkpoint in evaluation mode, with averaged weights if it has any.

    Raises:
        UnreadableInputError: see ``read_checkpoint``.
        UsageError: it was written with settings that this version does not know.
    """
    return system_of(read_checkpoint(path))


def system_of(found: Checkpoint) -> System:
    """Return the system that a checkpoint holds; see ``trained_system``."""
    system = KINDS[str(found.settings["kind"])].read(found.settings).build()
    system.load_state_dict(found.system_as_used())
    return system.eval()
