"""Depth in MATLAB's .mat and in HDF5, as NYU Depth V2 has it; HDF5 needs an extra.

Version 5 is read here: SciPy's reader ends the program on damaged files (1.16 did, seen by
tests of this project with random bytes).
"""

from __future__ import annotations

import io
import itertools
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from pullfocus.depthmap.labels import RawDepth
from pullfocus.depthmap.layouts import choose_array, meaning_of_array
from pullfocus.depthmap.numpy_files import (
    FILE_ERRORS,
    bits_of,
    check_array,
    floats_of_file,
    read_block,
)
from pullfocus.errors import MissingModelError
from pullfocus.photo.source import Source

MATLAB_5, MATLAB_7_3, HDF5 = b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file", b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_COMPLEX = 0x800
_MOST_ARRAYS = 1000
_MOST_OBJECTS = 10_000
_DEFLATE = 1
_FILTERS = {_DEFLATE, 2, 3, 32000}
"""HDF5's numbers of deflate, shuffle, Fletcher32 and LZF; others may load code from elsewhere."""
_PART = 1 << 16
"""Packed bytes that are unpacked at a time."""


def read_matlab(source: Source) -> RawDepth:
    """Read the array of a .mat file (version 5) that holds depth, by its name.

    Raises:
        UnreadableInputError: damaged, or no array can be depth.
        TooLargeError: its header claims more pixels than the limit.
    """
    try:
        arrays = {array.name: array for array in _arrays(source.data)}
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    name = _chosen(list(arrays), source)
    found = arrays[name]
    kind = np.dtype(_CLASSES[found.class_])
    size_hw = check_array(found.shape, kind, source)
    try:
        values = read_block(found.stream, math.prod(size_hw), found.stored, source)
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    rows = values.reshape(size_hw, order="F")
    return RawDepth(rows, bits_of(kind), f"array {name}", meaning_of_array(name))


