"""Say once that the first render compiles its kernels, so that nobody thinks it hangs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pullfocus.cli.console import say

RENDER = Path(__file__).resolve().parent.parent / "render"


def tell_first_run() -> None:
    """Tell the user when no compiled kernel of the renderer is on this machine yet."""
    if not any(folder.is_dir() and any(folder.rglob("*kernels*.nbi")) for folder in _caches()):
        say("The first run compiles the renderer; this takes half a minute or so, once.")


def _caches() -> Iterator[Path]:
    """Where numba keeps what it compiled: as told, beside the source, or in the user's cache.

    Source: numba/core/caching.py, the order of its locators.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given)
        return
    yield RENDER / "__pycache__"
    import platformdirs

    yield Path(platformdirs.user_cache_dir("numba", appauthor=False))
