"""The embedded network's settings, and what of its training changes with the crops seen."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pullfocus.lab.data.crops import CropConfig
from pullfocus.lab.engine.recipe import Count, Decay, Number, Optimiser, Recipe, Weight
from pullfocus.networks.compact import CompactConfig

SHARES = {"photos": 12, "scenes": 3, "roads": 2, "sensor": 1}


class DistillSettings(Recipe):
    """Settings of the embedded network. Whatever grows or falls does so by crops (views) seen.

    Attributes:
        network: sizes of the network.
        crops: how views are drawn.
        late_crops: the same from ``late_from`` crops on; larger views, say.
        shares: views of each pack among their sum: "photos" (labelled by the teacher), "people"
            (those photos that show some), "sensor", "scenes", "roads", "corners" (true depth), or
            any pack in the cache folder (counted as true depth).
        epoch_crops: views that count as one epoch.
        forcing_crops: over which the share of pictures that see the teacher's features in place
            of their own falls from .9 to 0.
        hint_weight: of imitating the teacher's features, whole while forcing lasts, then falling
            to a tenth; 0 needs no teacher.
        person_weight: of the person mask.
        only: modules of the network to train while the rest stays as it is; none named: all.
    """

    kind: Literal["compact"] = "compact"
    epochs: Count = 31
    batch: Count = 18
    optimiser: Optimiser = Optimiser(
        name="adamw",
        rate=2e-3,
        weight_decay=0.02,
        decayed="kernels",
        beta2=0.98,
        schedule="cosine",
        warmup_steps=170,
        clip_norm=5.0,
    )
    ema: Decay | None = 0.99
    ema_every: Count = 4
    best_score: str | None = "ssi"
    samples: Literal["packs"] = "packs"
    network: CompactConfig = CompactConfig()
    crops: CropConfig = CropConfig()
    late_crops: CropConfig | None = None
    late_from: Number = 0
    shares: dict[str, Count] = Field(default_factory=lambda: dict(SHARES))
    epoch_crops: Count = 1500
    forcing_crops: Number = 16_000
    hint_weight: Weight = 1.0
    person_weight: Weight = 1.0
    only: tuple[str, ...] = ()

    replaced: ClassVar[dict[str, str]] = {
        "photos_per_batch": "set shares.photos",
        "people_per_batch": "set shares.people",
        "truths_per_batch": "set shares.NAME",
        "total_crops": "give --crops, or set epochs and epoch_crops",
        "warmup_crops": "set optimiser.warmup_steps",
        "rate": "set optimiser.rate",
        "final_rate": "set optimiser.end, its share of optimiser.rate",
        "weight_decay": "set optimiser.weight_decay",
        "save_every_s": "set save_every, in steps",
    }

    def crop_config(self, step: int) -> CropConfig:
        """Return how views are drawn at a step."""
        if self.late_crops is None or step * self.batch < self.late_from:
            return self.crops
        return self.late_crops

    def forced_share(self, step: int) -> float:
        """Return the share of pictures that see the teacher's features at a step."""
        return 0.9 * max(0.0, 1 - step * self.batch / max(1, self.forcing_crops))

    def hint_weight_at(self, step: int) -> float:
        """Return the weight of the hints at a step."""
        whole = self.epochs * self.epoch_crops if self.steps is None else self.steps * self.batch
        after = max(0, step * self.batch - self.forcing_crops)
        return self.hint_weight * (1 - 0.9 * min(1.0, after / max(1, whole - self.forcing_crops)))