def read_hdf5(source: Source) -> RawDepth:
    """Read the array of an HDF5 file, MATLAB's version 7.3 among them, that holds depth.

    Convention: MATLAB stores columns first, so that its arrays come turned and are turned back.

    Raises:
        UnreadableInputError: damaged, or no array can be depth.
        TooLargeError: its header claims more pixels than the limit.
        MissingModelError: the extra [mat] is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingModelError(
            f"{source.name} is an HDF5 file (MATLAB 7.3 writes them), which needs the [mat] extra: "
            "pip install 'pullfocus[mat]', or save the depth as .npy."
        ) from None
    turned = source.data.startswith(MATLAB_7_3)
    try:
        with h5py.File(io.BytesIO(source.data), "r") as file:
            names: list[str] = []
            seen = itertools.count()

            def note(name: str, item: Any) -> bool | None:
                if isinstance(item, h5py.Dataset):
                    names.append(str(name))
                return next(seen) >= _MOST_OBJECTS or None  # True: look no further

            file.visititems(note)
            name = _chosen(names, source)
            data = file[name]
            size_hw = check_array(data.shape, data.dtype, source)
            _check_storage(data, source)
            values = np.asarray(data[()]).reshape(size_hw)
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    label = f"array {name.rpartition('/')[2]}"
    rows = np.ascontiguousarray(values.T) if turned else values
    meaning = meaning_of_array(name.rpartition("/")[2])
    return RawDepth(floats_of_file(rows), bits_of(values.dtype), label, meaning)


def _check_storage(data: Any, source: Source) -> None:
    """Refuse what HDF5 would fetch from other files, and chunks that unpack to more than they say.

    Raises:
        UnreadableInputError: as said.
    """
    if data.is_virtual or data.external:
        raise source.unreadable(
            "its numbers lie in other files, which are never opened because a file names them; "
            "save the depth itself"
        )
    if data.chunks is None:
        return
    pipeline = data.id.get_create_plist()
    filters = {pipeline.get_filter(at)[0] for at in range(pipeline.get_nfilters())}
    if filters - _FILTERS:
        raise source.unreadable("it is packed in a way that is not read; save it with gzip")
    most = math.prod(data.chunks) * data.dtype.itemsize
    for at in range(data.id.get_num_chunks()):
        where = data.id.get_chunk_info(at)
        if where.size > most * 1.1 + 1024:
            raise source.cut_short()
        if _DEFLATE in filters:
            _, packed = data.id.read_direct_chunk(where.chunk_offset)
            unpacker = zlib.decompressobj()
            if where.filter_mask == 0 and len(unpacker.decompress(packed, most + 5)) > most + 4:
                raise source.cut_short()


def _chosen(names: list[str], source: Source) -> str:
    by_last = {name.rpartition("/")[2]: name for name in reversed(names)}
    name = choose_array(by_last)
    if name is None:
        raise source.unreadable(
            f"its arrays are {', '.join(sorted(by_last)[:12]) or 'none'}, and none is called depth "
            "or disparity; rename one"
        )
    return by_last[name]


@dataclass(frozen=True, slots=True)
class _Array:
    """One array of real numbers; `stream` stands at its first number."""

    name: str
    class_: int
    shape: tuple[int, ...]
    stored: np.dtype
    stream: IO[bytes]


def _arrays(data: bytes) -> Iterator[_Array]:
    """Find the arrays of real numbers; nothing but their heads is unpacked.

    Source: MathWorks, MAT-File Format, "Level 5 MAT-File Format".
    """
    order = {b"IM": "<", b"MI": ">"}[data[126:128]]
    at, count = 128, 0
    while at + 8 <= len(data) and count < _MOST_ARRAYS:
        kind, size = struct.unpack_from(order + "II", data, at)
        body = memoryview(data)[at + 8 : at + 8 + size]
        if kind == _COMPRESSED:
            stream: IO[bytes] = io.BufferedReader(_Inflated(body))
            kind, _, _ = _tag(stream, order)
        else:
            stream = io.BytesIO(body)
        found = _head(stream, order) if kind == _MATRIX else None
        if found is not None:
            yield found
        at, count = at + 8 + size, count + 1


def _head(stream: IO[bytes], order: str) -> _Array | None:
    flags = struct.unpack(order + "II", _element(stream, order, 8))[0]
    class_ = flags & 0xFF
    if class_ not in _CLASSES or flags & _COMPLEX:
        return None
    dims = _element(stream, order, 64)
    shape = struct.unpack(f"{order}{len(dims) // 4}i", dims)
    name = _element(stream, order, 256).decode("latin-1")
    kind, _, inside = _tag(stream, order)
    stored = np.dtype(order + _TYPES[kind])
    if min(shape, default=0) <= 0:
        return None
    return _Array(name, class_, shape, stored, stream if inside is None else io.BytesIO(inside))


def _tag(stream: IO[bytes], order: str) -> tuple[int, int, bytes | None]:
    """Read a tag: type, bytes, and the data itself where it lies inside the tag."""
    head = _exactly(stream, 8)
    kind, size = struct.unpack(order + "II", head)
    if kind >> 16:
        return kind & 0xFFFF, kind >> 16, head[4 : 4 + (kind >> 16)]
    return kind, size, None


def _element(stream: IO[bytes], order: str, most: int) -> bytes:
    _, size, inside = _tag(stream, order)
    if inside is not None:
        return inside
    if size > most:
        raise ValueError("a head that is too long")
    return _exactly(stream, size + -size % 8)[:size]


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("cut short")
    return data


class _Inflated(io.RawIOBase):
    """A zlib stream that is unpacked only as far as it is read."""

    def __init__(self, packed: memoryview) -> None:
        self._packed, self._at = packed, 0
        self._tail = b""
        self._zlib = zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = b""
        while not data and not self._zlib.eof:
            if not self._tail:
                self._tail = bytes(self._packed[self._at : self._at + _PART])
                self._at += len(self._tail)
                if not self._tail:
                    break
            data = self._zlib.decompress(self._tail, len(buffer))
            self._tail = self._zlib.unconsumed_tail
        buffer[: len(data)] = data
        return len(data)
