"""The embedded network's recipe: it imitates a public teacher and learns from exact depth."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from pullfocus.lab.data.crops import CropConfig
from pullfocus.lab.engine.recipe import Count, Decay, Number, Optimiser, Recipe, Weight
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, System
from pullfocus.networks.compact import CompactConfig

SHARES = {"photos": 12, "scenes": 3, "roads": 2, "sensor": 1}


class CompactRecipe(Recipe):
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

    def build(self) -> System:
        """Return the network with its losses."""
        from pullfocus.lab.recipes.distill import CompactSystem

        return CompactSystem(self)

    def prepare(self, data: Path | None, cache: Path) -> None:
        """Write the packs that are not there yet, which takes hours for all of ``compact``."""
        from pullfocus.lab.recipes.distill_samples import prepare

        prepare(self, data, cache)

    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return views of all packs mixed in their shares, and whole pictures to measure with."""
        from pullfocus.lab.recipes.distill_samples import sources

        return sources(self, data, cache)

    def start_from_file(self, system: System, path: Path, batch: Batch) -> bool:
        """Take the weights of an exported file of the same network; norms measured on a batch."""
        from pullfocus.lab.recipes.distill import CompactSystem
        from pullfocus.lab.recipes.warm_start import start_from_onnx

        if path.suffix != ".onnx" or not isinstance(system, CompactSystem):
            return False
        start_from_onnx(path, system.net, batch["image"])
        system.train()
        return True

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


_BASE = CompactRecipe(workers=0, save_every=60)
_SHIPPED = _BASE.but(
    crops=CropConfig(
        sizes=((128, 192), (160, 160), (160, 224), (224, 160), (96, 288), (192, 256)),
        min_scale=0.5,
    ),
    late_crops=CropConfig(
        sizes=((192, 256), (256, 192), (224, 224), (96, 320), (224, 288)), min_scale=0.6
    ),
    late_from=38_000,
)
_MORE = _BASE.but(
    crops=CropConfig(
        sizes=((160, 224), (224, 160), (192, 192), (128, 224), (96, 288), (192, 256)),
        min_scale=0.6,
        pasted=0.3,
    ),
    shares={"photos": 6, "people": 5, "scenes": 2, "roads": 2, "sensor": 1},
    batch=16,
    epochs=14,
    forcing_crops=0,
    hint_weight=0.6,
    seed=3,
    optimiser=_BASE.optimiser.but(rate=1e-3, end=0.02, warmup_steps=50),
)
_TRUTH = _MORE.but(
    shares={"photos": 5, "people": 4, "scenes": 2, "corners": 2, "roads": 3, "sensor": 2},
    batch=18,
    epochs=10,
    epoch_crops=500,
    hint_weight=0.3,
    seed=9,
    optimiser=_BASE.optimiser.but(rate=1.5e-4, end=0.13, warmup_steps=17),
)
_PEOPLE = _BASE.but(
    crops=CropConfig(sizes=((192, 256), (256, 192), (224, 224)), min_scale=0.7, pasted=0.3),
    shares={"photos": 8, "people": 8},
    batch=16,
    epochs=4,
    epoch_crops=1550,
    forcing_crops=0,
    hint_weight=0.0,
    only=("p3", "p2", "p1", "person"),
    seed=4,
    best_score="person_iou",
    best_is="largest",
    optimiser=_BASE.optimiser.but(warmup_steps=20),
)
_TINY = _BASE.but(
    network=CompactConfig(widths=(24, 48, 96, 192, 64), depths=(1, 1, 1, 1), decoder=(24, 48, 96)),
    crops=CropConfig(sizes=((64, 96),)),
    shares={"photos": 4},
    batch=4,
    epochs=4,
    epoch_crops=40,
    forcing_crops=80,
    log_every=5,
    optimiser=_BASE.optimiser.but(warmup_steps=4),
)
RECIPES = {
    "compact": _SHIPPED,
    "compact-more": _MORE,
    "compact-truth": _TRUTH,
    "compact-people": _PEOPLE,
    "compact-tiny": _TINY,
}
"""The shipped network's legs in their order, each begun with --start from the one before; the
person mask alone; and one that learns on a few pictures in seconds."""
