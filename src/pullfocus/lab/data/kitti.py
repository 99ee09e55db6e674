"""KITTI's raw drives as its users have them, in Eigen's and KITTI's splits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pullfocus.errors import UsageError
from pullfocus.lab.data.dataset_files import Origin
from pullfocus.lab.data.kitti_laser import (
    KITTI_2015,
    KITTI_RAW,
    Calibration,
    laser_depth,
    read_calibration,
    read_scan,
)
from pullfocus.lab.data.samples import StereoPair
from pullfocus.lab.data.truth import Frame
from pullfocus.lab.data.video import FrameRuns, Run

KITTI_DEPTH = Origin(
    "KITTI's depth benchmark",
    "https://www.cvlibs.net/datasets/kitti/eval_depth.php?benchmark=depth_prediction",
    "data_depth_annotated.zip",
)
FRAMES_PER_SECOND = 10.0
FAR_M = 80.0
EIGEN_TEST_DRIVES = {
    "2011_09_26": (
        *(2, 9, 13, 20, 23, 27, 29, 36, 46, 48, 52, 56, 59, 64, 84, 86, 93, 96, 101, 106, 117),
    ),
    "2011_09_28": (2,),
    "2011_09_29": (71,),
    "2011_09_30": (16, 18, 27),
    "2011_10_03": (27, 47),
}
"""Drives that only test. Source: Eigen et al. 2014, section 4.2."""


@dataclass(frozen=True)
class Shot:
    """One moment of a drive: ``day`` 2011_09_26, ``drive`` ..._sync, number of the frame."""

    day: str
    drive: str
    number: int

    @property
    def name(self) -> str:
        """Drive and number, unique in the set."""
        return f"{self.drive}_{self.number:010d}"


def read_split(path: Path) -> list[Shot]:
    """Return the shots that a list file names, one a line, in either published notation.

    ``2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png ...`` or
    ``2011_09_26/2011_09_26_drive_0002_sync 0000000069 l``. Eigen's 697 test frames are in
    ``eigen_test_files.txt`` of the monodepth release and in ``splits/eigen`` of monodepth2's.

    Raises:
        UnreadableInputError: the file is missing or a line names no frame.
    """
    origin = Origin(
        "the list of frames", "https://github.com/mrharicot/monodepth", "utils/filenames"
    )
    shots = []
    for line in origin.need(path).read_text().splitlines():
        if not line.strip():
            continue
        found = re.match(r"(\d{4}_\d\d_\d\d)/(\S+?_sync)\D*?(?:image_0\d/data/|\s)\s*(\d+)", line)
        if found is None:
            raise origin.damaged(path, f"the line {line.strip()!r} names no frame")
        shots.append(Shot(found[1], found[2], int(found[3])))
    return shots


def drives(root: Path, split: str | Path = "all") -> list[Path]:
    """Return the drive folders on disk that a split may train with.

    split: "all"; "eigen" leaves out Eigen's test drives; a path is KITTI 2015's
        ``train_mapping.txt`` (of its development kit), whose drives are left out: the KITTI split.

    Raises:
        UnreadableInputError: the folder is missing or holds no drive.
        UsageError: another split.
    """
    found = KITTI_RAW.need_any(
        KITTI_RAW.need(root).glob("*/*_drive_*_sync"), root / "2011_09_26" / "*_drive_*_sync"
    )
    if split == "all":
        return found
    if split == "eigen":
        held_out = {
            f"{day}_drive_{n:04d}_sync"
            for day, numbers in EIGEN_TEST_DRIVES.items()
            for n in numbers
        }
    elif isinstance(split, Path):
        held_out = set(re.findall(r"\S+_sync", KITTI_2015.need(split).read_text()))
    else:
        raise UsageError(
            f"A split is 'all', 'eigen' or a path to train_mapping.txt, not {split!r}."
        )
    return [drive for drive in found if drive.name not in held_out]


def shots_of(root: Path, split: str | Path = "all") -> list[Shot]:
    """Return every shot on disk of the drives of a split (see `drives`)."""
    found = []
    for drive in drives(root, split):
        pictures = sorted((drive / "image_02/data").glob("*.*"))
        found += [Shot(drive.parent.name, drive.name, int(p.stem)) for p in pictures]
    return found


class KittiRaw:
    """What every view of KITTI raw shares: where its files lie. ``root`` holds the days."""

    def __init__(self, root: Path, shots: Sequence[Shot] | None = None) -> None:
        self.root = KITTI_RAW.need(root)
        self.shots = list(shots) if shots is not None else shots_of(root)

    def __len__(self) -> int:
        return len(self.shots)

    def calibration(self, shot: Shot) -> Calibration:
        """Return the calibration of the shot's day."""
        return read_calibration(self.root / shot.day)

    def picture(self, shot: Shot, camera: int = 2) -> np.ndarray:
        """Return the colour picture of camera 2 (left) or 3 (right); PNG or JPEG on disk."""
        stem = self._at(shot) / f"image_{camera:02d}/data/{shot.number:010d}"
        jpeg = stem.with_suffix(".jpg")
        return KITTI_RAW.rgb(jpeg if jpeg.exists() else stem.with_suffix(".png"))

    def laser(self, shot: Shot, hw: tuple[int, int]) -> np.ndarray:
        """Return the laser's depth h w in the left picture, 0 where it hit nothing."""
        scan = read_scan(self._at(shot) / f"velodyne_points/data/{shot.number:010d}.bin")
        return laser_depth(scan, self.calibration(shot).to_pixels, hw)

    def _at(self, shot: Shot) -> Path:
        return self.root / shot.day / shot.drive


