"""A box around something in a picture, in fractions: what subjects, faces and trackers share."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """Left, top, right, bottom in fractions 0..1 of the upright picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) in fractions."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def area(self) -> float:
        """Share of the picture; 0 for a box without inside."""
        return max(self.right - self.left, 0.0) * max(self.bottom - self.top, 0.0)

    def overlap(self, other: Box) -> float:
        """Return intersection over union, 0..1."""
        both = self.common(other).area
        return both / max(self.area + other.area - both, 1e-12)

    def common(self, other: Box) -> Box:
        """Return what both cover; its area is 0 when they do not meet."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def holds(self, x: float, y: float) -> bool:
        """Say whether a point lies inside."""
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def slices(self, size_hw: tuple[int, int]) -> tuple[slice, slice]:
        """Return the rows and columns that it covers in an array, at least one each."""
        (h, w), (left, top, right, bottom) = size_hw, self
        return _span(top, bottom, h), _span(left, right, w)


def _span(first: float, last: float, count: int) -> slice:
    start = min(max(int(first * count), 0), count - 1)
    return slice(start, min(max(round(last * count), start + 1), count))
