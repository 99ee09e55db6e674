"""Depth in MATLAB's .mat and in HDF5, as NYU Depth V2 has it; scipy and h5py are an extra."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pullfocus.errors import MissingModelError
from pullfocus.photo.depth_layouts import choose_array, meaning_of_array
from pullfocus.photo.depth_numpy import FILE_ERRORS, bits_of, check_array, floats_of_file
from pullfocus.photo.depth_record import RawDepth
from pullfocus.photo.source import Source

MATLAB_5, MATLAB_7_3, HDF5 = b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file", b"\x89HDF\r\n\x1a\n"


def read_matlab(source: Source) -> RawDepth:
    """Read the array of a .mat (version 5 or 7.3) or HDF5 file that holds depth, by its name.

    Convention: MATLAB 7.3 stores columns first, so that its arrays come turned and are turned back.

    Raises:
        UnreadableInputError: damaged, or no array can be depth.
        TooLargeError: the file's headers claim more pixels than the limit.
        MissingModelError: the extra [mat] is not installed.
    """
    read = _read_5 if source.data.startswith(MATLAB_5) else _read_hdf5
    try:
        name, values = read(source)
    except ImportError:
        raise MissingModelError(
            f"{source.name} is a MATLAB or HDF5 file, which needs the [mat] extra: "
            "pip install 'pullfocus[mat]', or save the depth as .npy."
        ) from None
    meaning = meaning_of_array(name.rpartition("/")[2])
    return RawDepth(floats_of_file(values), bits_of(values.dtype), f"array {name}", meaning)


def _chosen(names: list[str], source: Source) -> str:
    by_last = {name.rpartition("/")[2]: name for name in reversed(names)}
    name = choose_array(by_last)
    if name is None:
        raise source.unreadable(
            f"its arrays are {', '.join(sorted(by_last)[:12]) or 'none'}, and none is called depth "
            "or disparity; rename one"
        )
    return by_last[name]


def _read_5(source: Source) -> tuple[str, np.ndarray]:
    import scipy.io

    def whole(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (*FILE_ERRORS, scipy.io.matlab.MatReadError, TypeError, zlib.error) as error:
            raise source.cut_short() from error

    listed = whole(lambda: scipy.io.whosmat(io.BytesIO(source.data)))
    shapes = {name: shape for name, shape, kind in listed if kind not in ("cell", "struct", "char")}
    name = _chosen(list(shapes), source)
    check_array(shapes[name], np.dtype(np.float64), source)
    found = whole(lambda: scipy.io.loadmat(io.BytesIO(source.data), variable_names=[name]))
    values = np.asarray(found[name])
    return name, values.reshape(check_array(values.shape, values.dtype, source))


def _read_hdf5(source: Source) -> tuple[str, np.ndarray]:
    import h5py

    turned = source.data.startswith(MATLAB_7_3)
    try:
        with h5py.File(io.BytesIO(source.data), "r") as file:
            names: list[str] = []
            file.visititems(
                lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
            )
            name = _chosen(names, source)
            data = file[name]
            size_hw = check_array(data.shape, data.dtype, source)
            values = np.asarray(data[()]).reshape(size_hw)
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    return name, np.ascontiguousarray(values.T) if turned else values
