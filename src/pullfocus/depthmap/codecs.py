"""Depth as EXR, TIFF, PFM, COLMAP's .bin and as grey pictures of other programs."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pullfocus.depthmap.labels import Meaning, RawDepth, describe, kind_of, text_of
from pullfocus.depthmap.layouts import choose_channel
from pullfocus.depthmap.numpy_files import FILE_ERRORS, floats_of_file
from pullfocus.json_files import parse_json
from pullfocus.photo.codecs.pnm import white_of_pnm
from pullfocus.photo.metadata import exif
from pullfocus.photo.pixels import upright
from pullfocus.photo.source import Source
from pullfocus.types import DepthMap

_PFM = re.compile(rb"P([fF])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]+)[ \t\r]*\n")
COLMAP = re.compile(rb"(\d{1,9})&(\d{1,9})&(\d{1,3})&")
_STDOUT = threading.Lock()
_GREY_TOLERANCE = 2.0 / 255.0


def encode_pfm(depth: DepthMap) -> bytes:
    """Encode little-endian rows from the bottom up. Source: netpbm's pfm(5)."""
    height, width = depth.size_hw
    return f"Pf\n{width} {height}\n-1.0\n".encode() + depth.disparity[::-1].astype("<f4").tobytes()


def read_pfm(source: Source) -> RawDepth:
    """Read a grey PFM, or the first channel of a colour one."""
    header = _PFM.match(source.data[:256])
    if header is None:
        raise source.unreadable("its PFM header is damaged; write it again")
    channels = 3 if header[1] == b"F" else 1
    width, height = int(header[2]), int(header[3])
    source.check_size(width, height)
    try:
        scale = float(header[4])
    except ValueError as error:
        raise source.unreadable("its PFM header is damaged; write it again") from error
    count = width * height * channels
    if len(source.data) < header.end() + 4 * count or not math.isfinite(scale):
        raise source.cut_short()
    values = np.frombuffer(source.data, "<f4" if scale < 0 else ">f4", count, header.end())
    rows = values.reshape(height, width, channels)[::-1, :, 0]
    return RawDepth(floats_of_file(rows), label="PFM", inf_unknown=True)


def encode_exr(depth: DepthMap) -> bytes:
    """Encode channel Y (disparity) and, where known, channel uncertainty; float32, ZIP."""
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    channels = {"Y": np.array(depth.disparity)}
    if depth.uncertainty is not None:
        channels["uncertainty"] = np.array(depth.uncertainty)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "depth.exr")
        OpenEXR.File(header | describe(depth), channels).write(str(path))
        return path.read_bytes()


def read_exr(source: Source) -> RawDepth:
    """Read our own file, else the channel of any part that holds depth.

    Raises:
        UnreadableInputError: damaged, too large, or no channel can be depth.
    """
    import OpenEXR

    try:
        with tempfile.TemporaryDirectory() as folder, _quiet_stdout():
            path = Path(folder, "depth.exr")
            path.write_bytes(source.data)
            head = OpenEXR.File(str(path), separate_channels=True, header_only=True)
            for part in head.parts:
                _check_exr_size(part.header, source)
            file = OpenEXR.File(str(path), separate_channels=True)
            said = file.header()
            channels = {
                name: channel.pixels
                for part in reversed(file.parts)  # the first part's channels win
                for name, channel in part.channels.items()
            }
    except FILE_ERRORS as error:
        raise source.cut_short() from error
    kind = kind_of(said)
    if kind is not None and "Y" in channels:
        sigma = channels.get("uncertainty")
        return RawDepth(
            _floats(channels["Y"]),
            kind=kind,
            uncertainty=None if sigma is None else _floats(sigma),
            source=text_of(said, "source"),
            licence=text_of(said, "licence"),
        )
    chosen = choose_channel(channels)
    if chosen is None:
        raise source.unreadable(
            f"its channels are {', '.join(sorted(channels)[:12])}; depth is called Z, depth or Y"
        )
    names, meaning = chosen
    if len(names) > 1:
        _refuse_colours(np.dstack([channels[name] for name in names]), source)
    label = f"channel {names[0]}" if len(names) == 1 else f"channels {', '.join(names)}"
    values = floats_of_file(channels[names[0]])
    return RawDepth(values, label=label, meaning=meaning, likely="depth")


@contextlib.contextmanager
def _quiet_stdout() -> Iterator[None]:
    """Keep OpenEXR from printing about damaged files on stdout, where results for programs go."""
    with _STDOUT, contextlib.redirect_stdout(io.StringIO()):
        yield


