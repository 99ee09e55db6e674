"""Depth maps in and out of files, with their kind and units said in the file where it can.

.png    16-bit grey, bright = near; 0 = unknown, 1..65535 = far..near; text chunks say the rest
.exr    float32, channel Y = disparity, channel uncertainty; attributes say the rest; exact
.tiff   float32 disparity; the image description says the rest; exact
.npy    float32 disparity, nothing else (the file of project-defude)
.pfm    float32 disparity, nothing else; rows from the bottom up
.npz    read only: an array called disparity or depth_m
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.photo import depth_codecs, depth_png
from pullfocus.photo.atomic import write_whole
from pullfocus.photo.decoded import BOUNDLESS
from pullfocus.photo.depth_preview import preview, preview_uncertainty
from pullfocus.photo.depth_record import RawDepth
from pullfocus.photo.sniff import sniff
from pullfocus.photo.source import MAX_MEGAPIXELS, PhotoSource, Source, read_source
from pullfocus.types import DepthKind, DepthMap

__all__ = [
    "fit_depth",
    "load_depth",
    "preview",
    "preview_uncertainty",
    "save_depth",
    "save_preview",
]

_ENCODERS = {
    ".png": depth_png.encode_png,
    ".exr": depth_codecs.encode_exr,
    ".tif": depth_codecs.encode_tiff_depth,
    ".tiff": depth_codecs.encode_tiff_depth,
    ".npy": depth_codecs.encode_npy,
    ".pfm": depth_codecs.encode_pfm,
}
_ASPECT_TOLERANCE = 0.01


def save_depth(
    depth: DepthMap,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = True,
    like: Path | None = None,
) -> Path:
    """Write a depth map; the suffix chooses the format (see the module). Whole or not at all.

    Args:
        depth: the map.
        path: where to.
        overwrite: False refuses existing files.
        like: the photo, whose privacy the file keeps: who may not read that may not read this.

    Returns:
        The path written.

    Raises:
        UsageError: a suffix that holds no depth.
        CannotWriteError: existing file, missing folder, no permission, no space.

    Convention: disparity, larger = nearer; PNG is linear in disparity between near and far.
    """
    target = Path(path)
    encoder = _ENCODERS.get(target.suffix.lower())
    if encoder is None:
        raise UsageError(
            f"Cannot write depth to '{target}': end the name with .png, .exr, .tiff, .npy or .pfm."
        )
    write_whole(target, encoder(depth), overwrite=overwrite, like=like)
    return target


def save_preview(depth: DepthMap, path: Path, *, like: Path | None = None) -> None:
    """Write the picture of a depth map for people, as PNG; as private as the photo `like`.

    Raises:
        CannotWriteError: missing folder, no permission, no space.
    """
    from pullfocus.photo.write import save
    from pullfocus.types import Photo

    picture = Photo.from_array(preview(depth))
    metadata = replace(picture.metadata, path=like)
    save(replace(picture, metadata=metadata), path, format="png", overwrite=True)


def load_depth(
    path: PhotoSource,
    *,
    size_hw: tuple[int, int] | None = None,
    kind: DepthKind | None = None,
    near: Literal["bright", "dark"] = "bright",
    max_megapixels: float = MAX_MEGAPIXELS,
) -> DepthMap:
    """Read a depth map, this program's or another's.

    Files of this program come back as they were. In others: .npy, .pfm and .npz hold disparity
    (`depth_m` in .npz: metres), an EXR channel Z metres, grey pictures relative disparity.
    Relative disparity outside 0..1 is scaled into it. `source` says what was assumed.

    Args:
        path: a path, the bytes of a file, or an open binary file.
        size_hw: bring it to this size, see `fit_depth`.
        kind: what unlabelled disparity is: "metric" (1/m) or "relative", the default.
        near: which end is near in grey pictures of other programs.
        max_megapixels: larger maps are refused before they are decoded.

    Raises:
        UnreadableInputError: missing, damaged, not a depth map, NaN inside, or another aspect.

    Convention: larger = nearer; PNG code 0 (unknown) becomes the farthest disparity.
    """
    source = read_source(path, max_megapixels)
    raw = _read(source)
    _refuse_broken(raw, source)
    depth = _depth_map(raw, source, kind, near)
    return depth if size_hw is None else fit_depth(depth, size_hw)


def fit_depth(depth: DepthMap, size_hw: tuple[int, int]) -> DepthMap:
    """Bring a depth map to a photo's size; the aspect must agree within 1 % (or one pixel).

    Raises:
        UnreadableInputError: another aspect.
    """
    import cv2

    if depth.size_hw == tuple(size_hw):
        return depth
    (h, w), (height, width) = depth.size_hw, size_hw
    tolerance = max(_ASPECT_TOLERANCE, 1.0 / min(h, w))
    if abs(math.log((w / h) / (width / height))) > tolerance:
        turned = abs(math.log((h / w) / (width / height))) <= tolerance
        hint = "turn it by 90 degrees" if turned else "make a depth map of this very photo"
        raise UnreadableInputError(
            f"The depth from {depth.source} is {w} x {h} and the photo {width} x {height}, "
            f"another aspect; {hint}."
        )
    method = cv2.INTER_AREA if height * width < h * w else cv2.INTER_LINEAR
    sigma = depth.uncertainty
    return DepthMap(
        disparity=cv2.resize(depth.disparity, (width, height), interpolation=method),
        kind=depth.kind,
        uncertainty=None
        if sigma is None
        else cv2.resize(sigma, (width, height), interpolation=method),
        source=depth.source,
        licence=depth.licence,
    )


def _read(source: Source) -> RawDepth:
    data = source.data
    kind = sniff(data[:64])
    if data.startswith(b"\x93NUMPY"):
        return depth_codecs.read_npy(source)
    if data.startswith(b"PK\x03\x04"):
        return depth_codecs.read_npz(source)
    if data[:2] in (b"Pf", b"PF"):
        return depth_codecs.read_pfm(source)
    if kind == "OpenEXR":
        return depth_codecs.read_exr(source)
    if kind == "PNG":
        found = depth_png.read_own_png(source)
        if found is not None:
            return found
    if kind is None:
        raise source.unreadable(
            "it is not a depth map; pullfocus reads PNG, EXR, TIFF, NPY, NPZ, PFM and grey pictures"
        )
    return depth_codecs.read_picture(source, kind)


def _refuse_broken(raw: RawDepth, source: Source) -> None:
    values = raw.values
    if values.ndim != 2 or 0 in values.shape:
        raise source.unreadable(f"a depth map has shape (h, w), not {values.shape}")
    allowed = np.abs(values) < BOUNDLESS
    if raw.meaning == "depth_m":
        allowed |= values >= BOUNDLESS
    broken = raw.broken + values.size - int(np.count_nonzero(allowed))
    if broken:
        raise source.unreadable(
            f"{broken} of its {values.size} depth values are NaN or infinite; fill them in, for "
            "example with the farthest value"
        )
    if raw.meaning == "depth_m" and float(values.min()) < 0:
        raise source.unreadable("it holds negative distances; distances are metres >= 0")


def _depth_map(
    raw: RawDepth, source: Source, kind: DepthKind | None, near: Literal["bright", "dark"]
) -> DepthMap:
    name = raw.source or f"{source.name}{f' ({raw.assumed})' if raw.assumed else ''}"
    if raw.meaning == "depth_m":
        return DepthMap.from_depth_m(raw.values, source=name, licence=raw.licence)
    values = raw.values
    if raw.meaning == "picture" and near == "dark":
        values, name = 1.0 - values, f"{source.name} (grey picture, dark = near as told)"
    chosen = raw.kind or kind or "relative"
    if chosen == "metric" and float(values.min()) < 0:
        raise source.unreadable("it holds negative disparity; metric disparity is 1/m and >= 0")
    if raw.kind is not None:  # our own file: exactly as it was
        return DepthMap(values, raw.kind, raw.uncertainty, name, raw.licence)
    return DepthMap.from_disparity(
        values, chosen, uncertainty=raw.uncertainty, source=name, licence=raw.licence
    )
