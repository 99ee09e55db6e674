"""Load real aperture brackets: the f/16 picture, the same at wider apertures, the in-focus mask.

Source: VABD and EBB! pairs in ../shared/data/bokeh (evaluation only). Pictures are brought to half
size in linear light; wide apertures are brighter, so each target carries the tone match that turns
the input's light into its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pullfocus.types import srgb_to_linear

DATA = Path(__file__).resolve().parents[3] / "shared/data/bokeh"
APERTURES = {"8": 8.0, "2_8": 2.8, "1_8": 1.8}
REGISTERED_EBB = ("2979",)  # 2977 and 2978 do not register well (data/README.md)
SIZE_WH = (768, 512)


@dataclass(frozen=True)
class Bracket:
    """One pair. linear, truth: (h, w, 3) linear light; mask: (h, w), 1 where the lens is sharp.

    tone: per channel (gain, exponent), truth = gain * light ** exponent where nothing clips.
    """

    name: str
    aperture: str
    linear: np.ndarray
    truth: np.ndarray
    mask: np.ndarray
    tone: np.ndarray

    def matched(self, linear: np.ndarray) -> np.ndarray:
        """Give a rendered picture the target's exposure, clipped to 0..1."""
        return np.clip(self.tone[0] * np.maximum(linear, 0) ** self.tone[1], 0, 1)


def read(path: Path) -> np.ndarray:
    """Read a JPEG, half size, linear light."""
    linear = srgb_to_linear(cv2.imread(str(path))[..., ::-1] / np.float32(255))
    return cv2.resize(linear, SIZE_WH, interpolation=cv2.INTER_AREA)


def register(linear: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Move the truth by the translation that fits the sharp region best."""
    a, b = (np.log(x.mean(-1) + 0.02).astype(np.float32) for x in (linear, truth))
    warp = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        _, warp = cv2.findTransformECC(
            a, b, warp, cv2.MOTION_TRANSLATION, stop, (mask > 0.5).astype(np.uint8)
        )
    except cv2.error:
        return truth
    if np.abs(warp[:, 2]).max() > 6:
        return truth
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(truth, warp, SIZE_WH, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.maximum(moved, 0)


def match_tone(linear: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Fit gain and exponent per channel on smoothed, unclipped light; (2, 3)."""
    fitted = []
    for c in range(3):
        a, b = (cv2.GaussianBlur(x[..., c], (0, 0), 12) for x in (linear, truth))
        usable = (a > 0.01) & (b > 0.01) & (a < 0.8) & (b < 0.8)
        exponent, log_gain = np.polyfit(np.log(a[usable]), np.log(b[usable]), 1)
        fitted.append((np.exp(log_gain), exponent))
    return np.array(fitted, np.float32).T


def load(root: Path = DATA) -> Iterator[Bracket]:
    """Yield all brackets, VABD first."""
    vabd, ebb = root / "VABD/train", root / "EBB!/train"
    pairs = [
        (f"VABD {path.stem}", f"f/{APERTURES[folder]:g}", path, vabd / folder / path.name,
         vabd / f"focal/{path.stem}.png")
        for folder in APERTURES
        for path in sorted((vabd / "input").glob("*.JPG"))
    ]  # fmt: skip
    pairs += [
        (f"EBB {n}", "EBB", *(ebb / k / f"{n}.jpg" for k in ("input", "target", "focal")))
        for n in REGISTERED_EBB
    ]
    for name, aperture, source, target, focal in pairs:
        linear, truth = read(source), read(target)
        mask = cv2.resize(cv2.imread(str(focal), 0), SIZE_WH, interpolation=cv2.INTER_AREA) / 255
        truth = register(linear, truth, mask)
        tone = match_tone(linear, truth)
        yield Bracket(name, aperture, linear, truth, mask.astype(np.float32), tone)
