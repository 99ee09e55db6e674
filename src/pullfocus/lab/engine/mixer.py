"""Several sample sources as one stream, in fixed shares by name.

{"photos": 12, "scenes": 3, "sensor": 1}  ->  16 samples in a row hold 12, 3 and 1 of them
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from pullfocus.lab.engine.sampler import SampleSource
from pullfocus.lab.engine.system import Batch


class Mixture(ABC):
    """A stream of samples from named parts in fixed shares.

    Any ``sum(shares)`` consecutive samples starting at a multiple of that number hold exactly
    each part's share, spread evenly. Every part has epochs of its own: each of its samples is
    used once before any is used again, in a new permutation each time. All of it is a function of
    the sample number and the seed, as ``sampler.Order`` needs it to resume exactly.

    Args:
        counts: how many samples each part has, by name.
        shares: samples of each part among ``sum(shares)``; every name must be a part's.
        batch: samples a step, over all processes; tells the step that a number belongs to.
        epoch: samples that count as one epoch of the mixture.
        seed: of the permutations.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        shares: Mapping[str, int],
        batch: int,
        epoch: int,
        seed: int,
    ) -> None:
        self.counts, self.shares = dict(counts), dict(shares)
        self.batch, self.epoch, self.seed = batch, epoch, seed
        self._pattern = interleaved(self.shares)
        self._permutations: dict[str, tuple[int, np.ndarray]] = {}

    @abstractmethod
    def sample(self, name: str, index: int, rng: np.random.Generator, step: int) -> Batch:
        """Return one sample of a part, which may depend on the step it is for."""

    def __len__(self) -> int:
        return self.epoch

    def draw(self, number: int, rng: np.random.Generator) -> Batch:
        """Return sample ``number`` of the stream."""
        name, index = self.locate(number)
        return self.sample(name, index, rng, number // self.batch)

    def locate(self, number: int) -> tuple[str, int]:
        """Return the part that a sample number takes from, and the index in that part."""
        period, place = divmod(number, len(self._pattern))
        name, position = self._pattern[place]
        epoch, row = divmod(period * self.shares[name] + position, self.counts[name])
        return name, int(self._permutation(name, epoch)[row])

    def _permutation(self, name: str, epoch: int) -> np.ndarray:
        """Return a part's order in one of its epochs; the last one asked for is kept."""
        kept = self._permutations.get(name)
        if kept is None or kept[0] != epoch:
            key = (self.seed, list(self.shares).index(name), epoch)
            kept = epoch, np.random.default_rng(key).permutation(self.counts[name])
            self._permutations[name] = kept
        return kept[1]


class SourceMixture(Mixture):
    """A mixture of sources that know nothing of it.

    Args:
        sources: by name; their samples have the same named tensors.
        shares, batch, epoch, seed: see ``Mixture``.
    """

    def __init__(
        self,
        sources: Mapping[str, SampleSource],
        shares: Mapping[str, int],
        batch: int,
        epoch: int,
        seed: int,
    ) -> None:
        counts = {name: len(source) for name, source in sources.items()}
        super().__init__(counts, shares, batch, epoch, seed)
        self.sources = dict(sources)

    def sample(self, name: str, index: int, rng: np.random.Generator, step: int) -> Batch:
        """Return one sample of a source."""
        return self.sources[name].draw(index, rng)


def interleaved(shares: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return (name, 0 .. share - 1) of all shares, each name spread evenly over the list."""
    places = [
        ((position + 0.5) / share, number, name, position)
        for number, (name, share) in enumerate(shares.items())
        for position in range(share)
    ]
    return [(name, position) for _, _, name, position in sorted(places)]
