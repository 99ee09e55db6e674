"""From the readers' samples to tensors: the sources that recipes hand to the engine.

reader or seeds -> Kept (made once) -> augmentation of the paper -> Batch of one
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from pullfocus.errors import UsageError
from pullfocus.lab.data import augment
from pullfocus.lab.data.samples import Clip, Frame, LabelledView, StereoPair
from pullfocus.lab.engine.system import Batch

T = TypeVar("T")


class Made(Sequence[T], Generic[T]):
    """Samples made from seeds, each once: ``make(first + i)``."""

    def __init__(self, make: Callable[[int], T], count: int, first: int = 0) -> None:
        self._make, self._count, self._first = make, count, first
        self._kept: dict[int, T] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, i: int) -> T:  # type: ignore[override]
        if not 0 <= i < self._count:
            raise IndexError(i)
        if i not in self._kept:
            self._kept[i] = self._make(self._first + i)
        return self._kept[i]


class Part(Sequence[T], Generic[T]):
    """Samples first .. last of a longer sequence, read when they are asked for."""

    def __init__(self, whole: Sequence[T], first: int, last: int) -> None:
        self._whole, self._range = whole, range(first, last)

    def __len__(self) -> int:
        return len(self._range)

    def __getitem__(self, i: int) -> T:  # type: ignore[override]
        return self._whole[self._range[i]]


LARGEST_HELD_OUT = 64


def split_last(whole: Sequence[T], share: float = 1 / 8) -> tuple[Sequence[T], Sequence[T]]:
    """Return what trains and what is held out: the last share, 1 to ``LARGEST_HELD_OUT``.

    Raises:
        UsageError: fewer than two samples.
    """
    if len(whole) < 2:
        raise UsageError(f"{len(whole)} sample is too few to train on and to measure with.")
    held_out = min(max(1, int(len(whole) * share)), LARGEST_HELD_OUT)
    first = len(whole) - held_out
    return Part(whole, 0, first), Part(whole, first, len(whole))


def needed(data: Path | None, what: str) -> Path:
    """Return the folder that was given.

    Raises:
        UsageError: none was.
    """
    if data is None:
        raise UsageError(f"Training on {what!r} samples needs --data FOLDER (see docs/lab.md).")
    return data


class Stereo:
    """Stereo pairs as left, right b 3 h w and, where it is known, disparity_px b 1 h w of left.

    Unknown disparity is NaN, in pictures without any all of it.
    """

    def __init__(self, pairs: Sequence[StereoPair], hw: tuple[int, int], augmented: bool) -> None:
        self.pairs, self.hw, self.augmented = pairs, hw, augmented

    def __len__(self) -> int:
        return len(self.pairs)

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return one pair; the truth is left out when it is augmented, training needs none."""
        pair = self.pairs[index]
        left, right = (fitted(side, self.hw) for side in (pair.left, pair.right))
        if self.augmented:
            return _pictures(*augment.monodepth(left, right, rng))
        batch = _pictures(augment.unit(left), augment.unit(right))
        truth = np.full(self.hw, np.nan, np.float32)
        if pair.disparity_px is not None:
            truth = nearest(pair.disparity_px, self.hw) * (self.hw[1] / pair.left.shape[1])
        return batch | {"disparity_px": _plane(truth)}


