"""What of a photo goes into a format: pixels in its bit depth, and the metadata that fits."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullfocus.photo.formats import FormatTraits
from pullfocus.photo.metadata import exif, icc
from pullfocus.photo.metadata.cicp import SRGB_CODES, profile_of, to_sdr
from pullfocus.photo.pixels import to_linear_srgb
from pullfocus.tone import SRGB, ToneCurve
from pullfocus.types import Photo

_THUMBNAIL_PX = 160
_LINEAR = 8


@dataclass(frozen=True, slots=True)
class Prepared:
    """Pixels (h, w) or (h, w, c), alpha last, and the blocks to be written beside them.

    bits: 8, 10 (codes 0..1023 in uint16), 16, or 32 (float). cicp: primaries and transfer as codes
    of ITU-T H.273, where the format says them and they are not sRGB's.
    """

    pixels: np.ndarray
    has_alpha: bool
    exif: bytes | None
    icc_profile: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    bits: int = 8
    cicp: tuple[int, int] | None = None


def prepare(photo: Photo, traits: FormatTraits) -> Prepared:
    """Encode a photo for a format.

    Alpha is laid over white, in linear light, where a format has none. Where a format or the
    pixels no longer fit the profile, the picture becomes sRGB and the profile is left out. HDR goes
    as it is where code points can say it, as linear floats into TIFF, else its lights are
    compressed to white.
    """
    if photo.tone_curve.peak > 1 and not traits.cicp:
        photo = _without_hdr_codes(photo, traits)
    grey = photo.is_grey and _holds_grey(photo, traits) and _is_neutral(photo.linear)
    linear, curve, profile = _colours(photo, traits, grey)
    has_alpha = photo.alpha is not None and traits.alpha
    if photo.alpha is not None and not traits.alpha:
        alpha = photo.alpha[..., None]
        linear = linear * alpha + (np.float32(1) - alpha)
    least = 10 if photo.tone_curve.peak > 1 else 8  # 8 bits of PQ would show steps
    depth = max(bits for bits in traits.bit_depths if bits <= max(photo.bit_depth, least))
    channels = linear[..., :1] if grey else linear
    pixels = _samples(photo, np.ascontiguousarray(channels), curve, depth)
    if has_alpha and photo.alpha is not None:
        pixels = np.concatenate([pixels, _alpha(photo.alpha, pixels.dtype)[..., None]], axis=2)
    if depth == 10:
        pixels = ((pixels.astype(np.uint32) * 1023 + 32767) // 65535).astype(np.uint16)
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    info = photo.metadata
    block = _refreshed(photo, linear, curve) if traits.metadata and info.exif else None
    cicp = info.extra.get("cicp") if traits.cicp else None
    return Prepared(pixels, has_alpha, block, profile, info.xmp if traits.metadata else None,
                    info.dpi, depth, cicp)  # fmt: skip


def _without_hdr_codes(photo: Photo, traits: FormatTraits) -> Photo:
    """Turn an HDR photo into floats in linear light, or into a photo for usual screens."""
    primaries = photo.metadata.extra.get("cicp", SRGB_CODES)[0]
    extra = {key: value for key, value in photo.metadata.extra.items() if key != "cicp"}
    floats = 32 in traits.bit_depths
    linear = photo.linear
    if not traits.metadata:  # no profile will say the primaries
        converted = to_linear_srgb(photo, linear)
        primaries, linear = 1, linear if converted is None else converted
    if not floats:
        linear = to_sdr(linear, photo.tone_curve.peak)
    transfer = _LINEAR if floats and primaries != 1 else SRGB_CODES[1]
    profile = profile_of(primaries, transfer)
    curve = (icc.tone_curve(profile) if profile else None) or SRGB
    metadata = replace(photo.metadata, icc_profile=profile, extra=extra)
    bits: Any = 32 if floats else photo.bit_depth
    return photo.with_linear(linear, tone_curve=curve, metadata=metadata, bit_depth=bits)


def _holds_grey(photo: Photo, traits: FormatTraits) -> bool:
    """Tell whether a format takes this photo as grey; PNG readers ignore RGB profiles of grey."""
    profile = photo.metadata.icc_profile
    is_rgb = profile is not None and icc.colour_space(profile) == "RGB"
    return traits.grey and not (is_rgb and traits.name == "PNG")


def _is_neutral(linear: np.ndarray) -> bool:
    red = linear[..., 0]
    return bool((red == linear[..., 1]).all() and (red == linear[..., 2]).all())


def _colours(
    photo: Photo, traits: FormatTraits, grey: bool
) -> tuple[np.ndarray, ToneCurve, bytes | None]:
    """Choose (linear pixels, tone curve, profile) that belong together in this format."""
    profile = photo.metadata.icc_profile
    if photo.tone_curve.peak > 1:  # the code points say it, and no profile can
        return photo.linear, photo.tone_curve, None
    if profile is None:
        keeps_gamma = traits.name == "PNG" and "png_gamma" in photo.metadata.extra
        return photo.linear, photo.tone_curve if keeps_gamma else SRGB, None
    fits = grey or icc.colour_space(profile) == "RGB"
    if traits.metadata and fits:
        return photo.linear, photo.tone_curve, profile
    srgb = to_linear_srgb(photo, photo.linear)
    if srgb is None:  # a profile of tables only: its codes are the best guess
        return photo.linear, photo.tone_curve, None
    return srgb, SRGB, None


def _samples(photo: Photo, linear: np.ndarray, curve: ToneCurve, depth: int) -> np.ndarray:
    if depth != 32:
        return curve.encode(linear, 8 if depth == 8 else 16)
    if photo.metadata.icc_profile is None:
        return linear  # float files without a profile are linear
    rgb = linear if linear.shape[2] == 3 else np.repeat(linear, 3, axis=2)
    return np.asarray(curve.to_encoded(rgb), np.float32)[..., : linear.shape[2]]


def _alpha(alpha: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return alpha
    top = np.iinfo(dtype).max
    return np.rint(np.clip(alpha, 0.0, 1.0) * np.float64(top)).astype(dtype)


def _refreshed(photo: Photo, linear: np.ndarray, curve: ToneCurve) -> bytes:
    """Return the EXIF block with a thumbnail of this very picture, in the place of the old one."""

    def make_jpeg(room: int) -> bytes | None:
        import cv2
        from PIL import Image

        scale = min(_THUMBNAIL_PX / max(photo.size_hw), 1.0)
        size = (max(round(photo.width * scale), 1), max(round(photo.height * scale), 1))
        shrunk = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
        small = SRGB.encode(to_sdr(shrunk, curve.peak)) if curve.peak > 1 else curve.encode(shrunk)
        for quality in (85, 70, 50, 30):
            out = io.BytesIO()
            Image.fromarray(small).save(out, "JPEG", quality=quality)
            if out.tell() <= room:
                return out.getvalue()
        return None

    return exif.with_thumbnail(photo.metadata.exif or b"", make_jpeg)