class KittiStereo(KittiRaw, Sequence[StereoPair]):
    """Rectified colour pairs of the raw drives, without truth."""

    def __getitem__(self, i: int) -> StereoPair:  # type: ignore[override]
        shot = self.shots[i]
        rig = self.calibration(shot)
        left, right = self.picture(shot, 2), self.picture(shot, 3)
        return StereoPair(shot.name, left, right, None, rig.focal_px, rig.baseline_m)


class KittiLaser(KittiRaw, Sequence[Frame]):
    """Left pictures with sparse laser depth: Eigen's evaluation truth."""

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        shot = self.shots[i]
        rgb = self.picture(shot)
        depth_m = self.laser(shot, rgb.shape[:2])
        return Frame(shot.name, rgb, depth_m, (depth_m > 1e-3) & (depth_m < FAR_M), FAR_M)


class KittiImproved(KittiRaw, Sequence[Frame]):
    """Left pictures with the accumulated laser truth of KITTI's depth benchmark.

    Args:
        annotated: ``data_depth_annotated``, holding ``train`` and ``val``.

    Frames that the benchmark left out (Eigen's 697 keep 652) are passed over.
    """

    def __init__(self, root: Path, annotated: Path, shots: Sequence[Shot]) -> None:
        super().__init__(root, shots)
        self._annotated = KITTI_DEPTH.need(annotated)
        self.shots = [shot for shot in self.shots if self._truth(shot) is not None]
        KITTI_DEPTH.need_any(
            (p for s in self.shots if (p := self._truth(s))), annotated / "val/DRIVE/proj_depth"
        )

    def __getitem__(self, i: int) -> Frame:  # type: ignore[override]
        shot = self.shots[i]
        raw = KITTI_DEPTH.raw(self._truth(shot) or self._annotated)
        depth_m = raw.astype(np.float32) / np.float32(256)
        return Frame(shot.name, self.picture(shot), depth_m, depth_m > 0, FAR_M)

    def _truth(self, shot: Shot) -> Path | None:
        inside = f"{shot.drive}/proj_depth/groundtruth/image_02/{shot.number:010d}.png"
        there = (self._annotated / part / inside for part in ("val", "train"))
        return next((path for path in there if path.exists()), None)


def kitti_clips(
    root: Path, split: str | Path = "eigen", count: int = 3, step: int = 1
) -> FrameRuns:
    """Return clips of the left camera over the drives of a split (see `drives`)."""
    runs = []
    for drive in drives(root, split):
        paths = sorted((drive / "image_02/data").glob("*.*"))
        intrinsics = read_calibration(drive.parent).intrinsics
        runs.append(Run(drive.name, paths, intrinsics, FRAMES_PER_SECOND))
    return FrameRuns(runs, count, step, KITTI_RAW)
