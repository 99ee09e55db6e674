"""Colour by code points (ITU-T H.273), as AVIF, HEIC and PNG's cICP chunk say it.

Pictures for usual screens get an ICC profile that says the same, so that every later step and
every format that holds profiles keeps their colours. HDR pictures, PQ and HLG, get a tone curve
whose 1.0 is reference white and which goes on above it; their profile stands for the primaries.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pullfocus.photo.codecs.decoded import Decoded
from pullfocus.photo.metadata import icc
from pullfocus.tone import ToneCurve

REFERENCE_WHITE_NITS = 203.0
"""Source: ITU-R BT.2408-7, table 1: level of graphics white in HDR, 75 % of HLG's signal."""
SRGB_CODES = (1, 13)
PQ, HLG = 16, 18
UNSPECIFIED = 2
_D65, _C, _E, _DCI = (0.3127, 0.3290), (0.310, 0.316), (1 / 3, 1 / 3), (0.314, 0.351)
# Red, green, blue, white. Source: ITU-T H.273 (2021), table 2.
_PRIMARIES = {
    1: ("BT.709", (0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ("BT.470 M", (0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ("BT.601 625", (0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ("BT.601 525", (0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ("SMPTE 240M", (0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    8: ("film", (0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ("BT.2020", (0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    10: ("XYZ", (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), _E),
    11: ("DCI P3", (0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _DCI),
    12: ("Display P3", (0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
    22: ("EBU 3213", (0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_SRGB_CURVE = icc.ParametricCurve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# With more digits than the standards print, so that the two parts of each curve meet.
_A709, _A240 = 1.09929682680944, 1.111572195921731
_BT709_CURVE = icc.ParametricCurve(1 / 0.45, 1 / _A709, 1 - 1 / _A709, 1 / 4.5, 0.08124285829)
_240M_CURVE = icc.ParametricCurve(1 / 0.45, 1 / _A240, 1 - 1 / _A240, 1 / 4, 0.09128634212)
# From codes to the light of the scene. Source: ITU-T H.273 (2021), table 3, inverted.
_CURVES = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), ("BT.709", _BT709_CURVE)),
    4: ("gamma 2.2", icc.ParametricCurve(2.2)),
    5: ("gamma 2.8", icc.ParametricCurve(2.8)),
    7: ("SMPTE 240M", _240M_CURVE),
    8: ("linear", icc.ParametricCurve(1.0)),
    13: ("sRGB", _SRGB_CURVE),
}


def follow_codes(decoded: Decoded) -> None:
    """Give a picture the profile and the tone curve that its code points ask for, noting losses.

    A profile in the file wins, except over PQ and HLG, which no profile of ours can say.
    """
    if decoded.cicp is None:
        return
    primaries, transfer = _known(decoded, *decoded.cicp)
    curve = HDR_CURVES.get(transfer)
    if decoded.icc_profile and curve is None:
        return
    decoded.icc_profile = profile_of(primaries, 13 if curve else transfer)
    decoded.tone_curve = curve
    decoded.extra.pop("png_gamma", None)
    if (primaries, transfer) != SRGB_CODES:
        decoded.extra["cicp"] = (primaries, transfer)
    if curve is not None:
        decoded.notes.append(
            f"It is HDR ({curve.name}): kept in PNG, AVIF, HEIC and TIFF; other formats get its "
            "lights compressed to white."
        )


def _known(decoded: Decoded, primaries: int, transfer: int) -> tuple[int, int]:
    """Return codes that are known here; unspecified is sRGB (ISO/IEC 23000-22, 7.3.6.4)."""
    if primaries not in _PRIMARIES:
        if primaries not in (0, UNSPECIFIED):
            decoded.notes.append(
                f"Its primaries (H.273 code {primaries}) are unknown: sRGB's used."
            )
        primaries = 1
    if transfer not in _CURVES and transfer not in HDR_CURVES:
        if transfer not in (0, UNSPECIFIED):
            decoded.notes.append(
                f"Its transfer function (H.273 code {transfer}) is not read: sRGB's was used."
            )
        transfer = 13
    return primaries, transfer


@lru_cache(maxsize=16)
def profile_of(primaries: int, transfer: int) -> bytes | None:
    """Build the ICC profile of code points without HDR; None for sRGB, which needs none."""
    if (primaries, transfer) == SRGB_CODES:
        return None
    name, red, green, blue, white = _PRIMARIES[primaries]
    curve_name, curve = _CURVES[transfer]
    return icc.build_profile(f"{name}, {curve_name}", (red, green, blue), white, curve)


@lru_cache(maxsize=1)
def adobe_rgb_profile() -> bytes | None:
    """Build the profile that cameras mean by DCF's option file. Source: Adobe RGB (1998), 4.3."""
    points = (0.64, 0.33), (0.21, 0.71), (0.15, 0.06)
    return icc.build_profile("Adobe RGB (1998)", points, _D65, icc.ParametricCurve(563 / 256))


def profile_of_chromaticities(
    chromaticities: tuple[float, ...], gamma: float | None
) -> bytes | None:
    """Build the profile of PNG's cHRM (white, red, green, blue) and gAMA; None where it is sRGB's.

    gamma: of encoding, 1/2.2 for example; without it the curve is sRGB's.
    """
    points = [(chromaticities[i], chromaticities[i + 1]) for i in range(0, 8, 2)]
    _, red, green, blue, white = _PRIMARIES[1]
    if np.abs(np.array(points) - np.array([white, red, green, blue])).max() < 0.003:
        return None
    curve = icc.ParametricCurve(1 / gamma) if gamma and 0.1 <= gamma <= 10 else _SRGB_CURVE
    return icc.build_profile("PNG chromaticities", tuple(points[1:]), points[0], curve)


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 10000 / REFERENCE_WHITE_NITS


def pq_to_linear(encoded: np.ndarray) -> np.ndarray:
    """PQ codes 0..1 to light; 1.0 is 203 cd/m2. Source: SMPTE ST 2084, equation 4.1."""
    root = np.maximum(np.asarray(encoded, np.float64), 0) ** (1 / _PQ_M2)
    light = (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)
    return light * _PQ_PEAK


def linear_to_pq(linear: np.ndarray) -> np.ndarray:
    """Light to PQ codes; the inverse of `pq_to_linear`."""
    power = (np.maximum(np.asarray(linear, np.float64), 0) / _PQ_PEAK) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2


_HLG_A = 0.17883277
_HLG_B, _HLG_C = 1 - 4 * _HLG_A, 0.5 - _HLG_A * np.log(4 * _HLG_A)
_HLG_WHITE = float((np.exp((0.75 - _HLG_C) / _HLG_A) + _HLG_B) / 12)
"""Light of the scene at 75 % of the signal, as a share of the peak: 0.265."""


def hlg_to_linear(encoded: np.ndarray) -> np.ndarray:
    """HLG codes 0..1 to the light of the scene; 1.0 is reference white, 75 % of the signal.

    Blur happens in the light of the scene, so the camera's curve is undone and no screen's.
    Source: ITU-R BT.2100-2, table 5, inverse OETF.
    """
    x = np.maximum(np.asarray(encoded, np.float64), 0)
    scene = np.where(x <= 0.5, x * x / 3, (np.exp((x - _HLG_C) / _HLG_A) + _HLG_B) / 12)
    return scene / _HLG_WHITE


def linear_to_hlg(linear: np.ndarray) -> np.ndarray:
    """Light of the scene to HLG codes; the inverse of `hlg_to_linear`."""
    y = np.maximum(np.asarray(linear, np.float64), 0) * _HLG_WHITE
    upper = _HLG_A * np.log(np.maximum(12 * y - _HLG_B, 1e-9)) + _HLG_C
    return np.where(y <= 1 / 12, np.sqrt(3 * y), upper)


HDR_CURVES = {
    PQ: ToneCurve("PQ", pq_to_linear, linear_to_pq, _PQ_PEAK),
    HLG: ToneCurve("HLG", hlg_to_linear, linear_to_hlg, 1 / _HLG_WHITE),
}


def curve_of(transfer: int) -> ToneCurve:
    """Return the tone curve of a transfer code; sRGB's for codes that are not known here."""
    if transfer in HDR_CURVES:
        return HDR_CURVES[transfer]
    name, curve = _CURVES.get(transfer, _CURVES[13])
    return ToneCurve(name, curve.to_linear, curve.to_encoded)


_KNEE = 0.5


def to_sdr(linear: np.ndarray, peak: float) -> np.ndarray:
    """Compress light from 0..peak to 0..1: unchanged up to 0.5, then ever more; hues are kept.

    Source: Reinhard et al. 2002, equation 4, above the knee, on the largest of R, G and B.
    """
    brightest = linear.max(axis=2, keepdims=True)
    most = (peak - _KNEE) / (1 - _KNEE)
    above = np.maximum(brightest - _KNEE, 0) / np.float32(1 - _KNEE)
    compressed = _KNEE + (1 - _KNEE) * above * (1 + above / most**2) / (1 + above)
    scale = np.where(brightest > _KNEE, compressed / np.maximum(brightest, _KNEE), 1)
    return (linear * scale).astype(np.float32, copy=False)
