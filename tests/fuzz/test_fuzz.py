"""Damaged and hostile inputs end in a result or in an error of ours: no traceback, crash or bomb.

PULLFOCUS_FUZZ=N tries N inputs a loader instead of the few of each run of the tests, and
PULLFOCUS_FUZZ_SEED=S others. An input that fails stays in pytest's temporary folder, named in the
message; `python tests/fuzz/fuzz_worker.py` takes it alone.
"""

import os
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("limits of memory are POSIX", allow_module_level=True)

import fuzz_harness
from fuzz_harness import run
from fuzz_inputs import inputs
from fuzz_worker import LOADERS

FEW = {"network": 30, "photo": 110, "depth file": 60, "video": 40, "film": 16, "http": 80}
USUAL = 30
SOUND_FIRST = {"photo", "depth file", "video", "film", "http"}
NEVER_LOADED = ("photo .exr", ".m3u8", ".ffconcat", ".mpd", ".sdp")
SEED = int(os.environ.get("PULLFOCUS_FUZZ_SEED", "1"))


def count_for(loader):
    return int(os.environ.get("PULLFOCUS_FUZZ", FEW.get(loader, USUAL)))


@pytest.mark.timeout(0 if "PULLFOCUS_FUZZ" in os.environ else 300)
@pytest.mark.parametrize("loader", LOADERS)
def test_damaged_input_is_a_result_or_a_sentence(loader, tmp_path, record_property):
    report = run(loader, inputs(loader, SEED, count_for(loader), tmp_path))
    record_property("outcomes", str(report))
    assert not report.faults, str(report)
    for name, outcomes in report.counts.items():
        if loader in SOUND_FIRST and not name.endswith(NEVER_LOADED):
            assert outcomes["loaded"] > 0, f"{name}: nothing is loaded: the seed is no good"
    assert report.total["loaded"] > 0, "nothing is loaded: the seeds are no good"
    assert len(report.total) > 1, "nothing is refused: the damage is too mild"


FAULTY = {
    "raise ValueError('odd')": "FAULT: ValueError: odd",
    "os._exit(7)": "FAULT: the process ended with 7",
    "time.sleep(60)": "FAULT: took more than 1 s",
    "kept = bytearray(900 << 20)": "FAULT: took",
    "raise PullfocusError('two\\nlines')": "FAULT: no sentence",
}


@pytest.mark.parametrize(("code", "expected"), FAULTY.items())
def test_the_harness_sees_what_it_looks_for(code, expected, tmp_path, monkeypatch):
    """Faults made on purpose, in a worker with one loader more."""
    here = Path(fuzz_harness.__file__).parent
    text = "import os, sys, time\nfrom pullfocus.errors import PullfocusError\n"
    text += f"sys.path.insert(0, {str(here)!r})\nimport fuzz_worker\n"
    text += f"def faulty(path):\n    {code}\nfuzz_worker.LOADERS['faulty'] = faulty\n"
    (tmp_path / "worker.py").write_text(text + "fuzz_worker.main()\n")
    monkeypatch.setattr(fuzz_harness, "WORKER", tmp_path / "worker.py")
    with fuzz_harness.Worker() as worker:
        assert worker.ask("sidecar", tmp_path / "none") == "UnreadableInputError"
        monkeypatch.setattr(fuzz_harness, "MOST_BYTES", 900 << 20)
        if "sleep" in code:
            monkeypatch.setattr(fuzz_harness, "DEADLINE_S", 1.0)
        assert worker.ask("faulty", tmp_path / "none").startswith(expected)
        monkeypatch.undo()
        assert worker.ask("sidecar", tmp_path / "none") == "UnreadableInputError"


def test_the_same_seed_gives_the_same_inputs(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = (list(inputs("sidecar", 7, 9, tmp_path / name)) for name in "ab")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert len({p.read_bytes() for p in first}) > 5
