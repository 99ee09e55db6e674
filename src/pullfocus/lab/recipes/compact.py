"""The recipe of the network inside the wheel, and its tiny twin for tests."""

from __future__ import annotations

from pullfocus.lab.data.crops import CropConfig
from pullfocus.lab.train import TrainConfig
from pullfocus.networks.compact import CompactConfig


def compact() -> TrainConfig:
    """Return the settings of the shipped network: two CPU cores, hours."""
    return TrainConfig(
        network=CompactConfig(),
        crops=CropConfig(
            sizes=((128, 192), (160, 160), (160, 224), (224, 160), (96, 288), (192, 256)),
            min_scale=0.5,
        ),
        late_crops=CropConfig(
            sizes=((192, 256), (256, 192), (224, 224), (96, 320), (224, 288)), min_scale=0.6
        ),
        late_from=38_000,
        photos_per_batch=12,
        truths_per_batch={"scenes": 3, "roads": 2, "sensor": 1},
        total_crops=46_500,
        forcing_crops=16_000,
    )


def compact_more() -> TrainConfig:
    """Return the settings of the shipped network's later legs, begun with ``--start``.

    Views nearly as large as what it will look at, people by their own share, no forcing.
    """
    return TrainConfig(
        network=CompactConfig(),
        crops=CropConfig(
            sizes=((160, 224), (224, 160), (192, 192), (128, 224), (96, 288), (192, 256)),
            min_scale=0.6,
            pasted=0.3,
        ),
        photos_per_batch=11,
        people_per_batch=5,
        truths_per_batch={"scenes": 2, "roads": 2, "sensor": 1},
        total_crops=21_000,
        warmup_crops=800,
        forcing_crops=0,
        rate=1e-3,
        hint_weight=0.6,
        seed=3,
    )


def compact_truth() -> TrainConfig:
    """Return the settings of the leg past the teacher: half the views have exact or measured depth.

    Begun with ``--start``, two processes; at a low rate, so that what was known is kept.
    """
    return compact_more().but(
        photos_per_batch=9,
        people_per_batch=4,
        truths_per_batch={"scenes": 2, "corners": 2, "roads": 3, "sensor": 2},
        total_crops=5_000,
        warmup_crops=300,
        rate=1.5e-4,
        hint_weight=0.3,
        seed=9,
    )


def compact_people() -> TrainConfig:
    """Return the settings of a leg for the person mask alone, the depth untouched."""
    return TrainConfig(
        network=CompactConfig(),
        crops=CropConfig(sizes=((192, 256), (256, 192), (224, 224)), min_scale=0.7, pasted=0.3),
        photos_per_batch=16,
        people_per_batch=8,
        total_crops=6_200,
        warmup_crops=300,
        forcing_crops=0,
        rate=2e-3,
        hint_weight=0.0,
        only=("p3", "p2", "p1", "person"),
        seed=4,
    )


def compact_tiny() -> TrainConfig:
    """Return settings that learn on a few pictures in seconds."""
    return TrainConfig(
        network=CompactConfig(
            widths=(24, 48, 96, 192, 64), depths=(1, 1, 1, 1), decoder=(24, 48, 96)
        ),
        crops=CropConfig(sizes=((64, 96),)),
        photos_per_batch=4,
        total_crops=160,
        warmup_crops=16,
        forcing_crops=80,
    )
