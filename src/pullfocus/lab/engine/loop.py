"""The training loop: from a recipe and its samples to a trained system in a folder.

OUT/ holds checkpoint.pt, best.pt (with a ``best_score``), log.jsonl, recipe.json, tensorboard/ and
pictures/epoch-NNN-NAME.png.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from itertools import islice

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from pullfocus.lab.engine import checkpoint as disk
from pullfocus.lab.engine.guard import require_finite
from pullfocus.lab.engine.metrics_log import MetricsLog, TensorBoard, has_tensorboard
from pullfocus.lab.engine.mixer import Mixture
from pullfocus.lab.engine.pictures import write_png
from pullfocus.lab.engine.progress import Show, shown
from pullfocus.lab.engine.recipe import build_optimiser, rate
from pullfocus.lab.engine.sampler import (
    Order,
    held_out_batches,
    read_batches,
    step_seed,
    steps_per_epoch,
)
from pullfocus.lab.engine.scoring import is_better, on, score
from pullfocus.lab.engine.start import (
    Run,
    checkpoint_of_first_process,
    fill_fresh_system,
    open_accelerator,
)
from pullfocus.lab.engine.system import Batch, System
from pullfocus.lab.engine.weight_average import NORM_STEPS, WeightAverage, kept_buffers

__all__ = ["Run", "train"]


def train(run: Run) -> dict[str, float]:
    """Train until the recipe's last step, going on from the folder's checkpoint.

    Runs in every process of a torchrun group, or alone. The same run gives the same log whether
    or not it was killed in between, on the same machine and number of processes.

    Returns:
        the held-out scores of the last state.

    Raises:
        UsageError: settings that this machine or the folder's run cannot have.
        NotFiniteError: a loss is NaN or infinite.
    """
    accelerator = open_accelerator(run.recipe)
    found = checkpoint_of_first_process(run, accelerator)
    run.out.mkdir(parents=True, exist_ok=True)
    with accelerator.local_main_process_first():
        run.recipe.prepare(run.data, run.prepared)
    trainer = Trainer(run, found, accelerator)
    with closing(trainer.log) if trainer.log else nullcontext():
        return trainer.work()


class Trainer:
    """One process of a run."""

    def __init__(self, run: Run, found: disk.Checkpoint | None, accelerator: Accelerator) -> None:
        recipe = run.recipe
        self.run, self.recipe, self.accelerator = run, recipe, accelerator
        self.first = accelerator.is_main_process
        torch.backends.cudnn.deterministic = True
        self.training, self.held_out = recipe.sources(run.data, run.prepared)
        self.per_epoch = steps_per_epoch(len(self.training), recipe.batch)
        self.stop = recipe.total_steps(self.per_epoch)
        torch.manual_seed(recipe.seed)
        system = recipe.build()
        if found is None:
            fill_fresh_system(run, system, self._first_batch)
        if recipe.sync_norms:
            system = nn.SyncBatchNorm.convert_sync_batchnorm(system)
        self.system: System = system
        self.optimiser = build_optimiser(recipe.optimiser, system)
        self.wrapped, self.optimiser = accelerator.prepare(system, self.optimiser)
        self.average = WeightAverage(system, recipe.ema) if recipe.ema is not None else None
        self.average_buffers: tuple[int, dict[str, Tensor]] | None = None
        self.step, self.seconds = 0, 0.0
        self.best: float | None = None
        if found is not None:
            self._restore(found)
        self.log = self._open_log() if self.first else None
        self.window: list[dict[str, Tensor]] = []

    def work(self) -> dict[str, float]:
        """Do all steps; return the last scores."""
        scores: dict[str, float] = {}
        was_complete = self.step == self.stop
        with shown(self.stop, self.step, self.first) as show:
            self._announce(show)
            if self.step == 0:
                scores = self._end_epoch(show)
            mark = time.monotonic()
            batches = self._batches(self.step, self.stop)
            while micro_batches := list(islice(batches, self.recipe.accumulate)):
                self.window.append(self._learn(micro_batches))
                self.step += 1
                ended = self.step % self.per_epoch == 0 or self.step == self.stop
                saving = ended or self.step % self.recipe.save_every == 0
                if saving or self.step % self.recipe.log_every == 0:
                    mark = self._log_window(show, mark)
                if ended:
                    scores = self._end_epoch(show)
                if saving:
                    self._save()
                    mark = time.monotonic()
        if was_complete:
            with self._as_used():
                scores = self._measure()
        return scores

    def _order(self, start: int, stop: int) -> Order:
        process, recipe = self.accelerator, self.recipe
        return Order(
            count=len(self.training),
            batch=recipe.batch,
            seed=recipe.seed,
            start=start,
            stop=stop,
            rank=process.process_index,
            world=process.num_processes,
            micro_batches=recipe.accumulate,
            stream=isinstance(self.training, Mixture),
        )

    def _batches(self, start: int, stop: int, *, ahead: bool = True) -> Iterator[Batch]:
        """Yield this process's micro-batches of some steps; ``ahead``: by the reading processes."""
        device = self.accelerator.device
        workers = self.recipe.workers if ahead else 0
        order = self._order(start, stop)
        for batch in read_batches(self.training, order, workers, pin=device.type == "cuda"):
            yield on(batch, device)

    def _first_batch(self) -> Batch:
        """Return a whole first batch, the same in every process."""
        order = Order(
            count=len(self.training),
            batch=self.recipe.batch,
            seed=self.recipe.seed,
            start=0,
            stop=1,
            stream=isinstance(self.training, Mixture),
        )
        return next(read_batches(self.training, order, 0))

    def _learn(self, micro_batches: list[Batch]) -> dict[str, Tensor]:
        """Take one step; return its loss terms, detached."""
        torch.manual_seed(step_seed(self.recipe.seed, self.step, self.accelerator.process_index))
        for group in self.optimiser.param_groups:
            group["lr"] = rate(self.recipe.optimiser, self.step, self.stop)
        self.optimiser.zero_grad()
        dump = self.run.out / f"not-finite-{self.step}-{self.accelerator.process_index}.pt"
        rows = []
        for number, batch in enumerate(micro_batches, 1):
            last = number == len(micro_batches)  # processes average gradients once a step
            with nullcontext() if last else self.accelerator.no_sync(self.wrapped):
                terms = self.wrapped(batch, self.step)
                require_finite(terms, batch, self.step, dump)
                total = torch.stack(list(terms.values())).sum()
                self.accelerator.backward(total / len(micro_batches))
            rows.append({name: value.detach() for name, value in terms.items()})
            rows[-1]["loss"] = total.detach()
        norm = self.accelerator.clip_grad_norm_(
            self.system.parameters(), self.recipe.optimiser.clip_norm or float("inf")
        )
        if self.recipe.precision != "fp16":  # whose scaler skips such steps by itself
            require_finite({"gradient norm": norm}, micro_batches[-1], self.step, dump)
        self.optimiser.step()
        if self.average is not None and (self.step + 1) % self.recipe.ema_every == 0:
            self.average.update(self.system)
        return _mean_of(rows)

    def _log_window(self, show: Show, mark: float) -> float:
        """Write the mean of the steps since the last row; return the time."""
        now = time.monotonic()
        self.seconds += now - mark
        means = _mean_of(self.window)
        reduced = self.accelerator.reduce(torch.stack(list(means.values())), "mean")
        values = dict(zip(means, reduced.tolist(), strict=True))
        speed = len(self.window) * self.recipe.batch / max(now - mark, 1e-9)
        self.window = []
        if self.log is not None:
            facts = {"images_per_s": round(speed, 2), "seconds": round(self.seconds, 2)}
            self.log.row(self.step, values, epoch=self._epoch(), **facts)
        show.step(self.step, values["loss"], speed)
        return now

    def _end_epoch(self, show: Show) -> dict[str, float]:
        """Score and draw the system where it is time to; before step 0 too."""
        if self._epoch() % self.recipe.measure_every and self.step != self.stop:
            return {}
        with self._as_used():
            scores = self._measure()
            if self.log is not None:
                self.log.row(self.step, scores, epoch=self._epoch())
                self._draw(self.log)
        words = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        show.say(f"epoch {self._epoch()}, step {self.step} of {self.stop}: {words}")
        if self.first and is_better(self.recipe, scores, self.best):
            self.best = scores[str(self.recipe.best_score)]
            self._checkpoint().write(self.run.out / disk.BEST)
        self.accelerator.wait_for_everyone()
        return scores

    @contextmanager
    def _as_used(self) -> Iterator[None]:
        """Put the system into the state that is scored and exported: averaged, in eval mode."""
        if self.average is None:
            self.system.eval()
            yield
        else:
            recent = self._batches(max(0, self.step - NORM_STEPS), self.step, ahead=False)
            with self.average.in_place(self.system, recent, self.step):
                self.average_buffers = self.step, kept_buffers(self.system)
                self.system.eval()
                yield
        self.system.train()

    def _measure(self) -> dict[str, float]:
        """Return the held-out scores; only the first process has them."""
        if not self.first:
            return {}
        return score(self.system, self.held_out, self.recipe.batch, self.accelerator.device)

    @torch.no_grad()
    def _draw(self, log: MetricsLog) -> None:
        batch = on(next(held_out_batches(self.held_out, 4)), self.accelerator.device)
        for name, rgb in self.system.pictures(batch).items():
            write_png(self.run.out / "pictures" / f"epoch-{self._epoch():03d}-{name}.png", rgb)
            log.picture(self.step, name, rgb)

    def _epoch(self) -> int:
        return self.step // self.per_epoch

    def _open_log(self) -> MetricsLog:
        settings = self.recipe.model_dump(mode="json")
        text = json.dumps(settings, indent=2) + "\n"
        (self.run.out / "recipe.json").write_text(text, encoding="utf-8")
        loggers = [
            open_logger(self.run.out, settings, self.step) for open_logger in self.run.loggers
        ]
        board = [TensorBoard(self.run.out, self.step)] if has_tensorboard() else []
        return MetricsLog(self.run.out, self.step, [*board, *loggers])

    def _announce(self, show: Show) -> None:
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
        if self.average is not None and found.average is not None:
            self.average.load_state_dict(found.average)
        self.step, self.seconds, self.best = found.step, found.seconds, found.best

    def _save(self) -> None:
        if self.average is not None and (self.average_buffers or (-1,))[0] != self.step:
            with self._as_used():
                pass  # measures the norms of the average; in every process, sync_norms needs all
        if self.first:
            self._checkpoint().write(self.run.out / disk.NAME)

    def _checkpoint(self) -> disk.Checkpoint:
        scaler = self.accelerator.scaler
        average = None
        if self.average is not None and self.average_buffers is not None:
            average = self.average.state_dict() | {"buffers": self.average_buffers[1]}
        return disk.Checkpoint(
            recipe=self.run.name,
            settings=self.recipe.model_dump(mode="json"),
            step=self.step,
            seconds=self.seconds,
            system=self.system.state_dict(),
            optimiser=self.optimiser.state_dict(),
            scaler=scaler.state_dict() if scaler is not None else None,
            average=average,
            best=self.best,
        )


def _mean_of(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([row[name] for row in rows]).mean(0) for name in rows[0]}
