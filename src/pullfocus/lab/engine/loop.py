"""The loop: from a recipe and its samples to a trained system in a folder.

OUT/ holds checkpoint.pt, log.jsonl, recipe.json, tensorboard/ and pictures/epoch-NNN-NAME.png.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from torch import Tensor

from pullfocus.errors import PullfocusError, UsageError
from pullfocus.lab.engine import checkpoint as disk
from pullfocus.lab.engine.guard import require_finite
from pullfocus.lab.engine.journal import Journal, has_tensorboard
from pullfocus.lab.engine.order import (
    Order,
    Source,
    batches,
    held_out_batches,
    step_seed,
    steps_per_epoch,
)
from pullfocus.lab.engine.pictures import write_png
from pullfocus.lab.engine.progress import Show, shown
from pullfocus.lab.engine.recipe import Recipe
from pullfocus.lab.engine.schedule import build_optimiser, rate
from pullfocus.lab.engine.system import Batch, System


@dataclass(frozen=True)
class Run:
    """What is trained, and where it goes.

    Attributes:
        name: the recipe's.
        recipe: its settings.
        data: folder of the samples; None = the recipe makes them.
        out: folder of the run.
        start: checkpoint whose weights a new run begins with, where names and shapes agree.
    """

    name: str
    recipe: Recipe
    data: Path | None
    out: Path
    start: Path | None = None


def train(run: Run) -> dict[str, float]:
    """Train until the recipe's last epoch, going on from the folder's checkpoint.

    Runs in every process of a torchrun group, or alone. The same run gives the same log whether
    or not it was killed in between, on the same machine and number of processes.

    Returns:
        the held-out scores of the last epoch.

    Raises:
        UsageError: settings that this machine or the folder's run cannot have.
        NotFiniteError: a loss is NaN or infinite.
    """
    accelerator = _accelerator(run.recipe.precision)
    found = _found_by_the_first(run, accelerator)
    run.out.mkdir(parents=True, exist_ok=True)
    worker = _Worker(run, found, accelerator)
    with closing(worker.journal) if worker.journal else nullcontext():
        return worker.work()


def score(system: System, source: Source, batch: int, device: torch.device) -> dict[str, float]:
    """Return the mean of a system's scores over every sample of a source."""
    sums: dict[str, list[tuple[float, int]]] = {}
    for held_out in held_out_batches(source, batch):
        size = len(next(iter(held_out.values())))
        for name, value in _scores(system, _to(held_out, device)).items():
            sums.setdefault(name, []).append((value, size))
    return {name: _weighted_mean(pairs) for name, pairs in sums.items()}


