"""BT.2020 with constant luminance (H.273 matrix 10), which libavif does not decode."""

from __future__ import annotations

import numpy as np

from pullfocus.photo.metadata.cicp import curve_of

_KR, _KB = 0.2627, 0.0593
_KG = 1 - _KR - _KB
# Largest difference from luma below and above 0. Source: ITU-R BT.2020-2, table 4. H.273 derives
# them from the transfer function; the PQ files that exist were made with those of BT.2020.
_BLUE_SPAN, _RED_SPAN = (0.9702, 0.7910), (0.8591, 0.4969)


def from_constant_luminance(codes: np.ndarray, transfer: int) -> np.ndarray:
    """Turn uint16 R'G'B' that were decoded by the matrix of BT.2020 with non-constant luminance.

    That matrix is undone (to Y'C'bC'r), then the right one applied. Colours that it pushed out of
    range were clipped and are approximate.

    Source: ITU-R BT.2020-2, table 4 (constant luminance).
    """
    curve = curve_of(transfer)
    r, g, b = np.moveaxis(codes.astype(np.float64) / 65535, -1, 0)
    luma = _KR * r + _KG * g + _KB * b
    blue = luma + _difference((b - luma) / (2 * (1 - _KB)), _BLUE_SPAN)
    red = luma + _difference((r - luma) / (2 * (1 - _KR)), _RED_SPAN)
    light = [np.asarray(curve.to_linear(np.clip(v, 0, 1))) for v in (luma, red, blue)]
    green = np.asarray(curve.to_encoded((light[0] - _KR * light[1] - _KB * light[2]) / _KG))
    encoded = np.stack([red, green, blue], axis=-1)
    return np.rint(np.clip(encoded, 0, 1) * 65535).astype(np.uint16)


def _difference(chroma: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    return chroma * np.where(chroma <= 0, 2 * span[0], 2 * span[1])
