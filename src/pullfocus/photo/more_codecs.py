"""imagecodecs, for what Pillow and tifffile cannot decode alone: more than 8 bits, rare kinds."""

from __future__ import annotations

from typing import Any

from pullfocus.errors import MissingModelError


def more_codecs(what: str) -> Any:
    """Return the module imagecodecs, without which `what` cannot be done.

    Raises:
        MissingModelError: it is not installed.
    """
    try:
        import imagecodecs
    except ImportError as error:
        raise MissingModelError(
            f"{what} needs the package imagecodecs, which is not installed; try: "
            "pip install imagecodecs."
        ) from error
    return imagecodecs
