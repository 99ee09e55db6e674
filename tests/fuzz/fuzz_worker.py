"""The process in which loaders meet damaged input: one path a line in, one outcome a line out.

To fuzz another loader, add a function to LOADERS that takes a path, and seeds for it to
`fuzz_inputs.SEEDS`. It must use what it loads a little: faults often show later.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

MOST_BYTES = 12 << 30
"""Address space of this process: an input that wants all of the memory fails here alone."""


def sidecar(path: Path) -> None:
    """Read a sidecar and write it again."""
    from pullfocus.pipeline.sidecar import read_sidecar, write_sidecar

    found = read_sidecar(path)
    write_sidecar(found, path.with_suffix(".again"))
    found.settings_for("other.jpg", {"f_number": 2.0})


def script(path: Path) -> None:
    """Read a focus script, ask for moments of it, write it again."""
    from pullfocus.focus.script import plane_at, read_script, script_json

    found = read_script(path)
    for time_s in (0.0, 0.7, 1e6):
        found.f_number_at(time_s, 2.8)
        plane_at(found, time_s, lambda target, when: 0.5)
    script_json(found).encode()


def http_settings(path: Path) -> None:
    """Read the settings field of a request."""
    from pullfocus.web.settings_in import read_settings

    read_settings(path.read_bytes().decode("utf-8", "replace")).model_dump_json().encode()


def card(path: Path) -> None:
    """Read the card beside a network, NAME.onnx.json."""
    from pullfocus.depth import find_card
    from pullfocus.depth.preprocess import target_hw

    found = find_card(path.with_suffix(""))
    target_hw((48, 64), found.preprocessing)
    f"{found.licence} {found.note}".encode()


def model_folder(path: Path) -> None:
    """Read the configurations of a transformers model: config.json, preprocessor_config.json."""
    from pullfocus.depth.huggingface_card import card_of_folder
    from pullfocus.depth.preprocess import target_hw

    target_hw((48, 64), card_of_folder(path.parent).preprocessing)


def network(path: Path) -> None:
    """Ask a network about a small picture."""
    import numpy as np

    from pullfocus.depth import open_estimator
    from pullfocus.depth.normalise import to_disparity

    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    disparity, _ = to_disparity(open_estimator(path).estimate(rgb))
    assert np.isfinite(disparity).all()


LOADERS = {
    "sidecar": sidecar,
    "script": script,
    "http settings": http_settings,
    "card": card,
    "config": model_folder,
    "preprocessor": model_folder,
    "network": network,
}


def outcome(loader: str, path: Path) -> str:
    """Return "loaded", the name of an error of ours, or "FAULT: ..." for anything else."""
    from pullfocus.errors import PullfocusError

    try:
        LOADERS[loader](path)
    except PullfocusError as error:
        text = str(error)
        is_sentence = text.strip() and text.isprintable() and len(text) < 2000
        return type(error).__name__ if is_sentence else f"FAULT: no sentence: {text[:300]!r}"
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
        return f"FAULT: {type(error).__name__}: {str(error)[:300]}"
    return "loaded"


def peak_bytes() -> int:
    """Return the most memory that this program has held.

    Not ru_maxrss: Linux carries the peak of the process that started this one over into it.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    """Answer until stdin ends; what libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    for line in sys.stdin:
        asked = json.loads(line)
        found = outcome(asked["loader"], Path(asked["path"]))
        replies.write(json.dumps({"outcome": found, "peak_bytes": peak_bytes()}) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
