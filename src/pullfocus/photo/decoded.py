"""What a decoder hands over: pixels as the file stores them, and the raw metadata blocks."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullfocus.types import DepthMap

# What image libraries throw at damaged files; anything else is a bug of ours and may surface.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
BOUNDLESS = 1e30
"""Float samples of this size or more mean infinity or "no data": programs write +-3.4e38 for it."""


@dataclass(slots=True)
class Decoded:
    """A picture before orientation and tone curve.

    pixels: (h, w, 3), or (h, w) when grey; uint8, uint16 or float32, encoded unless
        `linear_samples`.
    alpha: (h, w), straight, dtype of the pixels, or None.
    exif: a TIFF-structured block without the "Exif" prefix; orientation still as in the file.
    orientation: 1..8, what remains to be applied to the pixels.
    broken: float samples that were NaN or infinite and became 0.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int = 1
    linear_samples: bool = False
    broken: int = 0
    depth: DepthMap | None = None
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
