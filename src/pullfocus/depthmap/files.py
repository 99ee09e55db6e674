"""Depth maps in and out of files, with their kind and units said in the file where it can.

.png    16-bit grey, bright = near; 0 = unknown, 1..65535 = far..near; text chunks say the rest
.exr    float32, channel Y = disparity, channel uncertainty; attributes say the rest; exact
.tiff   float32 disparity; the image description says the rest; exact
.npy    float32 disparity, nothing else (the file of project-defude)
.pfm    float32 disparity, nothing else; rows from the bottom up

Files of other programs are read too: docs/depth-files.md lists the layouts.

    bytes -> _read -> RawDepth -> depth_meaning.decide -> depth_values.to_disparity -> DepthMap
"""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from pullfocus.depth_rules import NEAREST_M, check_aspect
from pullfocus.depthmap import codecs, matlab, numpy_files, png
from pullfocus.depthmap.colourise import preview, preview_uncertainty
from pullfocus.depthmap.fill import fill_unknown
from pullfocus.depthmap.labels import RawDepth
from pullfocus.depthmap.meaning import Near, Order, Told, Unit, decide
from pullfocus.depthmap.values import to_disparity
from pullfocus.errors import UsageError
from pullfocus.files import write_whole
from pullfocus.photo.formats import sniff
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
    ".png": png.encode_png,
    ".exr": codecs.encode_exr,
    ".tif": codecs.encode_tiff_depth,
    ".tiff": codecs.encode_tiff_depth,
    ".npy": numpy_files.encode_npy,
    ".pfm": codecs.encode_pfm,
}


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
    near: Near | None = None,
    unit: Unit | None = None,
    scale: float | None = None,
    order: Order | None = None,
    name: str | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> DepthMap:
    """Read a depth map, this program's or another's.

    Files of this program come back as they were. What the numbers of other files mean is decided
    by `depth_meaning.decide` and said in `source` and `notes`; `depth.load_depth_of` also asks
    the photo. What is unknown (0 of a sensor, NaN) is filled from its surroundings. Relative
    disparity outside 0..1 is scaled into it.

    Args:
        path: a path, the bytes of a file, or an open binary file.
        size_hw: bring it to this size, see `fit_depth`.
        kind: what unlabelled numbers are: "metric" (disparity in 1/m) or "relative" disparity.
        near: which end is near: "bright" (large numbers) or "dark" (small ones).
        unit: "disparity" (relative), "m", "mm" or "inverse_m" (1/m).
        scale: what the numbers are to be multiplied with to be in that unit.
        order: gives a disparity map of the same picture, which decides where the file is silent.
        name: the file's name, where `path` is not called so.
        max_megapixels: larger maps are refused before they are decoded.

    Raises:
        UnreadableInputError: missing, damaged, or not a depth map.
        UsageError: near, unit, scale or kind of no such name, or another aspect than size_hw.
        MissingModelError: a MATLAB file without the extra [mat].

    Convention: larger = nearer; PNG code 0 of this program (unknown) becomes the farthest.
    """
    told = _told(kind, near, unit, scale)
    source = read_source(path, max_megapixels)
    raw = _read(source)
    if raw.values.ndim != 2 or 0 in raw.values.shape:
        raise source.unreadable(f"a depth map has shape (h, w), not {raw.values.shape}")
    if raw.kind is not None:
        depth = _own(raw, raw.kind, source, told)
    else:
        if kind is not None and not told.anything and raw.meaning is None:
            told = Told(unit="inverse_m" if kind == "metric" else "disparity")
        stem = Path(name or source.path or "").stem or None
        depth = _foreign(raw, source, told, stem, order)
    return depth if size_hw is None else fit_depth(depth, size_hw)