def _check_exr_size(header: Mapping[str, Any], source: Source) -> None:
    """Refuse by the header, before pixels are decoded; all channels are decoded at once."""
    low, high = header["dataWindow"]
    width, height = (int(high[axis]) - int(low[axis]) + 1 for axis in (0, 1))
    source.check_size(width, height)
    count = len(header["channels"])
    if width * height * count > source.max_megapixels * 4e6:
        raise source.unreadable(
            f"its {count} channels of {width} x {height} are too many to decode; save the depth "
            "channel alone"
        )


def _floats(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def encode_tiff_depth(depth: DepthMap) -> bytes:
    """Encode float32 disparity; the image description is JSON."""
    import tifffile

    out = io.BytesIO()
    text = json.dumps(describe(depth))
    tifffile.imwrite(
        out, depth.disparity, photometric="minisblack", description=text, metadata=None
    )
    return out.getvalue()


def read_tiff(source: Source) -> RawDepth | None:
    """Read a grey TIFF of floats or of more than 8 bits; None for other kinds, or codecs.

    Raises:
        UnreadableInputError: damaged, or too many pixels.
    """
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(source.data)) as tiff:
            page: Any = tiff.pages[0]
            if page.samplesperpixel != 1 or page.dtype is None or page.dtype.itemsize == 1:
                return None
            source.check_size(int(page.imagewidth), int(page.imagelength))
            said = _json(page.description)
            no_data = _no_data(page)
            array = np.asarray(page.asarray())
    except (tifffile.TiffFileError, TypeError, AttributeError, *FILE_ERRORS) as error:
        # tifffile itself stumbles over tags of wrong types; nothing here but its calls can
        if "imagecodecs" in str(error):
            return None
        raise source.cut_short() from error
    array = upright(array, exif.orientation_of(source.data))
    kind = kind_of(said)
    values = floats_of_file(array)
    if no_data is not None:
        values = np.where(values == np.float32(no_data), np.float32(np.nan), values)
    return RawDepth(
        values,
        bits=0 if array.dtype.kind == "f" else 16,
        label="float TIFF" if array.dtype.kind == "f" else f"{array.dtype} TIFF",
        kind=kind,
        source=text_of(said, "source"),
        licence=text_of(said, "licence"),
    )


def _no_data(page: Any) -> float | None:
    """Read GDAL's tag for the number that means unknown."""
    tag = page.tags.get(42113)
    try:
        return float(str(tag.value).strip(" \0")) if tag is not None else None
    except ValueError:
        return None


def _json(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        said = parse_json(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def read_picture(source: Source, kind: str) -> RawDepth:
    """Read the codes of a grey picture of 8 or 16 bits.

    Raises:
        UnreadableInputError: not a picture, or one in colours (a colour map has no order).
    """
    from pullfocus.photo.read import decode

    if kind == "TIFF":
        deep = read_tiff(source)
        if deep is not None:
            return deep
    decoded = decode(source, kind)
    pixels = upright(decoded.pixels, decoded.orientation)
    if pixels.ndim == 3:
        top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
        _refuse_colours(pixels.astype(np.float32) / np.float32(top), source, _GREY_TOLERANCE)
        pixels = np.ascontiguousarray(pixels[..., 0])
    if pixels.dtype.kind == "f":
        return RawDepth(floats_of_file(pixels), label=f"float {kind}")
    bits: Literal[8, 16] = 8 if pixels.dtype == np.uint8 else 16
    if kind == "PPM" and bits == 16:  # mm stay mm, whatever the file calls white
        pixels = np.rint(pixels * (white_of_pnm(source.data) / 65535))
    return RawDepth(pixels.astype(np.float32), bits, f"{bits}-bit grey picture")


def _refuse_colours(channels: np.ndarray, source: Source, tolerance: float = 0.0) -> None:
    with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity: told later
        spread = float(np.ptp(channels, axis=2).mean())
    if spread > tolerance:
        raise source.unreadable(
            "it is a picture in colours, which have no order; give the grey depth map instead"
        )


def read_colmap(source: Source) -> RawDepth:
    """Read a depth map of COLMAP's dense reconstruction; 0 = unknown, unit of its own.

    Source: COLMAP, src/colmap/mvs/mat.h: "width&height&channels&", then float32 in column order.
    """
    header = COLMAP.match(source.data[:64])
    if header is None:
        raise source.unreadable("its COLMAP header is damaged; write it again")
    width, height, channels = (int(header[at]) for at in (1, 2, 3))
    source.check_size(width, height)
    if channels != 1:
        raise source.unreadable(f"it has {channels} channels (a normal map?); depth has one")
    if len(source.data) < header.end() + 4 * width * height:
        raise source.cut_short()
    values = np.frombuffer(source.data, "<f4", width * height, header.end())
    rows = values.reshape(height, width)
    return RawDepth(
        floats_of_file(rows),
        label="COLMAP depth map",
        meaning=Meaning("depth", None, "depth in the reconstruction's own unit", "ratio"),
    )
