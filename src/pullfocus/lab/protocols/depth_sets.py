"""The sets of the depth protocols as cases: a picture, and what its depth is held against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.lab.data import kitti
from pullfocus.lab.data.kitti_laser import Kitti2015
from pullfocus.lab.data.make3d import Make3d
from pullfocus.lab.data.nyu import NyuLabelled
from pullfocus.lab.data.rgbd import RgbdFolder
from pullfocus.lab.data.samples import Frame, StereoPair
from pullfocus.lab.data.zero_shot import Diode, Eth3d
from pullfocus.lab.protocols.alignment import Truth
from pullfocus.lab.protocols.crops import crop_mask, kb_window
from pullfocus.lab.protocols.options import Options


@dataclass(frozen=True, eq=False)
class Case:
    """One image of a protocol.

    Attributes:
        truth_px: true disparity, NaN = unknown, where the set has it (KITTI 2015).
    """

    name: str
    rgb: np.ndarray
    truth: Truth
    truth_px: np.ndarray | None = None


class Cases(Sequence[Case]):
    """A reader's samples as cases, made when they are asked for."""

    def __init__(self, samples: Sequence, make: Callable[..., Case]) -> None:
        self._samples, self._make = samples, make

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, i: int) -> Case:  # type: ignore[override]
        return self._make(self._samples[i])


@dataclass(frozen=True)
class Range:
    """Caps and crop of a set."""

    near_m: float
    far_m: float
    crop: str = "none"

    def with_options(self, options: Options) -> Range:
        """Return the range with a person's deviations."""
        return Range(
            self.near_m if options.near_m is None else options.near_m,
            self.far_m if options.far_m is None else options.far_m,
            options.crop or self.crop,
        )

    def truth(self, depth_m: np.ndarray, known: np.ndarray, **rig: float) -> Truth:
        """Return the truth that counts: known, strictly within the caps, inside the crop."""
        valid = known & (depth_m > self.near_m) & (depth_m < self.far_m)
        valid &= crop_mask(self.crop, valid.shape)
        return Truth(depth_m, valid, self.near_m, self.far_m, **rig)


def kitti_eigen(data: Path, options: Options, limits: Range) -> Cases:
    """Return Eigen's test frames with laser truth, or the accumulated one in its KB crop."""
    shots = kitti.read_split(options.frames or data / "eigen_test_files.txt")

    def laser(frame: Frame) -> Case:
        rig = reader.calibration(by_name[frame.name])
        at_size = {"focal_px": rig.focal_px, "baseline_m": rig.baseline_m}
        truth = limits.truth(frame.depth_m, frame.depth_m > 0, **at_size)
        return Case(frame.name, frame.rgb, truth)

    def improved(frame: Frame) -> Case:
        window = kb_window(frame.depth_m.shape)
        depth = frame.depth_m[window]
        return Case(frame.name, frame.rgb[window], limits.truth(depth, depth > 0))

    if options.improved is not None:
        return Cases(kitti.KittiImproved(data, options.improved, shots), improved)
    reader, by_name = kitti.KittiLaser(data, shots), {shot.name: shot for shot in shots}
    return Cases(reader, laser)


def kitti_2015(data: Path, _options: Options, limits: Range) -> Cases:
    """Return the 200 stereo training frames; depth from disparity, and no cap on the truth."""

    def make(pair: StereoPair) -> Case:
        truth_px = np.asarray(pair.disparity_px)
        known = np.isfinite(truth_px)
        depth = pair.focal_px * pair.baseline_m / np.where(known, truth_px, 1)
        valid = known & crop_mask(limits.crop, known.shape)
        rig = {"focal_px": pair.focal_px, "baseline_m": pair.baseline_m}
        truth = Truth(depth, valid, limits.near_m, limits.far_m, **rig)
        return Case(pair.name, pair.left, truth, truth_px)

    return Cases(Kitti2015(data), make)


def nyu(data: Path, _options: Options, limits: Range) -> Cases:
    """Return the 654 labelled test frames; ``data`` is the .mat or the folder that holds it."""
    mat = data / "nyu_depth_v2_labeled.mat" if data.is_dir() else data
    return _frames(NyuLabelled(mat, "test"), limits)


def make3d(data: Path, _options: Options, limits: Range) -> Cases:
    """Return the 134 test photos' central 2:1 crops with rows 17:38 of the laser grid (C1)."""

    def make(frame: Frame) -> Case:
        h, w = frame.rgb.shape[:2]
        top, bottom = (h - w // 2) // 2, (h + w // 2) // 2
        depth = frame.depth_m[17:38]
        return Case(frame.name, frame.rgb[top:bottom], limits.truth(depth, depth > 0))

    return Cases(Make3d(data, "test"), make)


def eth3d(data: Path, _options: Options, limits: Range) -> Cases:
    """Return every photo of ETH3D's training scenes."""
    return _frames(Eth3d(data), limits)


def diode(data: Path, _options: Options, limits: Range) -> Cases:
    """Return every photo of DIODE below a folder."""
    return _frames(Diode(data), limits)


def folder(data: Path, _options: Options, limits: Range) -> Cases:
    """Return the frames of any folder of RGB-D."""
    return _frames(RgbdFolder(data, near_m=limits.near_m, far_m=limits.far_m), limits)


AFFINE: dict[str, tuple[Range, Callable[[Path, Options, Range], Cases]]] = {
    "nyu": (Range(1e-3, 10, "nyu"), nyu),
    "kitti": (Range(1e-5, 80, "eigen"), kitti_eigen),
    "eth3d": (Range(1e-5, np.inf), eth3d),
    "diode": (Range(0.6, 350), diode),
    "folder": (Range(1e-3, 80), folder),
}
"""Ranges and sets of the affine-invariant protocol. Source: reference/evaluation-protocols.md."""


def affine(data: Path, options: Options, _limits: Range) -> Cases:
    """Return the cases of ``options.subset`` (default: any folder of RGB-D frames).

    Raises:
        UsageError: no such set.
    """
    name = options.subset or "folder"
    if name not in AFFINE:
        raise UsageError(f"There is no affine set {name!r}; there are: {', '.join(AFFINE)}.")
    limits, read = AFFINE[name]
    return read(data, options, limits.with_options(options))


def _frames(frames: Sequence[Frame], limits: Range) -> Cases:
    return Cases(frames, lambda f: Case(f.name, f.rgb, limits.truth(f.depth_m, f.valid)))
