"""A recipe: one run's settings as a typed value, which builds its system and opens its samples."""

from __future__ import annotations

import difflib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import nn

from pullfocus.errors import UsageError
from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch, System

Count = Annotated[int, Field(ge=1)]
"""How many; at least one."""
Thin = Annotated[int, Field(ge=1, le=16)]
"""What all widths of a network are divided by."""
Number = Annotated[int, Field(ge=0)]
"""How many; perhaps none."""
Weight = Annotated[float, Field(ge=0)]
"""Of a loss term."""
Positive = Annotated[float, Field(gt=0)]
"""A rate or a size."""
Decay = Annotated[float, Field(gt=0, lt=1)]
"""What is kept of an average at each update."""


class RecipeSettings(BaseModel):
    """A frozen group of settings that knows no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    replaced: ClassVar[dict[str, str]] = {}
    """Settings of earlier versions, and what to set in their place."""

    def but(self, **changes: Any) -> Self:
        """Return the same with some settings replaced; raises UsageError as ``read`` does."""
        return self.read(self.model_dump() | changes)

    def changed(self, assignments: list[str]) -> Self:
        """Return the same with ``key=value`` settings replaced; dots go into groups.

        Raises:
            UsageError: for an unknown key (with the nearest known ones) or a wrong value.
        """
        fields = self.model_dump()
        for assignment in assignments:
            key, equals, value = assignment.partition("=")
            if not equals:
                raise UsageError(f"--set wants KEY=VALUE, not {assignment!r}.")
            _assign(fields, key.strip(), value)
        return self.read(fields)

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """Return the settings of a mapping, as ``model_dump`` wrote it or a person did.

        Raises:
            UsageError: one sentence for the first thing that is wrong.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as problem:
            raise UsageError(_sentence(cls, problem)) from None


class Optimiser(RecipeSettings):
    """How weights move.

    Attributes:
        name: Adam, or AdamW with ``weight_decay``.
        rate: learning rate at the start.
        decayed: what ``weight_decay`` shrinks: all parameters, or only kernels (more than one
            axis), not biases and norms.
        beta2: decay of the mean of squared gradients.
        schedule: constant; ``halve`` at 3/5 and 4/5 of the run (Godard 2017, section 4.1);
            ``cosine`` down to the share ``end`` of the rate.
        warmup_steps: over which the rate grows linearly from 0.
        clip_norm: largest gradient norm over all parameters; None = no limit.
    """

    name: Literal["adam", "adamw"] = "adam"
    rate: Positive = 1e-4
    weight_decay: Weight = 0.0
    decayed: Literal["all", "kernels"] = "all"
    beta2: Decay = 0.999
    schedule: Literal["constant", "halve", "cosine"] = "constant"
    end: Weight = 0.01
    warmup_steps: Number = 0
    clip_norm: Positive | None = None


class Recipe(RecipeSettings, ABC):
    """One system's training, from seed to epochs; subclasses add the system's own settings.

    Attributes:
        kind: which system; fixed by the subclass.
        steps: stop after so many steps; None = after ``epochs``.
        batch: samples a step over all processes and micro-batches, so that a run means the same on
            any number of them.
        accumulate: micro-batches whose gradients are averaged for one step; less memory each.
        precision: of the networks; losses are always float32.
        log_every, save_every: in steps; both also happen at the end of every epoch.
        measure_every: epochs between scores and pictures, which the first and last state get too.
        workers: reading processes beside each training process.
        ema: decay of a running average of the weights, which is then what is scored and exported;
            None = no average.
        ema_every: steps between updates of that average.
        sync_norms: batch norms see the batch of all processes (GPUs only).
        best_score: a held-out score; the state with the best one so far is kept in best.pt.
        best_is: which value of it is best.
    """

    kind: str
    epochs: Count = 50
    steps: Count | None = None
    batch: Count = 8
    accumulate: Count = 1
    seed: int = 1
    precision: Literal["no", "bf16", "fp16"] = "no"
    optimiser: Optimiser = Optimiser()
    log_every: Count = 10
    save_every: Count = 500
    measure_every: Count = 1
    workers: Number = 0
    ema: Decay | None = None
    ema_every: Count = 1
    sync_norms: bool = False
    best_score: str | None = None
    best_is: Literal["smallest", "largest"] = "smallest"

    @abstractmethod
    def build(self) -> System:
        """Return the system with fresh weights, drawn from torch's generator."""

    @abstractmethod
    def sources(
        self, data: Path | None, cache: Path | None = None
    ) -> tuple[SampleSource, SampleSource]:
        """Return the training and the held-out samples.

        Args:
            data: folder of the samples; None = they are made here.
            cache: folder that ``prepare`` wrote to.
        """

    def prepare(self, data: Path | None, cache: Path) -> None:
        """Write into ``cache`` what ``sources`` reads and is made once; by default nothing."""
        return None

    def initialise(self, system: System) -> None:
        """Prepare a fresh system; called once a run, not when it goes on. By default nothing."""
        return None

    def start_from_file(self, system: System, path: Path, batch: Batch) -> bool:
        """Fill a fresh system from a file that is no checkpoint; tell whether that was done.

        batch: training samples, where something must be measured.
        """
        return False

    def total_steps(self, per_epoch: int) -> int:
        """Return the step at which the run ends."""
        return self.steps if self.steps is not None else self.epochs * per_epoch


def build_optimiser(config: Optimiser, system: nn.Module) -> torch.optim.Optimizer:
    """Return Adam or AdamW over the parameters that learn."""
    learning = [p for p in system.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [{"params": learning}]
    if config.decayed == "kernels":
        groups = [
            {"params": [p for p in learning if p.ndim > 1]},
            {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
        ]
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    betas = (0.9, config.beta2)
    return kind(groups, lr=config.rate, betas=betas, weight_decay=config.weight_decay)


def rate(config: Optimiser, step: int, steps: int) -> float:
    """Return the learning rate of a step out of ``steps``.

    Source: "halve", Godard 2017 section 4.1 (30th and 40th of 50 epochs); "cosine", Loshchilov
    and Hutter 2017, equation 5 without restarts, ending at the share ``end``.
    """
    share = step / max(1, steps)
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    factors = {
        "constant": 1.0,
        "halve": 0.5 ** ((share >= 3 / 5) + (share >= 4 / 5)),
        "cosine": config.end + (1 - config.end) * 0.5 * (1 + math.cos(math.pi * share)),
    }
    return config.rate * warm * factors[config.schedule]


def known_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Return every setting of a recipe by its dotted name."""
    keys = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += known_keys(inner, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


def _assign(fields: dict[str, Any], key: str, value: str) -> None:
    *groups, last = key.split(".")
    for group in groups:
        inner = fields.setdefault(group, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{group!r} is one value, not a group; --set {group}=VALUE sets it.")
        fields = inner
    try:
        fields[last] = json.loads(value)
    except ValueError:
        fields[last] = value


def _sentence(model: type[RecipeSettings], problem: ValidationError) -> str:
    first = problem.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"The setting {key} = {first['input']!r} is wrong: {first['msg']}."
    if key in model.replaced:
        return f"A {model.__name__} has no setting {key!r} any more; {model.replaced[key]}."
    known = known_keys(model)
    near = difflib.get_close_matches(key, known, 3, 0.4)
    near = near or [name for name in known if name.endswith("." + key)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}."
    return f"A {model.__name__} has no setting {key!r}; {hint}"
