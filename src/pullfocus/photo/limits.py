"""What reading one photo may cost; checked from headers, before anything is decoded.

Each limit is a setting: `max_megapixels` of `Settings` and `load`, the others by environment.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from pullfocus.errors import UsageError

MAX_MEGAPIXELS = 200.0
BYTES_PER_PIXEL = 24
"""What decoding takes at the least: the codec's planes, samples, and linear light (12 bytes)."""
SMALL_MEGAPIXELS = 32.0
"""Pictures up to this size may be as flat as they like; see `Limits.pixels_per_byte`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings for one file.

    memory_gb: of decoding (PULLFOCUS_MAX_MEMORY_GB); None is what is free on this machine.
    pixels_per_byte: larger pictures that claim more pixels per byte of file than any photo is
        compressed to are refused (PULLFOCUS_MAX_PIXELS_PER_BYTE). A photo at the lowest quality
        has about 100, Deflate reaches 1032 on one flat grey.
    jpeg_scans: passes over a progressive JPEG (PULLFOCUS_MAX_JPEG_SCANS); cameras and programs
        write up to about 12.
    metadata_mb: of all unpacked texts, profiles and packets (PULLFOCUS_MAX_METADATA_MB).
    """

    memory_gb: float | None = None
    pixels_per_byte: float = 1100.0
    jpeg_scans: float = 100.0
    metadata_mb: float = 64.0


DEFAULT_LIMITS = Limits()


def limits_from_environment() -> Limits:
    """Read the limits that the environment sets, the defaults for all others.

    Raises:
        UsageError: a limit that is no positive number.
    """
    usual = DEFAULT_LIMITS
    return Limits(
        memory_gb=_number("PULLFOCUS_MAX_MEMORY_GB", usual.memory_gb),
        pixels_per_byte=_number("PULLFOCUS_MAX_PIXELS_PER_BYTE", usual.pixels_per_byte) or 0.0,
        jpeg_scans=_number("PULLFOCUS_MAX_JPEG_SCANS", usual.jpeg_scans) or 0.0,
        metadata_mb=_number("PULLFOCUS_MAX_METADATA_MB", usual.metadata_mb) or 0.0,
    )


def _number(name: str, usual: float | None) -> float | None:
    text = os.environ.get(name, "").strip()
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{name} must be a positive number, not {text!r}; unset it or change it.")
    return value