def fit_depth(depth: DepthMap, size_hw: tuple[int, int]) -> DepthMap:
    """Bring a depth map to a photo's size; see `depth_rules.same_aspect` for what fits.

    Raises:
        UsageError: another aspect.
    """
    import cv2

    if depth.size_hw == tuple(size_hw):
        return depth
    (h, w), (height, width) = depth.size_hw, size_hw
    check_aspect(depth.size_hw, size_hw, f"from {depth.source}")
    method = cv2.INTER_AREA if height * width < h * w else cv2.INTER_LINEAR

    def resized(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.resize(values, (width, height), interpolation=method))

    sigma = None if depth.uncertainty is None else resized(depth.uncertainty)
    return replace(depth, disparity=resized(depth.disparity), uncertainty=sigma)


def _told(
    kind: DepthKind | None, near: Near | None, unit: Unit | None, scale: float | None
) -> Told:
    if kind not in (None, "relative", "metric"):
        raise UsageError(f"Depth is 'relative' or 'metric', not {kind!r}.")
    return Told(near, unit, scale)


def _read(source: Source) -> RawDepth:  # noqa: PLR0911 - one line a format
    data = source.data
    kind = sniff(data[:64])
    if data.startswith(b"\x93NUMPY"):
        return numpy_files.read_npy(source)
    if data.startswith(b"PK\x03\x04"):
        return numpy_files.read_npz(source)
    if data[:2] in (b"Pf", b"PF"):
        return codecs.read_pfm(source)
    if data.startswith(matlab.MATLAB_5):
        return matlab.read_matlab(source)
    if data.startswith((matlab.MATLAB_7_3, matlab.HDF5)):
        return matlab.read_hdf5(source)
    if codecs.COLMAP.match(data[:64]):
        return codecs.read_colmap(source)
    if kind == "OpenEXR":
        return codecs.read_exr(source)
    if kind == "PNG":
        found = png.read_own_png(source)
        if found is not None:
            return found
    if kind is None:
        raise source.unreadable(
            "it is not a depth map; pullfocus reads PNG, EXR, TIFF, NPY, NPZ, PFM, COLMAP's .bin, "
            "MATLAB's .mat and grey pictures"
        )
    return codecs.read_picture(source, kind)


def _own(raw: RawDepth, kind: DepthKind, source: Source, told: Told) -> DepthMap:
    """Take a file of this program exactly as it was; what others broke in it is filled."""
    values, notes = raw.values, []
    known = np.isfinite(values) & (values <= 1 / NEAREST_M)
    if not known.any():
        raise source.unreadable("nothing in it is known: all of it is no number or no distance")
    if not known.all():
        values = fill_unknown(np.where(known, values, np.float32(0)), known)
        notes.append(_filled_note(source, 1 - float(known.mean())))
    if float(values.min()) < 0:
        raise source.unreadable("it holds negative disparity; disparity is 1/m or 0..1, and >= 0")
    if told.anything:
        notes.append(
            f"Depth file {source.name} is pullfocus's own and says what it holds: what was told of "
            "its unit and its near end was not needed."
        )
    name = raw.source or source.name
    sigma = raw.uncertainty
    if sigma is not None and not (np.isfinite(sigma).all() and float(sigma.min()) >= 0):
        notes.append(f"Depth file {source.name}: its uncertainty is damaged and was left out.")
        sigma = None
    return DepthMap(values, kind, sigma, name, raw.licence, notes=tuple(notes))


def _foreign(
    raw: RawDepth, source: Source, told: Told, stem: str | None, order: Order | None
) -> DepthMap:
    once = functools.cache(order) if order is not None else None
    decision = decide(raw, told, stem, once)
    found = to_disparity(raw, decision.meaning, source, once)
    notes = [
        f"Depth file {source.name}: {raw.label} taken as {decision.meaning.words}, "
        f"{decision.why}; --depth-near, --depth-unit and --depth-scale settle it."
    ]
    if found.unknown:
        notes.append(_filled_note(source, found.unknown))
    name = f"{source.name} ({raw.label} as {decision.meaning.words})"
    return DepthMap.from_disparity(found.disparity, found.kind, source=name, notes=tuple(notes))


def _filled_note(source: Source, share: float) -> str:
    shown = f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
    return f"Depth file {source.name}: {shown} of it is unknown and was filled from around it."
