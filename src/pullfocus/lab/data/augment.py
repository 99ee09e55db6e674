"""The papers' augmentations, one function a paper: what happens to a sample before training.

Pictures are float32 in 0..1 here; every choice comes from the generator that is given.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from pullfocus.lab.data.samples import Clip

SMALLEST_CHANGE = 0.01
"""Mean difference of two frames (0..1) up to which nothing is to be learnt from them."""
LARGEST_ZOOM = 1.2
"""Of `crop_resize_flip`: scale factors are drawn from 1 to this."""


def unit(rgb: UInt8[np.ndarray, "*b h w 3"]) -> Float32[np.ndarray, "*b h w 3"]:
    """Return codes 0..255 as 0..1."""
    return rgb.astype(np.float32) / np.float32(255)


def flip_and_swap(
    left: np.ndarray, right: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror both pictures of a pair and exchange them, with probability 1/2.

    Exchanging is what keeps disparity positive after mirroring.

    Source: Godard et al. 2017, section 4.1.
    """
    if rng.random() < 0.5:
        return left, right
    return np.ascontiguousarray(right[:, ::-1]), np.ascontiguousarray(left[:, ::-1])


def shift_colours(
    pictures: list[Float32[np.ndarray, "h w 3"]], rng: np.random.Generator
) -> list[Float32[np.ndarray, "h w 3"]]:
    """Change gamma, brightness and colour of all pictures alike, with probability 1/2.

    Gamma 0.8 to 1.2, then brightness 0.5 to 2, then each channel 0.8 to 1.2, then clipped.

    Source: Godard et al. 2017, section 4.1.
    """
    if rng.random() < 0.5:
        return pictures
    gamma, brightness = rng.uniform(0.8, 1.2), rng.uniform(0.5, 2.0)
    gains = rng.uniform(0.8, 1.2, 3) * brightness
    return [np.clip(p**gamma * gains, 0, 1).astype(np.float32) for p in pictures]


def monodepth(
    left: UInt8[np.ndarray, "h w 3"], right: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w 3"], Float32[np.ndarray, "h w 3"]]:
    """Return a training pair: `flip_and_swap`, then `shift_colours` on both alike."""
    pair = flip_and_swap(unit(left), unit(right), rng)
    first, second = shift_colours(list(pair), rng)
    return first, second


def crop_resize_flip(clip: Clip, hw: tuple[int, int], rng: np.random.Generator) -> Clip:
    """Return the clip cropped at random, resized to hw, mirrored with probability 1/2.

    The frames are enlarged by factors drawn for height and width apart, an hw window is cut out
    of them, and the intrinsics follow. Frames with truth lose it: the engine trains without.

    Source: Li et al. 2020, section 4 (training): random crop-resize and flip; the range of the
        factors is this project's.
    """
    h, w = clip.frames.shape[1:3]
    factor = np.array(hw) / (h, w) * rng.uniform(1, LARGEST_ZOOM, 2)
    big = np.maximum(np.rint(np.array((h, w)) * factor).astype(int), hw)
    top, left = (int(rng.integers(0, b - a + 1)) for a, b in zip(hw, big, strict=True))
    window = (slice(top, top + hw[0]), slice(left, left + hw[1]))
    frames = np.stack([_resized(frame, big)[window] for frame in clip.frames])
    scale_y, scale_x = big / (h, w)
    moved = np.array([[scale_x, 0, -left], [0, scale_y, -top], [0, 0, 1]]) @ clip.intrinsics
    if rng.random() < 0.5:
        frames = frames[:, :, ::-1]
        moved[0, 2] = hw[1] - moved[0, 2]
    frames = np.ascontiguousarray(frames)
    return Clip(clip.name, frames, clip.times_s, moved)


def has_motion(first: UInt8[np.ndarray, "h w 3"], second: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Tell whether two frames differ enough to be trained on.

    Source: Li et al. 2020: pairs with a mean difference up to .01 are dropped.
    """
    return float(np.abs(unit(first) - unit(second)).mean()) > SMALLEST_CHANGE


def swap_and_mirror(
    rgb: Float32[np.ndarray, "h w 3"], target: np.ndarray, rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "h w 3"], np.ndarray]:
    """Mirror picture and target with probability 1/2; permute the channels with probability 1/2.

    Source: Alhashim and Wonka 2018 (the CS231N project's recipe), section 3.3.
    """
    if rng.random() < 0.5:
        rgb, target = rgb[:, ::-1], target[:, ::-1]
    if rng.random() < 0.5:
        rgb = rgb[:, :, rng.permutation(3)]
    return np.ascontiguousarray(rgb), np.ascontiguousarray(target)


def without_hood(left: np.ndarray, share: float = 0.8) -> np.ndarray:
    """Return the top of a Cityscapes picture, without the car's own hood.

    Source: Godard et al. 2017, section 4.2 (the top 80 %).
    """
    return left[: int(left.shape[0] * share)]


def resized(clip: Clip, hw: tuple[int, int]) -> Clip:
    """Return the clip at another size; depth, motion and masks by their nearest sample."""
    h, w = clip.frames.shape[1:3]
    scale = np.diag([hw[1] / w, hw[0] / h, 1.0])

    def nearest(maps: np.ndarray | None) -> np.ndarray | None:
        if maps is None:
            return None
        rows = ((np.arange(hw[0]) + 0.5) * h / hw[0]).astype(int)
        columns = ((np.arange(hw[1]) + 0.5) * w / hw[1]).astype(int)
        return maps[:, rows[:, None], columns]

    return replace(
        clip,
        frames=np.stack([_resized(f, hw) for f in clip.frames]),
        intrinsics=scale @ clip.intrinsics,
        depth_m=nearest(clip.depth_m),
        moving=nearest(clip.moving),
        motion_m=nearest(clip.motion_m),
    )


def _resized(picture: np.ndarray, hw: tuple[int, int] | np.ndarray) -> np.ndarray:
    shrinks = hw[0] < picture.shape[0]
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (int(hw[1]), int(hw[0])), interpolation=mode))
