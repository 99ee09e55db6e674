"""Three bundled photos to try the program with; credits in CREDITS.md beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Sample:
    """A bundled photo, with a point that is worth focusing on, in fractions of the picture."""

    name: str
    x: float
    y: float
    words: str

    @property
    def path(self) -> Path:
        """The JPEG file inside the package."""
        return FOLDER / f"{self.name}.jpg"


SAMPLES = (
    Sample("street", 0.83, 0.90, "the near car, before a long street"),
    Sample("hibiscus", 0.77, 0.80, "the red flower, before a window"),
    Sample("scooter", 0.42, 0.42, "the scooter, before a brick wall"),
)
