"""Colour of video: what a stream's tags mean for the way from codes to linear light and back.

    YUV planes --matrix, range--> R'G'B' codes --transfer curve--> linear light, and back

Primaries are carried, never converted: blur is the same in any of them (see `tone.ToneCurve`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import UInt8

from pullfocus.errors import UnreadableInputError
from pullfocus.tone import SRGB, ToneCurve

UNSPECIFIED = 2
"""Code of "unspecified" for primaries, transfer and matrix. Source: ITU-T H.273, tables 2 to 4."""
PQ, HLG = 16, 18
_FULL, _LIMITED = 2, 1
_SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""H.273 matrix codes to those that swscale knows by number (SWS_CS_*)."""
_SDR_WHITE_NITS = 203.0
"""Source: ITU-R BT.2408, reference level of graphics white in HDR."""


@dataclass(frozen=True, slots=True)
class ColourTags:
    """What a stream says about its colour, as codes of ITU-T H.273; 2 is "unspecified".

    full_range: luma runs over all codes (as in JPEG), not 16..235.
    """

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full_range: bool = False

    @property
    def range_code(self) -> int:
        """FFmpeg's code of the range."""
        return _FULL if self.full_range else _LIMITED

    @property
    def is_hdr(self) -> bool:
        """Whether codes mean light far above paper white."""
        return self.transfer in (PQ, HLG)

    def swscale_matrix(self, height: int) -> int:
        """Return the matrix as swscale numbers it; untagged video is 709 from 720 lines on.

        Raises:
            UnreadableInputError: a matrix that cannot be undone here.
        """
        if self.matrix in (0, UNSPECIFIED):
            return 1 if height >= 720 else 5
        if self.matrix not in _SWSCALE_MATRIX:
            raise UnreadableInputError(
                f"The video's colour matrix (H.273 code {self.matrix}) is not one that this "
                "program can undo; convert the video to BT.709 first."
            )
        return _SWSCALE_MATRIX[self.matrix]


def tone_curve_of(tags: ColourTags) -> ToneCurve:
    """Return the curve between codes and light, by the stream's transfer characteristics.

    1.0 is the code's end: paper white for usual video, 10,000 nits for PQ, the system's peak for
    HLG. Blur happens in the light of the scene, so the camera's curve is undone, not the screen's.

    Raises:
        UnreadableInputError: a transfer that is no camera curve this program knows.
    """
    curve = _curves().get(tags.transfer)
    if curve is None:
        raise UnreadableInputError(
            f"The video's transfer characteristics (H.273 code {tags.transfer}) are not known "
            "here, so its light cannot be added up; convert it to BT.709, sRGB, PQ or HLG first."
        )
    return curve


@lru_cache(maxsize=1)
def _curves() -> dict[int, ToneCurve]:
    camera = ToneCurve("BT.709", _bt709_to_linear, _linear_to_bt709)
    curves = dict.fromkeys((1, UNSPECIFIED, 6, 14, 15), camera)
    curves |= {4: _power("gamma 2.2", 2.2), 5: _power("gamma 2.8", 2.8), 8: _power("linear", 1.0)}
    curves |= {13: SRGB, PQ: ToneCurve("PQ", _pq_to_linear, _linear_to_pq)}
    return curves | {HLG: ToneCurve("HLG", _hlg_to_linear, _linear_to_hlg)}


def _power(name: str, gamma: float) -> ToneCurve:
    return ToneCurve(
        name,
        lambda x: np.maximum(x, 0) ** gamma,
        lambda y: np.maximum(y, 0) ** (1 / gamma),
    )


def _bt709_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Source: ITU-R BT.709-6, item 1.2, inverted."""
    x = np.asarray(encoded, np.float64)
    return np.where(x < 0.081, x / 4.5, (np.maximum(x + 0.099, 0) / 1.099) ** (1 / 0.45))


def _linear_to_bt709(linear: np.ndarray) -> np.ndarray:
    y = np.asarray(linear, np.float64)
    return np.where(y < 0.018, y * 4.5, 1.099 * np.maximum(y, 0) ** 0.45 - 0.099)


_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Source: SMPTE ST 2084, equation 4.1; 1.0 is 10,000 nits."""
    root = np.maximum(np.asarray(encoded, np.float64), 0) ** (1 / _PQ_M2)
    return (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)


def _linear_to_pq(linear: np.ndarray) -> np.ndarray:
    power = np.maximum(np.asarray(linear, np.float64), 0) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2


_HLG_A = 0.17883277
_HLG_B, _HLG_C = 1 - 4 * _HLG_A, 0.5 - _HLG_A * np.log(4 * _HLG_A)


def _hlg_to_linear(encoded: np.ndarray) -> np.ndarray:
    """Source: ITU-R BT.2100-2, table 5, inverse OETF: light of the scene, 1.0 is its peak."""
    x = np.maximum(np.asarray(encoded, np.float64), 0)
    return np.where(x <= 0.5, x * x / 3, (np.exp((x - _HLG_C) / _HLG_A) + _HLG_B) / 12)


def _linear_to_hlg(linear: np.ndarray) -> np.ndarray:
    y = np.maximum(np.asarray(linear, np.float64), 0)
    return np.where(
        y <= 1 / 12, np.sqrt(3 * y), _HLG_A * np.log(np.maximum(12 * y - _HLG_B, 1e-9)) + _HLG_C
    )


def preview_rgb8(
    codes: np.ndarray, tags: ColourTags, long_side_px: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Shrink a frame's codes to a small 8-bit picture that networks and trackers take for sRGB.

    HDR is brought below paper white first, or networks would see a dark room.
    """
    import cv2

    h, w = codes.shape[:2]
    scale = min(1.0, long_side_px / max(h, w))
    small = codes[..., :3]
    if 3 * scale < 1:  # halving first: 2x2 is quick, other areas are not
        half = (max(w // 2, 1), max(h // 2, 1))
        small = cv2.resize(small, half, interpolation=cv2.INTER_AREA)
    if scale < 1:
        size = (max(round(w * scale), 1), max(round(h * scale), 1))
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    if tags.is_hdr:
        small = _paper_white(small, tags)
    elif small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    return np.ascontiguousarray(small)


def _paper_white(codes: np.ndarray, tags: ColourTags) -> np.ndarray:
    """Scale HDR light so that paper white is 0.8, roll off what lies above, encode as sRGB."""
    linear = tone_curve_of(tags).decode(codes)
    white = _SDR_WHITE_NITS / 10000 if tags.transfer == PQ else 0.265  # HLG: 75 % signal
    light = linear * np.float32(1 / white)
    return SRGB.encode((light * (1 + light / 25) / (1 + light)).astype(np.float32) * 1.6)
