"""`kernel`: numba's njit with a cache that never breaks a run; importing this module loads numba.

numba's own cache fails where no folder can be written, raises on a file that was cut short, runs
one whose bytes changed, and lets two processes overwrite each other's numbered files. Here every
compiled signature is one file, named by a hash of what it was made from, that begins with a hash of
its content. Whatever is wrong with a file, the kernel is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import compiler, serialize, sigutils
from numba.core.caching import _Cache

from pullfocus.kernel_cache import SUFFIX, readable_folders, writable_folder

NO_FOLDER = "no folder can be written to keep compiled kernels in"
_DIGEST = 32


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function without the interpreter lock, when first called.

    options: of numba.njit, such as fastmath or inline.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(nogil=True, **options)(function)
        if hasattr(dispatcher, "_cache"):  # absent with NUMBA_DISABLE_JIT
            dispatcher._cache = KernelCache(function)
        return dispatcher

    return compiled


class KernelCache(_Cache):  # type: ignore[misc]
    """The files of one kernel's compiled signatures.

    Source: the interface of numba.core.caching, `_Cache`.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """Where files are written."""
        return str(writable_folder() or "")

    def enable(self) -> None:
        """Read and write files."""
        self._enabled = True

    def disable(self) -> None:
        """Leave the files alone."""
        self._enabled = False

    def flush(self) -> None:
        """Forget this kernel's files."""
        name = self._name()
        for folder in readable_folders():
            for path in folder.glob(f"{name}-*{SUFFIX}"):
                path.unlink(missing_ok=True)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled for a signature, None if no file of it is whole."""
        target_context.refresh()
        if not self._enabled:
            return None
        name = self._file(sig, target_context.codegen())
        for folder in readable_folders():
            found = _loaded(folder / name, sig, target_context)
            if found is not None:
                return found
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write what was compiled for a signature; a run goes on where that fails."""
        if not self._enabled or data.lifted or data.library.has_dynamic_globals:
            return
        folder = writable_folder()
        if folder is None:
            warnings.warn(f"pullfocus compiles anew in each run: {NO_FOLDER}.", stacklevel=2)
            return
        content = serialize.dumps(data._reduce())
        whole = hashlib.sha256(content).digest() + content
        _write(folder / self._file(sig, data.codegen), whole)

    def _name(self) -> str:
        module = self._function.__module__.rpartition(".")[2]
        return f"{module}.{self._function.__name__}"

    def _file(self, sig: Any, codegen: Any) -> str:
        """Name the file by the signature, the processor and the constants that it was made with."""
        arguments = [str(part) for part in sigutils.normalize_signature(sig)[0]]
        known = self._function.__globals__
        constants = [
            (name, repr(known[name]))
            for name in sorted(self._function.__code__.co_names)
            if isinstance(known.get(name), bool | int | float | str | tuple | np.generic)
        ]
        made_from = repr((arguments, codegen.magic_tuple(), constants, self._function.__qualname__))
        return f"{self._name()}-{hashlib.sha256(made_from.encode()).hexdigest()[:32]}{SUFFIX}"


def _loaded(path: Path, sig: Any, target_context: Any) -> Any:
    try:
        whole = path.read_bytes()
        if hashlib.sha256(whole[_DIGEST:]).digest() != whole[:_DIGEST]:
            return None
        parts = pickle.loads(whole[_DIGEST:])
        found = compiler.CompileResult._rebuild(target_context, *parts)
    except Exception:  # noqa: BLE001 - whatever is wrong with a file: compile
        return None
    wanted = tuple(sigutils.normalize_signature(sig)[0])
    return found if tuple(found.signature.args) == wanted else None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; another process may write the same one at the same time."""
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
