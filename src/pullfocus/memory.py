"""Free memory of this machine or container, for limits that are checked before work begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_bytes() -> int | None:
    """Return the memory that may still be used, None where the system does not tell."""
    found = [value for value in (_of_system(), _of_cgroup()) if value is not None]
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


def _of_cgroup() -> int | None:
    """Memory left in this container, cgroup version 2."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        inactive = _inactive_file()
        return None if limit == "max" else max(0, int(limit) - used + inactive)
    except (OSError, ValueError):
        return None


def _inactive_file() -> int:
    """Page cache that the kernel gives back on demand."""
    for line in (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines():
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0


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
