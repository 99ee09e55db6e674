"""Turn a uint8 picture into a network's input by the rules of its card, in numpy and OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.depth.card import Preprocessing


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """A batch of one for the network, and which part of its answer is the picture.

    tensor: float32 (1, 3, h, w). inner_hw: share of the height and width, centred, that the
        picture takes; below 1 where a border was added.
    """

    tensor: Float32[np.ndarray, "1 3 h w"]
    inner_hw: tuple[float, float] = (1.0, 1.0)


def target_hw(size_hw: tuple[int, int], rule: Preprocessing) -> tuple[int, int]:
    """Choose the network's input size for a picture of `size_hw`; both sides >= one multiple.

    Source: "short_side" follows DPT's image processor (transformers,
        get_resize_output_image_size with keep_aspect_ratio: the scale nearer to 1 wins).
    """
    h, w = size_hw
    aim_h, aim_w = rule.size_hw
    if rule.rule == "fixed":
        scale_h, scale_w = aim_h / h, aim_w / w
    elif rule.rule == "long_side":
        scale_h = scale_w = max(aim_h, aim_w) / max(h, w)
    else:
        scale_h, scale_w = aim_h / h, aim_w / w
        scale_h = scale_w = scale_w if abs(1 - scale_w) < abs(1 - scale_h) else scale_h
    step = max(1, rule.multiple)
    return (
        max(step, round(h * scale_h / step) * step),
        max(step, round(w * scale_w / step) * step),
    )


def prepare(rgb: UInt8[np.ndarray, "h w 3"], rule: Preprocessing) -> NetworkInput:
    """Resize, scale and normalise a picture for a network.

    Convention: RGB order, channels first, sRGB codes 0..255 before `rule.scale`.
    """
    import cv2

    inner = (1.0, 1.0)
    if rule.rule == "pad":
        rgb, inner = _padded(rgb)
    h, w = target_hw(rgb.shape[:2], rule)
    shrinks = h < rgb.shape[0] and w < rgb.shape[1]
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    small = cv2.resize(rgb, (w, h), interpolation=mode).astype(np.float32)
    mean, std = np.asarray(rule.mean, np.float32), np.asarray(rule.std, np.float32)
    small = (small * np.float32(rule.scale) - mean) / std
    return NetworkInput(np.ascontiguousarray(small.transpose(2, 0, 1))[None], inner)


def _padded(rgb: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Reflect a border around the picture as ZoeDepth does: sqrt(side / 2) * 3 pixels.

    Source: transformers, image_processing_zoedepth, `pad_image`.
    """
    import cv2

    h, w = rgb.shape[:2]
    pad_h, pad_w = (min(int(np.sqrt(n / 2) * 3), n - 1) for n in (h, w))
    out = cv2.copyMakeBorder(rgb, pad_h, pad_h, pad_w, pad_w, cv2.BORDER_REFLECT_101)
    return np.asarray(out), (h / (h + 2 * pad_h), w / (w + 2 * pad_w))


def inner_part(values: np.ndarray, inner_hw: tuple[float, float]) -> np.ndarray:
    """Cut the border off a network's answer; values (h, w) of any resolution."""
    cuts = [round(n * (1 - share) / 2) for n, share in zip(values.shape, inner_hw, strict=True)]
    (top, left), (h, w) = cuts, values.shape
    return values[top : h - top, left : w - left]
