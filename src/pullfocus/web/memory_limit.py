"""Memory of the worker process: how much it takes, and the most that it may take.

The server looks at it ten times a second, on every system. Linux also refuses a single allocation
that is far too large, and ends the worker before anything else when the machine runs out.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from pullfocus.pipeline.memory import total_bytes

PART_OF_MEMORY = 0.8
"""Of the machine's memory, what the worker may take where nobody says otherwise."""
_STACKS_BYTES = 1 << 30
"""Memory that is reserved and hardly used: stacks of threads, pools of allocators."""
_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_ENDED_FIRST = 500
"""0 is usual, 1000 the most. Source: Linux, proc(5), oom_score_adj."""


def usual_limit_bytes() -> int | None:
    """Return the limit where nobody says otherwise; None where the system tells no size."""
    told = [size for size in (total_bytes(), _of_container_bytes()) if size is not None]
    return int(min(told) * PART_OF_MEMORY) if told else None


def _of_container_bytes() -> int | None:
    """Return the memory of this container; None outside one. Source: Linux, cgroup version 2."""
    try:
        told = _CONTAINER.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(told) if told.isdigit() else None


def limit_own_memory(most_bytes: int | None) -> None:
    """Have the system hold this process to a limit, as far as it can; Linux only."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_ENDED_FIRST), encoding="ascii")
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if most_bytes is not None:
        with contextlib.suppress(OSError, ValueError):
            most = most_bytes + _STACKS_BYTES
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def memory_of(pid: int) -> int:
    """Return the bytes of memory that a process holds; 0 if there is none of this number."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
