"""Rules of depth maps that every room asks: whose shape fits a photo, and what is too near."""

from __future__ import annotations

from pullfocus.errors import UsageError

NEAREST_M = 1e-3
"""What is nearer is no distance that a depth file can mean: such pixels are unknown."""


def same_aspect(depth_hw: tuple[int, int], photo_hw: tuple[int, int]) -> bool:
    """Tell whether a depth map can be of a photo: its aspect agrees within 2 %, or one pixel.

    Networks round both sides of their input to multiples of 14 or 32 pixels.
    """
    (h, w), (height, width) = depth_hw, photo_hw
    return abs(h / w / (height / width) - 1) <= 0.02 + 1.0 / min(h, w)


def check_aspect(depth_hw: tuple[int, int], photo_hw: tuple[int, int], name: str) -> None:
    """Refuse a depth map that cannot be of a photo. name: how to speak of the map.

    Raises:
        UsageError: another aspect, see `same_aspect`.
    """
    if same_aspect(depth_hw, photo_hw):
        return
    (h, w), (height, width) = depth_hw, photo_hw
    turned = same_aspect((w, h), photo_hw)
    hint = "turn it by 90 degrees" if turned else "use the map that was made from this very photo"
    raise UsageError(
        f"The depth map {name} is {w}x{h} and the photo {width}x{height}, another shape; {hint}."
    )
