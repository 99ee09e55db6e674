"""Say once that the first render compiles its kernels, so that nobody thinks it hangs."""

from __future__ import annotations

import warnings

from pullfocus import kernel_cache
from pullfocus.cli.console import say


def tell_first_run() -> None:
    """Tell the user when no compiled kernel of the renderer is on this machine yet."""
    if kernel_cache.is_filled():
        return
    if kernel_cache.writable_folder() is not None:
        say("The first run compiles the renderer; this takes half a minute or so, once.")
        return
    say(
        "The renderer is compiled anew in each run, half a minute or so: no folder can be written "
        "to keep it; set NUMBA_CACHE_DIR to one."
    )
    warnings.filterwarnings("ignore", message="pullfocus compiles anew")  # it has been said