class Clips:
    """Two frames of a clip as first, second 3 h w with intrinsics 3 3, and truth when measured.

    Truth: rotation 3 3 and translation 3 from the first camera to the second, depth_m and moving
    1 h w of the first frame.

    An epoch takes one drawn pair of each clip when they are augmented, every pair of neighbours
    among the clips' first ``frames`` when they are not.
    """

    def __init__(
        self, clips: Sequence[Clip], hw: tuple[int, int], augmented: bool, frames: int = 2
    ) -> None:
        self.clips, self.hw, self.augmented = clips, hw, augmented
        self.pairs = 1 if augmented else frames - 1

    def __len__(self) -> int:
        return len(self.clips) * self.pairs

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return one pair of neighbouring frames."""
        which, first = divmod(index, self.pairs)
        clip = self.clips[which]
        if self.augmented:
            first = int(rng.integers(0, len(clip) - 1))
            cut = augment.crop_resize_flip(_two_frames(clip, first), self.hw, rng)
            return _two_pictures(cut)
        cut = augment.resized(_two_frames(clip, first), self.hw)
        return _two_pictures(cut) | _motion_truth(cut)


class Depths:
    """Frames with depth as image 3 h w, depth_m 1 h w (NaN = unknown) and person 1 h w.

    ``person`` is NaN in frames that do not say where people are.
    """

    def __init__(
        self, frames: Sequence[Frame | LabelledView], hw: tuple[int, int], augmented: bool
    ) -> None:
        self.frames, self.hw, self.augmented = frames, hw, augmented

    def __len__(self) -> int:
        return len(self.frames)

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return one frame, mirrored and with its channels permuted when it is augmented."""
        frame = self.frames[index]
        image = augment.unit(fitted(frame.rgb, self.hw))
        target = np.stack([nearest(plane, self.hw) for plane in _depth_and_person(frame)], 2)
        if self.augmented:
            image, target = augment.swap_and_mirror(image, target, rng)
        return {
            "image": _chw(image),
            "depth_m": _plane(target[:, :, 0]),
            "person": _plane(target[:, :, 1]),
        }


def fitted(rgb: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Return a picture at a size, area-averaged when it shrinks."""
    if rgb.shape[:2] == hw:
        return rgb
    mode = cv2.INTER_AREA if hw[0] < rgb.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, hw[::-1], interpolation=mode))


def nearest(plane: np.ndarray, hw: tuple[int, int]) -> np.ndarray:
    """Return a float32 map at a size by its nearest sample, so that NaN stays where it is."""
    values = np.ascontiguousarray(plane, np.float32)
    return np.asarray(cv2.resize(values, hw[::-1], interpolation=cv2.INTER_NEAREST_EXACT))


def softened(clip: Clip, sigma_px: float) -> Clip:
    """Return a clip seen through a lens that blurs by a Gaussian; 0 = none."""
    if sigma_px == 0:
        return clip
    frames = [cv2.GaussianBlur(frame, (0, 0), sigma_px) for frame in clip.frames]
    return replace(clip, frames=np.stack(frames))


def _depth_and_person(frame: Frame | LabelledView) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(frame, Frame):
        depth = np.where(frame.valid, frame.depth_m, np.nan)
        return depth, np.full(depth.shape, np.nan)
    known = frame.disparity > 0
    depth = np.where(known, 1 / np.where(known, frame.disparity, 1), np.nan)
    return depth, frame.person.astype(np.float32)


def _two_frames(clip: Clip, first: int) -> Clip:
    both = slice(first, first + 2)
    fields: dict[str, Any] = dict(vars(clip))
    for name in ("frames", "times_s", "poses", "depth_m", "moving", "motion_m"):
        if fields[name] is not None:
            fields[name] = fields[name][both]
    return Clip(**fields)


def _two_pictures(clip: Clip) -> Batch:
    first, second = (_chw(augment.unit(frame)) for frame in clip.frames)
    known = np.isfinite(clip.intrinsics).all()
    camera = clip.intrinsics if known else _guessed_camera(clip.frames.shape[1:3])
    return {"first": first, "second": second, "intrinsics": torch.from_numpy(camera).float()}


def _guessed_camera(hw: tuple[int, ...]) -> np.ndarray:
    """Return intrinsics for a video that names none: a phone's view, 65 degrees across."""
    focal = hw[1] / 2 / np.tan(np.deg2rad(65 / 2))
    return np.array([[focal, 0, hw[1] / 2], [0, focal, hw[0] / 2], [0, 0, 1]])


def _motion_truth(clip: Clip) -> Batch:
    if clip.poses is None or clip.depth_m is None or clip.moving is None:
        return {}
    relative = np.linalg.inv(clip.poses[1]) @ clip.poses[0]
    depth = np.where(np.isfinite(clip.depth_m[0]), clip.depth_m[0], np.nan)
    return {
        "rotation": torch.from_numpy(relative[:3, :3]).float(),
        "translation": torch.from_numpy(relative[:3, 3]).float(),
        "depth_m": _plane(depth),
        "moving": _plane(clip.moving[0]),
    }


def _pictures(left: np.ndarray, right: np.ndarray) -> Batch:
    return {"left": _chw(left), "right": _chw(right)}


def _chw(image: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def _plane(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))[None]
