"""Free memory of this machine or container, for limits that are checked before work begins."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_CGROUP = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")
_FILES = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat"),
)


def free_bytes() -> int | None:
    """Return the memory that may still be used, None where the system does not tell."""
    found = [value for value in (_of_system(), _of_cgroup(), _of_process()) if value is not None]
    return min(found) if found else None


def total_bytes() -> int | None:
    """Return the machine's memory, None where the system does not tell."""
    if sys.platform == "win32":
        return _windows()[0]
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return None


def _of_system() -> int | None:
    if sys.platform == "win32":
        return _windows()[1]
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def _of_process() -> int | None:
    """Address space left under `ulimit -v`, None without such a limit."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        used = pages * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return None
    return None if limit == resource.RLIM_INFINITY else max(0, limit - used)


def _of_cgroup() -> int | None:
    """Memory left in this container or service, the least of all groups that it lies in."""
    found = [left for folder in _groups() if (left := _left_in(folder)) is not None]
    return min(found) if found else None


def _groups() -> Iterator[Path]:
    """Name the folders of this process's groups and those around them, versions 2 and 1."""
    try:
        lines = _OWN_GROUPS.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        lines = []
    for line in [*lines, "0::/", "1:memory:/"]:
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if kinds and "memory" not in kinds.split(","):
            continue
        root = _CGROUP / "memory" if kinds else _CGROUP
        own = PurePosixPath(path.lstrip("/"))
        for part in (own, *own.parents):
            yield root / part


def _left_in(group: Path) -> int | None:
    """Memory left in one group; page cache counts as free, the kernel gives it back on demand.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
    """
    for names in _FILES:
        try:
            limit, used, stat = ((group / name).read_text(encoding="ascii") for name in names)
            rows = dict(line.split() for line in stat.splitlines() if line)
            cached = int(rows.get("inactive_file", 0))
            return None if limit.strip() == "max" else max(0, int(limit) - int(used) + cached)
        except (OSError, ValueError):
            continue
    return None


def _windows() -> tuple[int | None, int | None]:
    """Return (total, free). Source: Win32 GlobalMemoryStatusEx."""
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in (
                "total",
                "free",
                "page",
                "page_free",
                "virtual",
                "virtual_free",
                "extended",
            )
        ]

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - absent elsewhere, also for mypy
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return int(status.total), int(status.free)
