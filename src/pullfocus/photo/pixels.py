"""From a file's codes to linear light, and from a photo's own primaries to sRGB."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.metadata import icc
from pullfocus.photo.metadata.cicp import to_sdr
from pullfocus.tone import SRGB, ToneCurve, decode_table
from pullfocus.types import Photo


def tone_curve_of(decoded: Decoded) -> ToneCurve:
    """Choose the tone curve: the profile's, a PNG's gamma, else sRGB; drop profiles that misfit.

    Notes what it could not follow in `decoded.notes`.
    """
    profile = decoded.icc_profile
    if profile:
        space = icc.colour_space(profile)
        fits = space in ("RGB", "GRAY") if decoded.pixels.ndim == 2 else space == "RGB"
        if not fits:
            decoded.notes.append(
                f"Its colour profile ({space or 'damaged'}) does not fit: dropped."
            )
            decoded.icc_profile = None
            return SRGB
        curve = icc.tone_curve(profile)
        if curve is None:
            decoded.notes.append("Its colour profile has no plain tone curve: sRGB's was used.")
        return curve or SRGB
    gamma = decoded.extra.get("png_gamma")
    if gamma is None or abs(gamma - 1 / 2.2) < 0.01 or not 0.1 <= gamma <= 10:
        decoded.extra.pop("png_gamma", None)
        return SRGB
    channel = icc.ParametricCurve(1.0 / gamma)
    return ToneCurve(f"gamma {1 / gamma:.3g}", channel.to_linear, channel.to_encoded)


def linearise(pixels: np.ndarray, curve: ToneCurve) -> Float32[np.ndarray, "h w 3"]:
    """Turn codes (h, w) or (h, w, 3), uint8, uint16 or float, into linear light."""
    import cv2

    pixels = np.ascontiguousarray(pixels)
    if pixels.dtype == np.uint8:
        table = decode_table(curve, 8)
        if table.shape[0] == 3 and pixels.ndim == 3:
            linear = cv2.LUT(pixels, np.ascontiguousarray(table.T)[None])
        else:
            linear = cv2.LUT(pixels, np.ascontiguousarray(table[0]))
    elif pixels.dtype == np.uint16:
        linear = curve.decode(pixels)
    else:
        rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        return np.asarray(curve.to_linear(rgb), np.float32)
    return linear if linear.ndim == 3 else cv2.cvtColor(linear, cv2.COLOR_GRAY2RGB)


def to_linear_srgb(photo: Photo, linear: np.ndarray) -> np.ndarray | None:
    """Turn linear pixels of a photo's primaries into linear sRGB; None if only a CMS could."""
    import cv2

    profile = photo.metadata.icc_profile
    if profile is None or icc.colour_space(profile) == "GRAY":
        return linear
    matrix = icc.matrix_to_srgb(profile)
    if matrix is None or icc.tone_curve(profile) is None:
        return None
    if np.abs(matrix - np.eye(3)).max() < 2e-3:  # sRGB itself, colourants rounded differently
        return linear
    return cv2.transform(np.ascontiguousarray(linear), matrix.astype(np.float32))


def encode_srgb8(photo: Photo, linear: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    """Encode linear pixels of a photo's primaries as 8-bit sRGB, out-of-gamut colours clipped.

    The lights of HDR are compressed to white first.
    """
    srgb = to_linear_srgb(photo, linear)
    if srgb is not None and photo.tone_curve.peak > 1:
        srgb = to_sdr(srgb, photo.tone_curve.peak)
    if srgb is not None:
        return SRGB.encode(srgb)
    return _by_colour_management(photo, linear)


def _by_colour_management(photo: Photo, linear: np.ndarray) -> np.ndarray:
    from PIL import Image, ImageCms

    codes = photo.tone_curve.encode(linear)
    profile = photo.metadata.icc_profile or b""
    try:
        image = ImageCms.profileToProfile(
            Image.fromarray(codes), io.BytesIO(profile), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return codes
    return np.asarray(image) if image is not None else codes


# (exchange rows and columns first, then OpenCV's flip code: 1 sideways, 0 upside down, -1 both)
_STEPS = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation to an array (h, w) or (h, w, c); unknown values change nothing.

    Convention: 1 as is, 2 mirrored, 3 half turn, 4 upside-down mirror, 5 transposed, 6 turned
        clockwise, 7 transposed over the other diagonal, 8 turned anticlockwise: what a viewer
        does to the stored rows to show them.
    Source: EXIF 2.32, tag 0x0112.
    """
    import cv2

    transposed, flip = _STEPS.get(orientation, (False, None))
    if transposed:
        pixels = cv2.transpose(pixels)
    return pixels if flip is None else cv2.flip(pixels, flip)


def upright_hw(size_hw: tuple[int, ...], orientation: int) -> tuple[int, int]:
    """Return the (height, width) that `upright` gives a picture."""
    turned = _STEPS.get(orientation, (False, None))[0]
    return (size_hw[1], size_hw[0]) if turned else (size_hw[0], size_hw[1])


def to_srgb8(photo: Photo, long_side_px: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """Return the photo as 8-bit sRGB, converted from its own primaries.

    long_side_px: makes it smaller, averaged over areas in linear light, so that its longer side
        has this many pixels; it is never enlarged. Alpha is ignored.
    """
    import cv2

    linear = photo.linear
    long_side = max(photo.size_hw)
    if long_side_px is not None and long_side > long_side_px:
        scale = long_side_px / long_side
        size = (max(round(photo.width * scale), 1), max(round(photo.height * scale), 1))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    return encode_srgb8(photo, linear)
