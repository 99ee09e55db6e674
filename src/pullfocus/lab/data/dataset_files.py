"""Where a public set comes from: every reader opens its files through here, so that a missing or
half-downloaded set says which file is missing and where to get it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from pullfocus.errors import UnreadableInputError

PICTURES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".webp")
"""Endings of pictures, lower case."""


@dataclass(frozen=True)
class Origin:
    """A set's name, its page, and what to unpack from there."""

    name: str
    url: str
    holds: str

    def need(self, path: Path) -> Path:
        """Return the path.

        Raises:
            UnreadableInputError: nothing is there.
        """
        if not path.exists():
            raise UnreadableInputError(
                f"{path} is missing, so {self.name} is not complete there; "
                f"get {self.holds} from {self.url}."
            )
        return path

    def need_any(self, found: Iterable[Path], pattern: Path) -> list[Path]:
        """Return what was found, sorted.

        Raises:
            UnreadableInputError: nothing was.
        """
        paths = sorted(found)
        if not paths:
            self.need(pattern)
        return paths

    def rgb(self, path: Path) -> UInt8[np.ndarray, "h w 3"]:
        """Read a picture as RGB.

        Raises:
            UnreadableInputError: it is missing or damaged.
        """
        bgr = self._decoded(path, cv2.IMREAD_COLOR)
        return np.ascontiguousarray(bgr[:, :, ::-1])

    def raw(self, path: Path) -> np.ndarray:
        """Read a picture of numbers as they are, h w of any dtype (the first channel of several).

        Raises:
            UnreadableInputError: it is missing or damaged.
        """
        values = self._decoded(path, cv2.IMREAD_UNCHANGED)
        return values if values.ndim == 2 else values[:, :, 0]

    def _decoded(self, path: Path, mode: int) -> np.ndarray:
        values = cv2.imread(str(self.need(path)), mode)
        if values is None:
            raise self.damaged(path, "no picture that can be decoded")
        return np.asarray(values)

    def damaged(self, path: Path, why: str) -> UnreadableInputError:
        """Return the error for a file that is there but cannot be used."""
        return UnreadableInputError(
            f"{path} is damaged ({why}); get {self.holds} again from {self.url}."
        )


OWN = Origin("your own folder", "where you keep it", "the pictures")
"""For folders that people made themselves."""


def pictures(folder: Path, origin: Origin = OWN) -> list[Path]:
    """Return the pictures right inside a folder, by name.

    Raises:
        UnreadableInputError: the folder is not there or holds none.
    """
    found = (p for p in origin.need(folder).iterdir() if p.suffix.lower() in PICTURES)
    return origin.need_any(found, folder / "*.png")


def pictures_below(folder: Path, origin: Origin = OWN) -> list[Path]:
    """Return the pictures in a folder and in all that are in it, by path.

    Raises:
        UnreadableInputError: there are none.
    """
    found = (p for p in origin.need(folder).rglob("*") if p.suffix.lower() in PICTURES)
    return origin.need_any(found, folder / "*.jpg")