class _Worker:
    """One process of a run."""

    def __init__(self, run: Run, found: disk.Checkpoint | None, accelerator: Accelerator) -> None:
        recipe = run.recipe
        self.run, self.recipe = run, recipe
        self.accelerator = accelerator
        self.first = self.accelerator.is_main_process
        _check_batch(recipe.batch, self.accelerator.num_processes)
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(recipe.seed)
        self.system = recipe.build()
        self.training, self.held_out = recipe.sources(run.data)
        self.optimiser = build_optimiser(recipe.optimiser, self.system.parameters())
        self.wrapped, self.optimiser = self.accelerator.prepare(self.system, self.optimiser)
        self.per_epoch = steps_per_epoch(len(self.training), recipe.batch)
        self.stop = recipe.epochs * self.per_epoch
        self.step, self.seconds = 0, 0.0
        if found is not None:
            self._restore(found)
        elif run.start is not None:
            begin_with(self.system, run.start)
        else:
            recipe.initialise(self.system)
        self.journal = Journal(run.out, self.step) if self.first else None
        self.window: list[dict[str, Tensor]] = []

    def work(self) -> dict[str, float]:
        """Do all steps; return the last scores."""
        scores: dict[str, float] = {}
        with shown(self.stop, self.step, self.first) as show:
            self._announce(show)
            if self.step == 0:
                scores = self._end_epoch(show)
            mark = time.monotonic()
            for batch in self._batches():
                self.window.append(self._learn(batch))
                self.step += 1
                ended = self.step % self.per_epoch == 0
                saving = ended or self.step % self.recipe.save_every == 0
                if saving or self.step % self.recipe.log_every == 0:
                    mark = self._log(show, mark)
                if ended:
                    scores = self._end_epoch(show)
                    mark = time.monotonic()
                if saving:
                    self._save()
        if not scores and self.first:  # the run was complete already
            scores = self._measure()
        return scores

    def _batches(self) -> Iterator[Batch]:
        process = self.accelerator
        order = Order(
            len(self.training),
            self.recipe.batch,
            self.recipe.seed,
            self.step,
            self.stop,
            process.process_index,
            process.num_processes,
        )
        cuda = process.device.type == "cuda"
        for batch in batches(self.training, order, self.recipe.workers, pin=cuda):
            yield _to(batch, process.device)

    def _learn(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step; return its loss terms, detached."""
        torch.manual_seed(step_seed(self.recipe.seed, self.step, self.accelerator.process_index))
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.recipe.optimiser, self.step, self.stop)
        self.optimiser.zero_grad()
        terms = self.wrapped(batch, self.step)
        total = torch.stack(list(terms.values())).sum()
        dump = self.run.out / f"not-finite-{self.step}-{self.accelerator.process_index}.pt"
        require_finite(terms, batch, self.step, dump)
        self.accelerator.backward(total)
        norm = self.accelerator.clip_grad_norm_(
            self.system.parameters(), self.recipe.optimiser.clip_norm or float("inf")
        )
        if self.recipe.precision != "fp16":  # whose scaler skips such steps by itself
            require_finite({"gradient norm": norm}, batch, self.step, dump)
        self.optimiser.step()
        return {name: value.detach() for name, value in terms.items()} | {"loss": total.detach()}

    def _log(self, show: Show, mark: float) -> float:
        """Write the mean of the steps since the last row; return the time."""
        now = time.monotonic()
        self.seconds += now - mark
        names = list(self.window[0])
        means = torch.stack([torch.stack([row[n] for n in names]) for row in self.window]).mean(0)
        means = self.accelerator.reduce(means, "mean")
        values = dict(zip(names, means.tolist(), strict=True))
        speed = len(self.window) * self.recipe.batch / max(now - mark, 1e-9)
        self.window = []
        if self.journal is not None:
            facts = {"images_per_s": round(speed, 2), "seconds": round(self.seconds, 2)}
            self.journal.row(self.step, values, epoch=self._epoch(), **facts)
        show.step(self.step, values["loss"], speed)
        return now

    def _end_epoch(self, show: Show) -> dict[str, float]:
        """Measure, draw and say where the run stands, where it is time to; before step 0 too."""
        scores: dict[str, float] = {}
        due = self._epoch() % self.recipe.measure_every == 0 or self.step == self.stop
        if self.journal is not None and due:
            scores = self._measure()
            self.journal.row(self.step, scores, epoch=self._epoch())
            self._draw(self.journal)
            words = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
            show.say(f"epoch {self._epoch()} of {self.recipe.epochs}: {words}")
        self.accelerator.wait_for_everyone()
        return scores

    def _measure(self) -> dict[str, float]:
        self.system.eval()
        scores = score(self.system, self.held_out, self.recipe.batch, self.accelerator.device)
        self.system.train()
        return scores

    @torch.no_grad()
    def _draw(self, journal: Journal) -> None:
        self.system.eval()
        batch = _to(next(held_out_batches(self.held_out, 4)), self.accelerator.device)
        for name, rgb in self.system.pictures(batch).items():
            write_png(self.run.out / "pictures" / f"epoch-{self._epoch():03d}-{name}.png", rgb)
            journal.picture(self.step, name, rgb)
        self.system.train()

    def _epoch(self) -> int:
        return self.step // self.per_epoch

    def _announce(self, show: Show) -> None:
        if self.first:
            settings = json.dumps(self.recipe.model_dump(mode="json"), indent=2)
            (self.run.out / "recipe.json").write_text(settings + "\n", encoding="utf-8")
        board = "" if has_tensorboard() else " (no TensorBoard: pip install tensorboard)"
        show.say(
            f"{self.run.name}: {len(self.training)} samples, steps {self.step} to {self.stop}, "
            f"{self.accelerator.num_processes} process(es) on {self.accelerator.device}; "
            f"log in {self.run.out / 'log.jsonl'}{board}"
        )

    def _restore(self, found: disk.Checkpoint) -> None:
        self.system.load_state_dict(found.system)
        self.optimiser.load_state_dict(found.optimiser)
        if found.scaler is not None and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(found.scaler)
        self.step, self.seconds = found.step, found.seconds

    def _save(self) -> None:
        if not self.first:
            return
        scaler = self.accelerator.scaler
        disk.Checkpoint(
            recipe=self.run.name,
            settings=self.recipe.model_dump(mode="json"),
            step=self.step,
            seconds=self.seconds,
            system=self.system.state_dict(),
            optimiser=self.optimiser.state_dict(),
            scaler=scaler.state_dict() if scaler is not None else None,
        ).write(self.run.out / disk.NAME)


def begin_with(system: System, path: Path) -> None:
    """Give a system the weights of another run wherever names and shapes agree.

    Raises:
        UsageError: nothing agrees.
    """
    own = system.state_dict()
    other = disk.read_checkpoint(path).system
    shared = {n: v for n, v in other.items() if n in own and own[n].shape == v.shape}
    if not shared:
        raise UsageError(f"{path} holds another network: not one of its tensors fits.")
    system.load_state_dict(own | shared)


def _found_by_the_first(run: Run, accelerator: Accelerator) -> disk.Checkpoint | None:
    """Return the checkpoint that the first process finds in its folder, to every process.

    Machines need not share a folder; one that began anew would take other steps than the rest, and
    all would wait for each other for ever.

    Raises:
        UsageError, UnreadableInputError: in every process, what the first one raises.
    """
    found: disk.Checkpoint | PullfocusError | None = None
    if accelerator.is_main_process:
        try:
            found = disk.resumable(run.out / disk.NAME, run.name, run.recipe)
        except PullfocusError as problem:
            found = problem
    everywhere = [found]
    broadcast_object_list(everywhere)
    if isinstance(everywhere[0], PullfocusError):
        raise everywhere[0]
    return everywhere[0]


def _accelerator(precision: str) -> Accelerator:
    """Return this process's accelerator.

    Raises:
        UsageError: the machine cannot do the precision.
    """
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    if precision == "fp16" and not torch.cuda.is_available():
        raise UsageError("precision fp16 needs a GPU; on a CPU use bf16 or no.")
    # accelerate keeps one state a process and refuses a second run of another precision
    AcceleratorState._reset_state()
    return Accelerator(
        mixed_precision=precision, cpu=not torch.cuda.is_available(), kwargs_handlers=[unused]
    )


def _check_batch(batch: int, processes: int) -> None:
    if batch % processes:
        raise UsageError(
            f"A batch of {batch} cannot be shared by {processes} processes; --set batch="
            f"{-(-batch // processes) * processes} or another --devices."
        )


def _weighted_mean(pairs: list[tuple[float, int]]) -> float:
    values, sizes = zip(*pairs, strict=True)
    return float(np.average(values, weights=sizes))


@torch.no_grad()
def _scores(system: System, batch: Batch) -> dict[str, float]:
    return system.scores(batch)


def _to(batch: Batch, device: torch.device) -> Batch:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}
