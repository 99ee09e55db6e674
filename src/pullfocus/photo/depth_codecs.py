"""Depth as EXR, TIFF, NPY, NPZ, PFM and as grey pictures of other programs."""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import tokenize
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pullfocus.photo.decoded import DECODE_ERRORS, Decoded
from pullfocus.photo.depth_record import RawDepth, describe, kind_of, text_of
from pullfocus.photo.orientation import upright
from pullfocus.photo.source import Source
from pullfocus.types import DepthMap

_PFM = re.compile(rb"P([fF])\s+(\d+)\s+(\d+)\s+([-+.\deE]+)[ \t\r]*\n")
_EXR_DISTANCES = ("Z", "depth.Z", "Depth.Z", "depth.V", "Depth")
_EXR_DISPARITIES = ("Y", "disparity", "R", "V")
_GREY_TOLERANCE = 2.0 / 255.0
_NOT_SAID = "disparity assumed, kind not said in the file"


def encode_npy(depth: DepthMap) -> bytes:
    """Encode the disparity alone, as project-defude does."""
    out = io.BytesIO()
    np.save(out, depth.disparity, allow_pickle=False)
    return out.getvalue()


def read_npy(source: Source) -> RawDepth:
    """Read an array of numbers as disparity."""
    return RawDepth(_numpy_array(source, source.data), assumed=_NOT_SAID)


def read_npz(source: Source) -> RawDepth:
    """Read the array called disparity or depth_m of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            name = next((n for n in ("disparity", "depth_m") if f"{n}.npy" in sizes), None)
            if name is None:
                raise source.unreadable("it has no array called disparity or depth_m; rename one")
            if sizes[f"{name}.npy"] > source.max_megapixels * 8e6 + 4096:
                raise source.unreadable("its depth array is too large; make it smaller")
            data = archive.read(f"{name}.npy")
    except (zipfile.BadZipFile, *DECODE_ERRORS) as error:
        raise source.cut_short() from error
    values = _numpy_array(source, data)
    if name == "depth_m":
        return RawDepth(values, "depth_m")
    return RawDepth(values, assumed=_NOT_SAID)


def _numpy_array(source: Source, data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    numpy_format = np.lib.format
    try:
        version = numpy_format.read_magic(stream)
        read_header = (
            numpy_format.read_array_header_1_0
            if version == (1, 0)
            else numpy_format.read_array_header_2_0
        )
        shape, _, dtype = read_header(stream)
        if dtype.kind in "fiu" and len(shape) >= 2:
            source.check_size(math.prod(shape[1:]), shape[0])
        stream.seek(0)
        values = numpy_format.read_array(stream, allow_pickle=False)
    except (tokenize.TokenError, *DECODE_ERRORS) as error:
        raise source.unreadable(
            "it is no whole NumPy array of numbers; write it again with numpy.save"
        ) from error
    if values.dtype.kind not in "fiu":
        raise source.unreadable(f"it holds {values.dtype}, not numbers; save float32 disparity")
    while values.ndim > 2 and 1 in (values.shape[0], values.shape[-1]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def encode_pfm(depth: DepthMap) -> bytes:
    """Encode little-endian rows from the bottom up. Source: netpbm's pfm(5)."""
    height, width = depth.size_hw
    return f"Pf\n{width} {height}\n-1.0\n".encode() + depth.disparity[::-1].astype("<f4").tobytes()


def read_pfm(source: Source) -> RawDepth:
    """Read a grey PFM, or the first channel of a colour one, as disparity."""
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
    return RawDepth(np.ascontiguousarray(rows, dtype=np.float32), assumed=_NOT_SAID)


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
    """Read our own file, else a channel Z as metres, else Y or R as disparity."""
    import OpenEXR

    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "depth.exr")
            path.write_bytes(source.data)
            head = OpenEXR.File(str(path), separate_channels=True, header_only=True)
            low, high = head.header()["dataWindow"]
            source.check_size(int(high[0]) - int(low[0]) + 1, int(high[1]) - int(low[1]) + 1)
            file = OpenEXR.File(str(path), separate_channels=True)
            said = file.header()
            channels = {name: channel.pixels for name, channel in file.channels().items()}
    except DECODE_ERRORS as error:
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
    for name in _EXR_DISTANCES:
        if name in channels:
            return RawDepth(_floats(channels[name]), "depth_m", assumed=f"channel {name} as metres")
    for name in _EXR_DISPARITIES:
        if name in channels:
            if name == "R" and {"G", "B"} <= channels.keys():
                _refuse_colours(np.dstack([channels[other] for other in "RGB"]), source)
            return RawDepth(_floats(channels[name]), assumed=f"channel {name} as disparity")
    raise source.unreadable(f"its channels are {', '.join(channels)}; depth is called Z or Y")


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


def read_picture(source: Source, kind: str) -> RawDepth:
    """Read a grey picture as relative disparity, bright = near; a float TIFF as disparity.

    Raises:
        UnreadableInputError: not a picture, or one in colours (a colour map has no order).
    """
    from pullfocus.photo.read import decode

    decoded = decode(source, kind)
    values = _first_channel(decoded, source)
    said = _tiff_description(decoded)
    if decoded.linear_samples:
        kind_said = kind_of(said)
        return RawDepth(
            values,
            kind=kind_said,
            source=text_of(said, "source"),
            licence=text_of(said, "licence"),
            assumed="" if kind_said else _NOT_SAID,
            broken=decoded.broken,
        )
    bits = 8 if decoded.pixels.dtype == np.uint8 else 16
    assumed = f"{bits}-bit grey picture, bright = near assumed"
    if float(values.max()) == float(values.min()) == 0.0:
        raise source.unreadable("it is black all over; a depth map is bright where things are near")
    return RawDepth(values, "picture", assumed=assumed, broken=decoded.broken)


def _first_channel(decoded: Decoded, source: Source) -> np.ndarray:
    pixels = upright(decoded.pixels, decoded.orientation)
    if pixels.dtype.kind == "f":
        unit = pixels
    else:
        unit = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    if unit.ndim == 2:
        return unit
    _refuse_colours(unit, source, _GREY_TOLERANCE)  # JPEG frays at edges
    return np.ascontiguousarray(unit[..., 0])


def _refuse_colours(channels: np.ndarray, source: Source, tolerance: float = 0.0) -> None:
    with np.errstate(invalid="ignore", over="ignore"):  # infinity less infinity: told later
        spread = float(np.ptp(channels, axis=2).mean())
    if spread > tolerance:
        raise source.unreadable(
            "it is a picture in colours, which have no order; give the grey depth map instead"
        )


def _tiff_description(decoded: Decoded) -> dict[str, Any]:
    from pullfocus.photo import exif

    block = exif.parse(decoded.exif) if decoded.exif else None
    text = block.text("0", 0x010E) if block else None
    if not text or not text.startswith("{"):
        return {}
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
