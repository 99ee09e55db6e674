"""Depth as NumPy's .npy and .npz: sizes are checked by the headers before anything is unpacked."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from typing import IO, Literal

import numpy as np
from jaxtyping import Float32

from pullfocus.depthmap.labels import RawDepth
from pullfocus.depthmap.layouts import choose_array, meaning_of_array
from pullfocus.photo.codecs.decoded import BOUNDLESS
from pullfocus.photo.source import Source
from pullfocus.types import DepthMap

FILE_ERRORS = (
    OSError, SyntaxError, ValueError, LookupError, EOFError, ArithmeticError, NotImplementedError,
    RuntimeError, struct.error, zlib.error, tokenize.TokenError, zipfile.BadZipFile,
)  # fmt: skip
"""What libraries throw at damaged depth files."""
_BLOCK = 1 << 20
"""Numbers that are unpacked at a time."""
_MOST_HEADER = 1 << 16


def encode_npy(depth: DepthMap) -> bytes:
    """Encode the disparity alone, as project-defude does."""
    out = io.BytesIO()
    np.save(out, depth.disparity, allow_pickle=False)
    return out.getvalue()


def read_npy(source: Source) -> RawDepth:
    """Read an array of numbers, (h, w) with any axes of length 1 beside them."""
    values, bits = _read_stream(io.BytesIO(source.data), source, len(source.data))
    return RawDepth(values, bits, "array")


def read_npz(source: Source) -> RawDepth:
    """Read the array of an archive that holds depth, by its name.

    Raises:
        UnreadableInputError: damaged, or no array can be depth.
        TooLargeError: the headers claim more pixels than the limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            entries = {
                entry.filename.removesuffix(".npy"): entry
                for entry in archive.infolist()
                if entry.filename.endswith(".npy")
            }
            name = choose_array(entries)
            if name is None:
                raise source.unreadable(
                    f"its arrays are {', '.join(sorted(entries)[:12]) or 'none'}, and none is "
                    "called depth or disparity; rename one"
                )
            with archive.open(entries[name]) as stream:
                values, bits = _read_stream(stream, source, entries[name].file_size)
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    return RawDepth(values, bits, f"array {name}", meaning_of_array(name))


def _read_stream(
    stream: IO[bytes], source: Source, size: int
) -> tuple[Float32[np.ndarray, "h w"], Literal[0, 8, 16]]:
    """Unpack an array block by block into float32. size: bytes that the stream claims to have."""
    try:
        shape, by_columns, dtype = _header(stream)
    except FILE_ERRORS as error:
        raise source.unreadable(
            "it is no whole NumPy array of numbers; write it again with numpy.save"
        ) from error
    shape = check_array(shape, dtype, source)
    count = math.prod(shape)
    if size < count * dtype.itemsize:
        raise source.cut_short()
    out = read_block(stream, count, dtype, source)
    return out.reshape(shape, order="F" if by_columns else "C"), bits_of(dtype)


def read_block(
    stream: IO[bytes], count: int, dtype: np.dtype, source: Source
) -> Float32[np.ndarray, " count"]:
    """Read so many numbers of a stream as float32, a part at a time.

    Raises:
        UnreadableInputError: the stream ends before.
    """
    out = np.empty(count, np.float32)
    for at in range(0, count, _BLOCK):
        wanted = min(_BLOCK, count - at)
        data = stream.read(wanted * dtype.itemsize)
        if len(data) < wanted * dtype.itemsize:
            raise source.cut_short()
        out[at : at + wanted] = floats_of_file(np.frombuffer(data, dtype))
    return out


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the head of an array. Source: NumPy, NEP 1 (the .npy format), versions 1 to 3."""
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY":
        raise ValueError("no NumPy array")
    wide = magic[6] > 1
    length = stream.read(4 if wide else 2)
    size = int.from_bytes(length, "little")
    if size > _MOST_HEADER:
        raise ValueError("the header is too long")
    head = io.BytesIO(length + stream.read(size))
    read = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
    shape, by_columns, dtype = read(head)
    return shape, by_columns, dtype


def check_array(shape: tuple[int, ...], dtype: np.dtype, source: Source) -> tuple[int, int]:
    """Return (h, w) of an array that can be a depth map.

    Raises:
        UnreadableInputError: not numbers, or another shape.
        TooLargeError: too many pixels.
    """
    if dtype.kind not in "fiu":
        raise source.unreadable(f"it holds {dtype}, not numbers; save float32 disparity")
    sides = list(shape)
    while len(sides) > 2 and 1 in (sides[0], sides[-1]):
        sides = sides[1:] if sides[0] == 1 else sides[:-1]
    if len(sides) == 3:
        raise source.unreadable(
            f"it holds {sides[0]} maps (shape {shape}), and a depth map has shape (h, w); save the "
            "one of this photo"
        )
    if len(sides) != 2 or 0 in sides:
        raise source.unreadable(f"a depth map has shape (h, w), not {shape}")
    source.check_size(sides[1], sides[0])
    return sides[0], sides[1]


def bits_of(dtype: np.dtype) -> Literal[0, 8, 16]:
    """Say how wide the codes of an array are: 0 for floats, 16 for wider integers too."""
    if dtype.kind == "f":
        return 0
    return 8 if dtype.itemsize == 1 else 16


def floats_of_file(values: np.ndarray) -> np.ndarray:
    """Turn stored numbers into float32: NaN = unknown, +inf = no end.

    Numbers of 1e30 and more, and the largest float16 (65504, which Blender writes for what does
    not fit), have no end; -1e30 and less is "no data" of GIS programs.
    """
    half = values.dtype == np.float16
    with np.errstate(over="ignore", invalid="ignore"):  # too wide; signalling NaN
        out = np.ascontiguousarray(values, dtype=np.float32)
    if values.dtype.kind != "f":
        return out
    endless = out >= (65504 if half else BOUNDLESS)
    no_data = out <= -BOUNDLESS
    if endless.any() or no_data.any():
        out = np.where(endless, np.float32(np.inf), np.where(no_data, np.float32(np.nan), out))
    return out
