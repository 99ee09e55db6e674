"""From one command to a group of processes: torchrun starts the same command in each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from pullfocus.cores import usable_cores
from pullfocus.errors import UsageError


def in_group() -> bool:
    """Tell whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def devices_here() -> int:
    """Return how many processes this machine is for: one a GPU, or one."""
    import torch

    return max(1, torch.cuda.device_count())


def group_command(
    arguments: Sequence[str], devices: int, nodes: int, node: int, meet: str | None
) -> list[str]:
    """Return the torchrun command that runs ``pullfocus lab ARGUMENTS`` in every process.

    Args:
        arguments: of ``pullfocus lab``.
        devices: processes on this machine, one a GPU (or CPU processes where there is none).
        nodes: machines; each runs the same command with its own ``node``.
        node: number of this machine, from 0.
        meet: HOST:PORT of machine 0, where they find each other.

    Raises:
        UsageError: several machines without a place to meet.
    """
    if nodes > 1 and not meet:
        raise UsageError(
            "Several machines need --meet HOST:PORT (of machine 0), the same on each, and "
            "--node 0, 1, ... to tell them apart."
        )
    place = ["--standalone"]
    if meet:
        host, _, port = meet.partition(":")
        place = ["--node-rank", str(node), "--master-addr", host, "--master-port", port or "29500"]
    group = ["--nnodes", str(nodes), "--nproc-per-node", str(devices), *place]
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    # after --, or torchrun takes our --node and --start for abbreviations of its own options
    return [*torchrun, *group, "-m", "--", "pullfocus.lab", *arguments]


def run_group(command: list[str], devices: int) -> int:
    """Run this machine's ``devices`` processes of a group to their end; return 0 if all worked.

    They share the cores: threads that wait for a core held by another process slow every layer.
    """
    threads = max(1, usable_cores() // devices)
    environment = {"OMP_NUM_THREADS": str(threads)} | dict(os.environ)
    return subprocess.run(command, env=environment, check=False).returncode
