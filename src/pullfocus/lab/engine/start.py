"""How a run begins: its processes, the state it goes on from, the weights it starts with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list

from pullfocus.errors import PullfocusError, UsageError
from pullfocus.lab.engine import checkpoint as disk
from pullfocus.lab.engine.metrics_log import OpenLogger
from pullfocus.lab.engine.recipe import Recipe
from pullfocus.lab.engine.system import Batch, System


@dataclass(frozen=True)
class Run:
    """What is trained, and where its files are.

    Attributes:
        name: the recipe's.
        recipe: its settings.
        data: folder of the samples; None = the recipe makes them.
        out: folder of the run.
        start: checkpoint whose weights a new run begins with, where names and shapes agree; or
            another file that the recipe can begin with.
        cache: folder for what the recipe makes of the samples once; None = ``out/data``.
        loggers: functions that open loggers beside ``log.jsonl`` and TensorBoard.
    """

    name: str
    recipe: Recipe
    data: Path | None
    out: Path
    start: Path | None = None
    cache: Path | None = None
    loggers: tuple[OpenLogger, ...] = ()

    @property
    def prepared(self) -> Path:
        """Return the folder that the recipe's ``prepare`` writes to."""
        return self.cache or self.out / "data"


def open_accelerator(recipe: Recipe) -> Accelerator:
    """Return this process's accelerator.

    Raises:
        UsageError: the machine cannot do what the recipe asks for.
    """
    on_gpu = torch.cuda.is_available()
    if recipe.precision == "fp16" and not on_gpu:
        raise UsageError("precision fp16 needs a GPU; on a CPU use bf16 or no.")
    if recipe.sync_norms and not on_gpu:
        raise UsageError("sync_norms needs GPUs; on CPUs leave it false.")
    # accelerate keeps one state a process and refuses a second run of another precision
    AcceleratorState._reset_state()
    accelerator = Accelerator(
        mixed_precision=recipe.precision,
        cpu=not on_gpu,
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    check_batch(recipe.batch, accelerator.num_processes, recipe.accumulate)
    return accelerator


def check_batch(batch: int, processes: int, accumulate: int = 1) -> None:
    """Check that processes and micro-batches get equal parts of a batch.

    Raises:
        UsageError: they cannot.
    """
    parts = processes * accumulate
    if batch % parts:
        micro = f" in {accumulate} micro-batches each" if accumulate > 1 else ""
        raise UsageError(
            f"A batch of {batch} cannot be shared by {processes} processes{micro}; --set batch="
            f"{-(-batch // parts) * parts}, or another --devices or accumulate."
        )


def checkpoint_of_first_process(run: Run, accelerator: Accelerator) -> disk.Checkpoint | None:
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


def fill_fresh_system(run: Run, system: System, first_batch: Callable[[], Batch]) -> None:
    """Give a fresh system the weights that its run begins with."""
    if run.start is None:
        run.recipe.initialise(system)
        return
    is_checkpoint = run.start.suffix == ".pt"
    if is_checkpoint or not run.recipe.start_from_file(system, run.start, first_batch()):
        begin_with(system, run.start)


def begin_with(system: System, path: Path) -> None:
    """Give a system the weights of another run wherever names and shapes agree.

    Raises:
        UsageError: nothing agrees.
    """
    own = system.state_dict()
    other = disk.read_checkpoint(path).system_as_used()
    shared = {n: v for n, v in other.items() if n in own and own[n].shape == v.shape}
    if not shared:
        raise UsageError(f"{path} holds another network: not one of its tensors fits.")
    system.load_state_dict(own | shared)
