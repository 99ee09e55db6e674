"""Free memory, so that a photo too large for this machine is refused with a sentence."""

from __future__ import annotations

from pullfocus.errors import PullfocusError
from pullfocus.memory import free_bytes, total_bytes

__all__ = ["BYTES_PER_PIXEL", "check_memory", "free_bytes", "total_bytes"]

BYTES_PER_PIXEL = 60
"""What one photo needs on the line, measured at 12 MP by benchmarks/cold_start.py, at the least."""


def check_memory(size_hw: tuple[int, int]) -> None:
    """Refuse a photo that cannot be worked on here.

    Raises:
        PullfocusError: too little free memory, with what to do.
    """
    needed, free = size_hw[0] * size_hw[1] * BYTES_PER_PIXEL, free_bytes()
    if free is not None and needed > free:
        raise PullfocusError(
            f"A photo of {size_hw[0] * size_hw[1] / 1e6:.0f} megapixels needs about "
            f"{needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: close programs or "
            "make the photo smaller."
        )
