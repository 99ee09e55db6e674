"""imagecodecs, for what Pillow and tifffile cannot decode alone: more than 8 bits, rare kinds."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def to_full_range(codes: np.ndarray, bits: int) -> np.ndarray:
    """Stretch codes of so many bits to 8 or 16: uint8 up to 8 bits, else uint16."""
    to, dtype = (8, np.uint8) if bits <= 8 else (16, np.uint16)
    top = (1 << bits) - 1
    table = np.rint(np.arange(top + 1) * (((1 << to) - 1) / top)).astype(dtype)
    return np.asarray(table[np.minimum(codes, top)])
