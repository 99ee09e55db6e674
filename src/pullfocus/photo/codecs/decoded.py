"""What a decoder hands over: pixels as the file stores them, and the raw metadata blocks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pullfocus.errors import PullfocusError, TooLargeError
from pullfocus.frozen_arrays import BOUNDLESS
from pullfocus.tone import ToneCurve
from pullfocus.types import DepthMap

if TYPE_CHECKING:
    from pullfocus.photo.source import Source

# What image libraries throw at damaged files.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    EOFError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
)
STUMBLES = (TypeError, AttributeError, AssertionError)
"""What a library throws where damage leads it into a bug of its own; in our code, a bug of ours."""
_HOUSE = str(Path(__file__).parents[1])

__all__ = ["BOUNDLESS", "DECODE_ERRORS", "STUMBLES", "Decoded", "decoding", "raised_here"]


@contextmanager
def decoding(source: Source, why: str, *also: type[Exception]) -> Iterator[None]:
    """Translate what an image library throws into "Cannot read <name>: <why>."

    also: exceptions of the library's own.

    Only calls of libraries belong inside. A TypeError, AttributeError or AssertionError that our
    own code raised passes through: it is a bug, and says nothing about the file.

    Raises:
        UnreadableInputError: the library could not decode the file.
        TooLargeError: there is not enough memory for it.
    """
    try:
        yield
    except PullfocusError:
        raise
    except MemoryError as error:
        raise TooLargeError(
            f"Cannot read {source.name}: decoding it needs more memory than is free; close "
            "programs or make the picture smaller."
        ) from error
    except DECODE_ERRORS + also as error:
        raise source.unreadable(why) from error
    except STUMBLES as error:
        if raised_here(error):
            raise
        raise source.unreadable(why) from error


def raised_here(error: BaseException) -> bool:
    """Tell whether an exception was raised by a line of this program, not inside a library."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is None or trace.tb_frame.f_code.co_filename.startswith(_HOUSE)


@dataclass(slots=True)
class Decoded:
    """A picture before orientation and tone curve.

    pixels: (h, w, 3), or (h, w) when grey; uint8, uint16 or float32, encoded unless
        `linear_samples`.
    alpha: (h, w), straight, dtype of the pixels, or None.
    exif: a TIFF-structured block without the "Exif" prefix; orientation still as in the file.
    orientation: 1..8, what remains to be applied to the pixels.
    broken: float samples that were NaN or infinite and became 0.
    cicp: (primaries, transfer) as codes of ITU-T H.273, where the file says them.
    tone_curve: of HDR, which no profile says; None is the profile's or sRGB.
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
    cicp: tuple[int, int] | None = None
    tone_curve: ToneCurve | None = None
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
