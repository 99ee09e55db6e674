"""Learning depth, camera motion and object motion from unlabelled video of dynamic scenes.

Source: Li et al. 2020; facts of the release in reference/depth-networks.md, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from pullfocus.lab.data.samples import Clip
from pullfocus.lab.engine import pictures
from pullfocus.lab.engine.recipe import Count, Number, Optimiser, Recipe, Thin, Weight
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, DepthGraph, System
from pullfocus.lab.geometry.pose import rotation_matrix
from pullfocus.lab.losses.dynamic import WEIGHTS, Frame, pyramid_terms
from pullfocus.lab.recipes.samples import Clips, Made, needed, softened, split_last
from pullfocus.lab.recipes.two_heads import iou
from pullfocus.networks.dynamic_motion import BURN_IN_STEPS, Motion
from pullfocus.networks.registry import build

FINER = 2
"""Rendered clips are drawn so many times as large, and shrunk."""
Samples = Literal["rendered", "flights", "kitti", "cityscapes", "waymo", "folder", "video"]


class DynamicRecipe(Recipe):
    """Settings of the dynamic-scenes system; the defaults are the paper's.

    Attributes:
        thin: divides the widths of both networks.
        gentle: a decoder of depth without grain that bears higher rates; the paper's is not.
        residual: let things move by themselves; False leaves all motion to the camera.
        finest: 1, 2, 4 ..: the residual is told at this share of the pictures' size.
        auto_mask: drop the residual below its mean; what is dropped learns nothing.
        smoothness, group, sparsity: weights of those terms; the others are the release's.
        intrinsics: estimate the camera matrix rather than take the samples' own.
        burn_in: steps, in whose second half the residual is let in.
        scales: sizes (1, 1/2, 1/4 ..) at which the frames must agree; the paper's is one.
        augmented: random crop, resize and flip.
        samples: rendered drives or flights, KITTI raw, Cityscapes or Waymo sequences, a folder of
            frames, or a video file.
        frames: of a clip; a step takes two neighbours.
        soft_px: deviation of the lens's blur in rendered clips, at the training size. Without one,
            detail finer than two pixels shimmers, and the frames agree better on a wrong motion
            than on the true one.
        clips: rendered clips in an epoch; without augmentation it has every pair of neighbours.
        same: measure on the training clips; they teach without their truth.
    """

    kind: Literal["dynamic"] = "dynamic"
    epochs: Count = 20
    batch: Count = 16
    optimiser: Optimiser = Optimiser(rate=2e-4, clip_norm=10.0)
    thin: Thin = 1
    gentle: bool = False
    residual: bool = True
    finest: Literal[1, 2, 4, 8] = 1
    auto_mask: bool = True
    smoothness: Weight = WEIGHTS["smoothness"]
    group: Weight = WEIGHTS["group"]
    sparsity: Weight = WEIGHTS["sparsity"]
    intrinsics: bool = False
    burn_in: Count = BURN_IN_STEPS
    scales: Annotated[int, Field(ge=1, le=5)] = 1
    augmented: bool = True
    samples: Samples = "kitti"
    hw: tuple[Count, Count] = (128, 416)
    frames: Count = 3
    soft_px: Weight = 0.0
    clips: Count = 128
    same: bool = False
    workers: Number = 4

    def build(self) -> System:
        """Return both networks with their loss."""
        return DynamicSystem(self)

    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return pairs of frames to train on, and plain ones with their truth to measure with."""
        training, held_out = self._clips(data)
        return (
            Clips(training, self.hw, self.augmented, self.frames),
            Clips(held_out, self.hw, False, self.frames),
        )

    def _clips(self, data: Path | None) -> tuple[Sequence[Clip], Sequence[Clip]]:
        if self.samples in ("rendered", "flights"):
            from pullfocus.lab.scenes import clip, flight

            make = clip if self.samples == "rendered" else flight

            def shoot(seed: int) -> Clip:
                sharp = make(seed, (FINER * self.hw[0], FINER * self.hw[1]), self.frames)
                return softened(sharp, FINER * self.soft_px)

            made = Made(shoot, self.clips)
            return made, made if self.same else Made(shoot, max(8, self.clips // 8), self.clips)
        found = read_clips(self.samples, needed(data, self.samples), self.frames)
        return (found, found) if self.same else split_last(found)


def read_clips(samples: str, data: Path, count: int) -> Sequence[Clip]:
    """Return the clips of a set on disk; the readers say what is missing."""
    from pullfocus.lab.data import cityscapes, kitti, video

    readers: dict[str, Any] = {
        "kitti": kitti.kitti_clips,
        "cityscapes": cityscapes.cityscapes_clips,
        "waymo": cityscapes.waymo_clips,
        "folder": video.FrameFolder,
        "video": video.VideoFile,
    }
    return readers[samples](data, count=count)


class DynamicSystem(System):
    """A depth net asked about both frames, and a motion net asked in both orders."""

    def __init__(self, recipe: DynamicRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.depth = build("dynamic-depth", thin=recipe.thin, gentle=recipe.gentle)
        self.motion = build(
            "dynamic-motion",
            residual=recipe.residual,
            finest=recipe.finest,
            auto_mask=recipe.auto_mask,
            intrinsics=recipe.intrinsics,
            thin=recipe.thin,
        )

    def predict(self, batch: Batch, step: int) -> dict[str, Any]:
        """Return the depths of both frames and the motions between them in both orders."""
        at = round(step * BURN_IN_STEPS / self.recipe.burn_in)
        first, second = batch["first"], batch["second"]
        depth1, depth2 = self.depth(torch.cat([first, second]), step).chunk(2)
        forth = self.motion(first, depth1, second, depth2, at)
        back = self.motion(second, depth2, first, depth1, at)
        return {"depths": (depth1, depth2), "forth": tuple(forth), "back": tuple(back)}

    def losses(self, prediction: dict[str, Any], batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the terms of the paper's loss in both orders."""
        depth1, depth2 = prediction["depths"]
        forth, back = Motion(*prediction["forth"]), Motion(*prediction["back"])
        camera = batch["intrinsics"]
        if forth.intrinsics is not None and back.intrinsics is not None:
            camera = (forth.intrinsics + back.intrinsics) / 2
        first = Frame(batch["first"], depth1, forth)
        second = Frame(batch["second"], depth2, back)
        own = {name: getattr(self.recipe, name) for name in ("smoothness", "group", "sparsity")}
        return pyramid_terms(first, second, camera, self.recipe.scales, WEIGHTS | own)

    def scores(self, batch: Batch) -> dict[str, float]:
        """Return the loss and, where truth is known, how far motion and depth are off.

        translation is |s t - t*| / |t*| with s the median ratio of true to estimated depth;
        rotation_deg is the angle between both rotations, turn_deg the true one's own; abs_rel is
        that of s * depth; moving_iou is of |residual| above a quarter of its largest.
        """
        prediction = self.predict(batch, self.recipe.burn_in)
        terms = self.losses(prediction, batch, self.recipe.burn_in)
        scores = {"objective": float(torch.stack(list(terms.values())).sum())}
        if "depth_m" not in batch:
            return scores
        rows = [self._motion_scores(prediction, batch, i) for i in range(len(batch["first"]))]
        return scores | {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def pictures(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return one row a sample: frame, nearness, residual motion, moving mask and its truth."""
        prediction = self.predict(batch, self.recipe.burn_in)
        residual = Motion(*prediction["forth"]).residual
        columns = [
            [pictures.photo(image) for image in batch["first"]],
            [pictures.nearness(1 / depth[0]) for depth in prediction["depths"][0]],
            [pictures.motion(field) for field in residual],
            [pictures.share(moves(field)) for field in residual],
        ]
        if "moving" in batch:
            columns.append([pictures.share(mask[0]) for mask in batch["moving"]])
        return {"motion": pictures.rows(*columns)}

    def depth_graph(self) -> DepthGraph:
        """Return depth, of unknown scale."""
        return DepthGraph(self.depth, "relative depth", self.recipe.hw, 32)

    def _motion_scores(self, prediction: dict[str, Any], batch: Batch, i: int) -> dict[str, float]:
        motion = Motion(*prediction["forth"])
        truth, own = batch["depth_m"][i], prediction["depths"][0][i]
        known = torch.isfinite(truth)
        scale = (truth[known] / own[known]).median()
        wanted = batch["translation"][i]
        off = scale * motion.background[i].flatten() - wanted
        rotation = rotation_matrix(motion.rotation_rad)[i]
        return {
            "translation": float(off.norm() / wanted.norm()),
            "rotation_deg": _angle_deg(rotation.T @ batch["rotation"][i]),
            "turn_deg": _angle_deg(batch["rotation"][i]),
            "abs_rel": float(((scale * own - truth).abs() / truth)[known].mean()),
            "moving_iou": iou(moves(motion.residual[i]), batch["moving"][i][0] > 0.5),
        }


def moves(residual: Tensor) -> Tensor:
    """Return where a residual field 3 h w is longer than a quarter of its longest vector."""
    length = residual.norm(dim=0)
    return length > 0.25 * length.max()


def _angle_deg(rotation: Tensor) -> float:
    """Return the angle of a 3x3 rotation, from its skew part, which keeps small angles exact."""
    skew = rotation - rotation.T
    sine = torch.stack([skew[2, 1], skew[0, 2], skew[1, 0]]).norm() / 2
    cosine = (rotation.trace() - 1) / 2
    return float(torch.rad2deg(torch.atan2(sine, cosine)))


_TINY = DynamicRecipe(
    thin=4,
    gentle=True,
    samples="flights",
    hw=(64, 128),
    frames=3,
    clips=4,
    same=True,
    augmented=False,
    scales=3,
    finest=4,
    auto_mask=False,
    smoothness=0.02,
    sparsity=0.05,
    soft_px=0.8,
    batch=4,
    epochs=500,
    measure_every=50,
    burn_in=500,
    log_every=10,
    workers=0,
    optimiser=Optimiser(rate=1.5e-3, schedule="cosine", clip_norm=10.0, warmup_steps=20),
)
RECIPES = {
    "dynamic": DynamicRecipe(),
    "dynamic-intrinsics": DynamicRecipe(intrinsics=True),
    "dynamic-static": DynamicRecipe(residual=False),
    "dynamic-tiny": _TINY,
    "dynamic-static-tiny": _TINY.but(residual=False),
}
