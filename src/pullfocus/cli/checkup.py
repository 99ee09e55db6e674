"""What doctor looks at: one function a question, each answering with a finding."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pullfocus.cores import usable_cores

State = Literal["good", "note", "bad"]
LEAST_MEMORY_GB = 1.2
"""Free memory for a 12 MP photo; the peak that benchmarks/cold_start.py holds."""
LEAST_DISK_GB = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: good, note (works, could be better) or bad (does not work)."""

    what: str
    state: State
    found: str
    to_do: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as `--json` prints it."""
        return asdict(self)


def findings() -> list[Finding]:
    """Ask all questions in order."""
    questions: list[Callable[[], Finding]] = [_python, _cores, _memory, _disk]
    questions += [_libraries, _opencv, _providers, _network, _numba_cache]
    out = [question() for question in questions]
    out += [_extra(name, modules, words) for name, (modules, words) in EXTRAS.items()]
    return out


EXTRAS = {
    "heic": (("pillow_heif",), "HEIC photos and the depth that iPhones put into them"),
    "video": (("av",), "videos"),
    "mat": (("h5py",), "depth in HDF5 files, MATLAB 7.3 among them"),
    "huggingface": (("torch", "transformers"), "depth models from Hugging Face"),
    "lab": (("torch", "onnx", "h5py", "moderngl"), "training and measuring networks"),
}


def _python() -> Finding:
    from pullfocus import __version__

    found = f"pullfocus {__version__}, Python {platform.python_version()}, {platform.platform()}"
    if sys.maxsize < 2**32:
        return Finding("program", "bad", found, "install a 64-bit Python")
    return Finding("program", "good", found)


def _cores() -> Finding:
    count = usable_cores()
    if count < 2:
        return Finding("cores", "note", "1", "works, about half as fast as with two")
    return Finding("cores", "good", str(count))


def _memory() -> Finding:
    from pullfocus.pipeline.memory import free_bytes, total_bytes

    free, total = free_bytes(), total_bytes()
    if free is None:
        return Finding("memory", "note", "unknown", "12 MP need about 1.2 GB")
    found = f"{free / 1e9:.1f} GB free" + (f" of {total / 1e9:.1f}" if total else "")
    if free < LEAST_MEMORY_GB * 1e9 / 4:
        return Finding("memory", "bad", found, "close programs; even small photos need 0.3 GB")
    if free < LEAST_MEMORY_GB * 1e9:
        return Finding("memory", "note", found, "use photos below 12 MP, or close programs")
    return Finding("memory", "good", found)


def _disk() -> Finding:
    rooms = {str(Path.cwd()): "here", tempfile.gettempdir(): "temporary files"}
    free = {words: shutil.disk_usage(path).free / 1e9 for path, words in rooms.items()}
    found = ", ".join(f"{value:.1f} GB ({words})" for words, value in free.items())
    if min(free.values()) < LEAST_DISK_GB:
        return Finding("disk", "note", found, "make room: a 12 MP TIFF takes 0.15 GB")
    return Finding("disk", "good", found)


def _libraries() -> Finding:
    missing = []
    for name in ("numpy", "cv2", "PIL", "onnxruntime", "numba", "tifffile", "OpenEXR"):
        try:
            import_module(name)
        except ImportError as problem:
            missing.append(f"{name} ({problem})")
    if missing:
        return Finding("libraries", "bad", ", ".join(missing), "pip install --upgrade pullfocus")
    return Finding("libraries", "good", "all load")


def _opencv() -> Finding:
    try:
        cv2 = import_module("cv2")
    except ImportError:
        return Finding("OpenCV", "bad", "missing", "pip install opencv-contrib-python-headless")
    if not hasattr(cv2, "ximgproc"):
        return Finding(
            "OpenCV", "bad", f"{cv2.__version__} without ximgproc",
            "another OpenCV hides the right one: pip uninstall opencv-python "
            "opencv-python-headless; pip install --force-reinstall opencv-contrib-python-headless",
        )  # fmt: skip
    return Finding("OpenCV", "good", f"{cv2.__version__} with ximgproc")


def _providers() -> Finding:
    try:
        names = import_module("onnxruntime").get_available_providers()
    except ImportError:
        return Finding("onnxruntime", "bad", "missing", "pip install onnxruntime")
    shown = ", ".join(name.removesuffix("ExecutionProvider") for name in names)
    if "CPUExecutionProvider" not in names:
        return Finding("onnxruntime", "bad", shown, "pip install --force-reinstall onnxruntime")
    return Finding("onnxruntime", "good", shown)


def _network() -> Finding:
    from pullfocus.depth import find_card

    card = find_card(None)
    if not card.installed:
        return Finding(
            "depth network", "bad", f"{card.id} is missing", "reinstall pullfocus, or use --model"
        )
    return Finding("depth network", "good", card.id)


def _numba_cache() -> Finding:
    """Compiled kernels are kept between runs; without a place each run compiles for seconds."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    place = Path(given) if given else Path(__file__).resolve().parent.parent / "render"
    target = place / "__pycache__" if not given else place
    nearest = next(parent for parent in (target, *target.parents) if parent.exists())
    if os.access(nearest, os.W_OK):
        return Finding("kernel cache", "good", str(target))
    return Finding(
        "kernel cache", "note", f"{target} is not writable",
        "kernels go to your own cache folder; if runs are slow, set NUMBA_CACHE_DIR",
    )  # fmt: skip


def _extra(name: str, modules: tuple[str, ...], words: str) -> Finding:
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return Finding(f"extra [{name}]", "good", words)
    return Finding(
        f"extra [{name}]", "note", f"not installed ({', '.join(missing)})",
        f"for {words}: pip install 'pullfocus[{name}]'",
    )  # fmt: skip
