"""`pullfocus doctor`: whether this machine can do it, and what to do where it cannot."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pullfocus import kernel_cache, telemetry
from pullfocus.cli.bundled import gpl_parts
from pullfocus.cli.console import show_json
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
    questions += [_libraries, _opencv, _providers, _network, _kernel_cache]
    questions += [_telemetry, _accelerator, _gpl_parts]
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
    from pullfocus.pipeline.memory import BYTES_PER_PIXEL, free_bytes, total_bytes
    from pullfocus.pipeline.settings import Settings

    free, total = free_bytes(), total_bytes()
    if free is None:
        return Finding("memory", "note", "unknown", "12 MP need about 1.2 GB")
    largest = min(free / BYTES_PER_PIXEL / 1e6, Settings().max_megapixels)
    found = f"{free / 1e9:.1f} GB free" + (f" of {total / 1e9:.1f}" if total else "")
    found += f", enough for photos of {largest:.0f} MP"
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
    for name in (
        "numpy",
        "cv2",
        "PIL",
        "onnxruntime",
        "numba",
        "tifffile",
        "imagecodecs",
        "OpenEXR",
    ):
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
        names = telemetry.onnxruntime().get_available_providers()
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


def _kernel_cache() -> Finding:
    """Ask for the folder as the kernels do; without one each run compiles for half a minute."""
    folder = kernel_cache.writable_folder()
    advice = "set NUMBA_CACHE_DIR to a folder that stays"
    if folder is None:
        return Finding("kernel cache", "note", "none: each run compiles anew", advice)
    if folder.is_relative_to(tempfile.gettempdir()):
        return Finding("kernel cache", "note", f"{folder}, a temporary folder", advice)
    return Finding("kernel cache", "good", str(folder))


def _telemetry() -> Finding:
    if on := telemetry.still_on():
        return Finding("telemetry", "bad", f"{', '.join(on)} was changed", "leave it to pullfocus")
    if telemetry.loaded_before():
        return Finding(
            "telemetry", "note", "off, but onnxruntime was loaded before pullfocus",
            "import pullfocus first, or set ORT_DISABLE_TELEMETRY=1",
        )  # fmt: skip
    return Finding("telemetry", "good", "off")


def _accelerator() -> Finding:
    """The papers' networks are trained on a GPU; photos and videos need none."""
    seen, usable = _gpu_of_system(), _gpu_of_torch()
    if usable:
        return Finding("accelerator", "good", usable)
    if not seen:
        advice = "none is needed, but for training (pullfocus lab)"
        return Finding("accelerator", "note", "none found", advice)
    if find_spec("torch") is None:
        return Finding("accelerator", "note", seen, "to train on it: pip install 'pullfocus[lab]'")
    return Finding(
        "accelerator", "note", f"{seen}, but this torch cannot use it",
        "install the torch build for it (pytorch.org); photos and videos need none",
    )  # fmt: skip


def _gpu_of_system() -> str:
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        return "NVIDIA GPU"
    if Path("/dev/kfd").exists():
        return "AMD GPU"
    is_apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return "Apple GPU" if is_apple else ""


def _gpu_of_torch() -> str:
    if find_spec("torch") is None:
        return ""
    torch = import_module("torch")
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name(0)} (torch {torch.__version__})"
    return f"Apple GPU (torch {torch.__version__})" if torch.backends.mps.is_available() else ""


def _gpl_parts() -> Finding:
    found = [f"{' and '.join(parts)} in {name}" for name, parts in gpl_parts().items()]
    if not found:
        return Finding("GPL parts", "good", "none")
    advice = "yours to use; who passes these wheels on must meet the GPL (THIRD_PARTY.md)"
    return Finding("GPL parts", "note", ", ".join(found), advice)


def _extra(name: str, modules: tuple[str, ...], words: str) -> Finding:
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return Finding(f"extra [{name}]", "good", words)
    return Finding(
        f"extra [{name}]", "note", f"not installed ({', '.join(missing)})",
        f"for {words}: pip install 'pullfocus[{name}]'",
    )  # fmt: skip


MARKS = {"good": ("ok", "green"), "note": ("note", "yellow"), "bad": ("FAIL", "red")}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Check cores, memory, disk, libraries and models; exit code 1 if something is missing."""
    found = findings()
    if as_json:
        show_json([finding.to_json() for finding in found])
    else:
        _show(found)
    if any(finding.state == "bad" for finding in found):
        raise SystemExit(1)


def _show(found: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in found:
        word, colour = MARKS[finding.state]
        table.add_row(
            Text(word, style=colour), Text(finding.what), Text(finding.found), Text(finding.to_do)
        )
    console = Console()
    console.print(table)
    if any(finding.state == "bad" for finding in found):
        console.print("This machine cannot run pullfocus as it is; see FAIL above.")
    else:
        console.print("This machine can run pullfocus.")
