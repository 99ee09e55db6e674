"""Which samples make up which step: a pure function of seed, step and process.

Nothing here has a state, so a run that was killed goes on with the samples, and through
``step_seed`` with the random numbers, that it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pullfocus.lab.engine.system import Batch

Key = tuple[int, int]
"""Epoch and sample number."""


class Source(Protocol):
    """Samples by number; augmentation draws from the generator it is given and nothing else."""

    def __len__(self) -> int:
        """Return how many samples one epoch has."""

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return sample ``index`` as named tensors without a batch axis."""


@dataclass(frozen=True)
class Order:
    """The batches of one process: lists of (epoch, sample) from step ``start`` to ``stop``.

    Attributes:
        count: samples in an epoch.
        batch: samples a step, over all processes.
        seed: of the shuffling.
        start, stop: steps.
        rank, world: this process and how many there are.
    """

    count: int
    batch: int
    seed: int
    start: int
    stop: int
    rank: int = 0
    world: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Return whole batches in an epoch, at least one."""
        return steps_per_epoch(self.count, self.batch)

    def __iter__(self) -> Iterator[list[Key]]:
        shuffled_for, steps = -1, np.empty((0, 0), np.int64)
        for step in range(self.start, self.stop):
            epoch, place = divmod(step, self.steps_per_epoch)
            if epoch != shuffled_for:
                shuffled_for, steps = epoch, self._shuffled(epoch)
            yield [(epoch, int(index)) for index in steps[place, self.rank :: self.world]]

    def _shuffled(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch's steps, (steps, batch)."""
        shuffled = np.random.default_rng((self.seed, epoch)).permutation(self.count)
        return np.resize(shuffled, (self.steps_per_epoch, self.batch))

    def __len__(self) -> int:
        return self.stop - self.start


def steps_per_epoch(count: int, batch: int) -> int:
    """Return whole batches in an epoch of ``count`` samples, at least one."""
    return max(1, count // batch)


def step_seed(seed: int, step: int, rank: int) -> int:
    """Return the torch seed of one step of one process (dropout, noise in norms)."""
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1)[0])


class _Keyed(Dataset[Batch]):
    """A source as a map from keys, which is what a DataLoader's workers want."""

    def __init__(self, source: Source, seed: int) -> None:
        self.source, self.seed = source, seed

    def __getitem__(self, key: Key) -> Batch:
        epoch, index = key
        return self.source.draw(index, np.random.default_rng((self.seed, epoch, index)))


def batches(source: Source, order: Order, workers: int, pin: bool = False) -> Iterator[Batch]:
    """Yield the batches of an order, read ahead by ``workers`` processes."""
    loader = DataLoader(
        _Keyed(source, order.seed),
        batch_sampler=order,  # type: ignore[arg-type]
        num_workers=workers,
        pin_memory=pin,
        multiprocessing_context="spawn" if workers else None,
    )
    yield from loader


def held_out_batches(source: Source, batch: int) -> Iterator[Batch]:
    """Yield every sample of a source once, in order, always the same."""
    for begin in range(0, len(source), batch):
        numbers = range(begin, min(begin + batch, len(source)))
        samples = [source.draw(i, np.random.default_rng((0, i))) for i in numbers]
        yield torch.utils.data.default_collate(samples)
