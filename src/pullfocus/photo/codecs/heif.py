"""HEIC in and out through pillow-heif, an extra: its wheels carry GPL parts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from pullfocus.depth_rules import NEAREST_M
from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.photo.codecs.boxes import is_cut_short
from pullfocus.photo.codecs.decoded import Decoded, decoding
from pullfocus.photo.source import CUT_SHORT, Source
from pullfocus.types import DepthMap

# Source: ISO/IEC 14496-12 / H.265 F.14.3.2, depth_representation_type.
_UNIFORM_INVERSE_Z, _UNIFORM_DISPARITY, _UNIFORM_Z = 0, 1, 2
_BT2020 = 9


def _pillow_heif() -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingModelError(
            "HEIC needs the optional package pillow-heif, which is not installed; "
            "try: pip install 'pullfocus[heic]'."
        ) from error
    return pillow_heif


def decode_heif(source: Source) -> Decoded:
    """Decode the primary picture, 10 and 12 bits to 16, and the depth image beside it.

    Convention: libheif applies the file's rotation; the EXIF orientation is a leftover, not
        applied again.

    Raises:
        MissingModelError: pillow-heif is not installed.
        UnreadableInputError: damaged, or too many pixels.
    """
    library = _pillow_heif()
    if is_cut_short(source.data):
        raise source.cut_short()
    damaged = "it starts like a HEIC file but its structure is damaged; copy it again"
    with decoding(source, damaged):
        image = library.open_heif(io.BytesIO(source.data), convert_hdr_to_8bit=False)
        width, height = image.size
    source.check_size(width, height)
    with decoding(source, CUT_SHORT):
        samples = np.asarray(image)
    out = _pixels(samples, image.mode, image.info)
    info = image.info
    exif = info.get("exif")
    out.exif = exif.removeprefix(b"Exif\0\0") if exif else None
    out.xmp = info.get("xmp") or None
    if info.get("icc_profile_type", "prof") != "nclx":
        out.icc_profile = info.get("icc_profile") or None
    if any("gainmap" in str(name).lower() for name in info.get("aux") or {}):
        out.notes.append("Its gain map (HDR) is not kept: it would not fit the new picture.")
    nclx = info.get("nclx_profile") or {}
    codes = nclx.get("color_primaries"), nclx.get("transfer_characteristics")
    if isinstance(codes[0], int) and isinstance(codes[1], int):
        out.cicp = (codes[0], codes[1])
    out.depth = _depth(source, info, out)
    return out


def _pixels(array: np.ndarray, mode: str, info: dict[str, Any]) -> Decoded:
    depth = int(info.get("bit_depth") or 8)
    if array.dtype == np.uint16:
        codes = array >> np.uint16(16 - depth) if 8 < depth < 16 else array
        array = (
            codes if depth in (8, 16) else (codes << (16 - depth)) | (codes >> (2 * depth - 16))
        ).astype(np.uint16)
    if array.ndim == 2:
        return Decoded(array)
    has_alpha = array.shape[2] in (2, 4)
    alpha = np.ascontiguousarray(array[..., -1]) if has_alpha else None
    colour = array[..., :-1] if has_alpha else array
    if mode.startswith(("RGBa", "La")) and alpha is not None:
        colour = _straight(colour, alpha)
    return Decoded(np.ascontiguousarray(colour[..., 0] if colour.shape[2] == 1 else colour), alpha)


def _straight(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    top = np.iinfo(colour.dtype).max
    divided = colour.astype(np.float32) * top / np.maximum(alpha, 1)[..., None]
    return np.clip(np.rint(divided), 0, top).astype(colour.dtype)


def _depth(source: Source, info: dict[str, Any], out: Decoded) -> DepthMap | None:
    images = info.get("depth_images") or []
    if not images:
        return None
    try:
        with decoding(source, CUT_SHORT):
            source.check_size(*images[0].size)
            samples = np.asarray(images[0])
            metadata = images[0].info.get("metadata") or {}
    except UnreadableInputError:
        out.notes.append("The depth image inside could not be read.")
        return None
    if samples.ndim != 2 or not samples.size or samples.dtype.kind not in "ui":
        out.notes.append("The depth image inside is of an unknown kind.")
        return None
    unit = samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
    size_hw: tuple[int, int] = out.pixels.shape[:2]
    return heif_depth_map(_turned(unit, size_hw, info.get("original_orientation")), metadata)


def _turned(samples: np.ndarray, size_hw: tuple[int, int], orientation: Any) -> np.ndarray:
    """Turn a depth image that was left as the sensor saw it while the picture was rotated."""
    if (samples.shape[0] > samples.shape[1]) == (size_hw[0] > size_hw[1]):
        return samples
    from pullfocus.photo.pixels import upright

    return upright(samples, orientation if orientation in range(5, 9) else 6)


def heif_depth_map(samples: np.ndarray, metadata: dict[str, Any]) -> DepthMap:
    """Turn samples 0..1 into disparity by the file's own representation type and range.

    Disparity from d_min to d_max, and inverse Z from 1/z_far to 1/z_near, are 1/m: metric. Z runs
    from z_near to z_far in metres. Without a range the map is relative, of the type's polarity.
    """
    source = "the photo's own depth (HEIC)"
    kind = metadata.get("representation_type", _UNIFORM_DISPARITY)
    near, far = (_positive(metadata.get(name)) for name in ("z_near", "z_far"))
    low, high = metadata.get("d_min"), metadata.get("d_max")
    if kind == _UNIFORM_Z:
        if near is not None and far is not None and near < far:
            return DepthMap.from_depth_m(near + samples * (far - near), source=source)
        return DepthMap(disparity=1.0 - samples, source=source)
    if kind == _UNIFORM_INVERSE_Z and near is not None and far is not None and near < far:
        low, high = 1.0 / far, 1.0 / near
    if low is not None and high is not None and 0 <= low < high <= 1 / NEAREST_M:
        disparity = np.float32(low) + samples * np.float32(high - low)
        return DepthMap(disparity=disparity, kind="metric", source=source)
    return DepthMap(disparity=samples, source=source)


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and NEAREST_M <= value < 1e6 else None


def encode_heif(
    pixels: np.ndarray,
    quality: int,
    exif: bytes | None,
    icc: bytes | None,
    xmp: bytes | None,
    cicp: tuple[int, int] | None = None,
) -> bytes:
    """Encode RGB or RGBA as HEIC: uint8, or 10 bits of codes 0..1023 in uint16.

    cicp: primaries and transfer as codes of ITU-T H.273; None is sRGB, or what the profile says.

    Raises:
        MissingModelError: pillow-heif is not installed.
    """
    library = _pillow_heif()
    mode = "L" if pixels.ndim == 2 else ("RGB" if pixels.shape[2] == 3 else "RGBA")
    if pixels.dtype == np.uint16:
        mode, pixels = f"{mode};16", pixels << 6
    size = (pixels.shape[1], pixels.shape[0])
    image = library.from_bytes(mode, size, np.ascontiguousarray(pixels).tobytes())
    options: dict[str, Any] = {"quality": quality, "chroma": 444 if quality >= 90 else 420}
    if cicp and not icc:
        options["color_primaries"], options["transfer_characteristics"] = cicp
        options["matrix_coefficients"] = _BT2020 if cicp[0] == _BT2020 else 6
        options["full_range_flag"] = 1
    if icc:
        image.info["icc_profile"], image.info["icc_profile_type"] = icc, "prof"
    if xmp:
        image.info["xmp"] = xmp
    if exif:
        image.info["exif"] = b"Exif\0\0" + exif
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()
