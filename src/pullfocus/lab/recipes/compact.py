"""The embedded network's recipe: it imitates a public teacher and learns from exact depth."""

from __future__ import annotations

from pathlib import Path

from pullfocus.lab.data.crops import CropConfig
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, System
from pullfocus.lab.recipes.distill import CompactSystem
from pullfocus.lab.recipes.distill_settings import DistillSettings
from pullfocus.networks.compact import CompactConfig


class CompactRecipe(DistillSettings):
    """Builds the embedded network and its samples; see ``DistillSettings`` for the settings."""

    def build(self) -> System:
        """Return the network with its losses."""
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
        from pullfocus.lab.recipes.warm_start import start_from_onnx

        if path.suffix != ".onnx" or not isinstance(system, CompactSystem):
            return False
        start_from_onnx(path, system.net, batch["image"])
        system.train()
        return True


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
