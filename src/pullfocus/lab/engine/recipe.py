"""A recipe: one run's settings as a small typed value, and the doors to its system and samples."""

from __future__ import annotations

import difflib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pullfocus.errors import UsageError
from pullfocus.lab.engine.order import Source
from pullfocus.lab.engine.system import System

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


class Settings(BaseModel):
    """A frozen group of settings that knows no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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


class Optimiser(Settings):
    """How weights move.

    Attributes:
        name: Adam, or AdamW with ``weight_decay``.
        rate: learning rate at the start.
        schedule: constant; ``halve`` at 3/5 and 4/5 of the run (Godard 2017, section 4.1);
            ``cosine`` down to a hundredth.
        warmup_steps: over which the rate grows linearly from 0.
        clip_norm: largest gradient norm over all parameters; None = as it comes.
    """

    name: Literal["adam", "adamw"] = "adam"
    rate: Positive = 1e-4
    weight_decay: Weight = 0.0
    schedule: Literal["constant", "halve", "cosine"] = "constant"
    warmup_steps: Number = 0
    clip_norm: Positive | None = None


class Recipe(Settings, ABC):
    """One system's training, from seed to epochs; subclasses add the system's own settings.

    Attributes:
        kind: which system; fixed by the subclass.
        batch: samples a step over all processes, so that a run means the same on any number.
        precision: of the networks; losses are always float32.
        log_every, save_every: in steps; both also happen at the end of every epoch.
        measure_every: epochs between scores and pictures, which the first and last state get too.
        workers: reading processes beside each training process.
    """

    kind: str
    epochs: Count = 50
    batch: Count = 8
    seed: int = 1
    precision: Literal["no", "bf16", "fp16"] = "no"
    optimiser: Optimiser = Optimiser()
    log_every: Count = 10
    save_every: Count = 500
    measure_every: Count = 1
    workers: Number = 0

    @abstractmethod
    def build(self) -> System:
        """Return the system with fresh weights, drawn from torch's generator."""

    @abstractmethod
    def sources(self, data: Path | None) -> tuple[Source, Source]:
        """Return the training and the held-out samples found in a folder (None = made here)."""

    def initialise(self, system: System) -> None:
        """Prepare a fresh system; called once a run, not when it goes on. Nothing by default."""
        return None


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


def _sentence(model: type[BaseModel], problem: ValidationError) -> str:
    first = problem.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"The setting {key} = {first['input']!r} is wrong: {first['msg']}."
    known = known_keys(model)
    near = difflib.get_close_matches(key, known, 3, 0.4)
    near = near or [name for name in known if name.endswith("." + key)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known)}."
    return f"A {model.__name__} has no setting {key!r}; {hint}"
