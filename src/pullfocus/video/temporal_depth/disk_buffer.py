"""Maps of disparity and people, one after the other in a temporary file, for `surveyed_depth`."""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np
from jaxtyping import Float32

from pullfocus.errors import UnreadableInputError

_STEPS = 1023
"""Codes between the least and the largest disparity of a map: some 20 in an estimate's noise."""


class DepthTape:
    """Some 60 kB a frame on the disk, in the system's temporary folder; gone when it is closed."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="pullfocus-depth-")  # noqa: SIM115

    def append(
        self,
        disparity: Float32[np.ndarray, "h w"],
        person: Float32[np.ndarray, "h w"] | None,
        cut: bool,
    ) -> None:
        """Write the maps of the next frame."""
        low, high = float(disparity.min()), float(disparity.max())
        codes = np.rint((disparity - low) * (_STEPS / max(high - low, 1e-9))).astype(np.uint16)
        people = np.zeros((1, 1)) if person is None else person
        np.save(self._file, np.array([low, high, cut, person is not None]))
        np.save(self._file, _packed(codes))
        np.save(self._file, _packed(np.rint(255 * people).astype(np.uint8)))

    def rewind(self) -> None:
        """Go back to the first frame."""
        self._file.seek(0)

    def read(self) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"] | None, bool]:
        """Return disparity, people and whether a shot began, of the next frame.

        Raises:
            UnreadableInputError: there were fewer frames.
        """
        try:
            low, high, cut, has_person = np.load(self._file)
        except EOFError:
            raise UnreadableInputError(
                "The video had fewer frames when it was looked at first; leave it alone meanwhile."
            ) from None
        codes, people = _unpacked(np.load(self._file)), _unpacked(np.load(self._file))
        disparity = low + codes.astype(np.float32) * np.float32(max(high - low, 1e-9) / _STEPS)
        person = people.astype(np.float32) / np.float32(255) if has_person else None
        return disparity.astype(np.float32), person, bool(cut)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


def _packed(codes: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.imencode(".png", codes, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def _unpacked(packed: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED))
