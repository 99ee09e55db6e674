"""Which samples make up which step: a pure function of seed, step and process.

The sampler keeps no state, so a run that was killed goes on with the same samples and, through
``step_seed``, the same random numbers as a run that was not.
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


class SampleSource(Protocol):
    """Samples by number; augmentation draws from the generator it is given and nothing else."""

    def __len__(self) -> int:
        """Return how many samples one epoch has."""

    def draw(self, index: int, rng: np.random.Generator) -> Batch:
        """Return sample ``index`` as named tensors without a batch axis."""


@dataclass(frozen=True)
class Order:
    """The batches of one process: lists of (epoch, sample) from step ``start`` to ``stop``.

    Each epoch is a new permutation of the samples. A stream is not permuted: its sample numbers
    count up through the whole run (``step * batch + position``) and belong to epoch 0.

    Attributes:
        count: samples in an epoch.
        batch: samples a step, over all processes and micro-batches.
        seed: of the permutations.
        start, stop: steps.
        rank, world: this process and how many there are.
        micro_batches: lists that each step is split into, for gradient accumulation.
        stream: the source is a stream.
    """

    count: int
    batch: int
    seed: int
    start: int
    stop: int
    rank: int = 0
    world: int = 1
    micro_batches: int = 1
    stream: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Return whole batches in an epoch, at least one."""
        return steps_per_epoch(self.count, self.batch)

    def __iter__(self) -> Iterator[list[Key]]:
        return self._streamed() if self.stream else self._permuted()

    def _permuted(self) -> Iterator[list[Key]]:
        permuted_epoch, steps = -1, np.empty((0, 0), np.int64)
        for step in range(self.start, self.stop):
            epoch, row = divmod(step, self.steps_per_epoch)
            if epoch != permuted_epoch:
                permuted_epoch, steps = epoch, self._permutation(epoch)
            own = steps[row, self.rank :: self.world]
            for part in range(self.micro_batches):
                yield [(epoch, int(index)) for index in own[part :: self.micro_batches]]

    def _streamed(self) -> Iterator[list[Key]]:
        size = self.batch // self.world
        part = size // self.micro_batches
        for step in range(self.start, self.stop):
            first = step * self.batch + self.rank * size
            for begin in range(first, first + size, part):
                yield [(0, number) for number in range(begin, begin + part)]

    def _permutation(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch's steps, (steps, batch)."""
        permuted = np.random.default_rng((self.seed, epoch)).permutation(self.count)
        return np.resize(permuted, (self.steps_per_epoch, self.batch))

    def __len__(self) -> int:
        return (self.stop - self.start) * self.micro_batches


def steps_per_epoch(count: int, batch: int) -> int:
    """Return whole batches in an epoch of ``count`` samples, at least one."""
    return max(1, count // batch)


def step_seed(seed: int, step: int, rank: int) -> int:
    """Return the torch seed of one step of one process (dropout, noise in norms)."""
    return int(np.random.SeedSequence((seed, step, rank)).generate_state(1)[0])


class _Keyed(Dataset[Batch]):
    """A source as a map from keys, which is what a DataLoader's workers want."""

    def __init__(self, source: SampleSource, seed: int) -> None:
        self.source, self.seed = source, seed

    def __getitem__(self, key: Key) -> Batch:
        epoch, index = key
        return self.source.draw(index, np.random.default_rng((self.seed, epoch, index)))


def read_batches(
    source: SampleSource, order: Order, workers: int, pin: bool = False
) -> Iterator[Batch]:
    """Yield the batches of an order, read ahead by ``workers`` processes."""
    loader = DataLoader(
        _Keyed(source, order.seed),
        batch_sampler=order,  # type: ignore[arg-type]
        num_workers=workers,
        pin_memory=pin,
        multiprocessing_context="spawn" if workers else None,
    )
    yield from loader


def held_out_batches(source: SampleSource, batch: int) -> Iterator[Batch]:
    """Yield every sample of a source once, in order, always the same."""
    for begin in range(0, len(source), batch):
        numbers = range(begin, min(begin + batch, len(source)))
        samples = [source.draw(i, np.random.default_rng((0, i))) for i in numbers]
        yield torch.utils.data.default_collate(samples)
