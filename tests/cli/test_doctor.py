"""doctor: telemetry, caches, memory under limits, the accelerator, GPL parts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pullfocus import memory, telemetry
from pullfocus.cli import bundled, doctor

ROOT = Path(doctor.__file__).parents[2]


def found(what):
    return next(row for row in doctor.findings() if row.what == what)


def test_doctor_says_that_telemetry_is_off(cli, monkeypatch):
    code, out, _ = cli("doctor", "--json")
    assert code == 0
    rows = {row["what"]: row for row in json.loads(out)}
    assert (rows["telemetry"]["state"], rows["telemetry"]["found"]) == ("good", "off")
    assert {"kernel cache", "accelerator", "GPL parts", "memory"} <= rows.keys()
    monkeypatch.setattr(telemetry, "_EARLIER", frozenset({"onnxruntime"}))
    assert doctor._telemetry().state == "note"
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    assert doctor._telemetry().state == "bad"


def test_doctor_tries_the_folder_that_kernels_use(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    row = doctor._kernel_cache()
    assert (row.state, Path(row.found).parent) == ("good", tmp_path / "kept")
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert "compiles anew" in doctor._kernel_cache().found
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert "temporary" in doctor._kernel_cache().found


def test_the_accelerator_in_words(monkeypatch):
    monkeypatch.setattr(doctor, "_gpu_of_system", lambda: "NVIDIA GPU")
    monkeypatch.setattr(doctor, "_gpu_of_torch", lambda: "")
    assert doctor._accelerator().state == "note"
    assert "NVIDIA" in doctor._accelerator().found
    monkeypatch.setattr(doctor, "_gpu_of_torch", lambda: "NVIDIA H200 (torch 2.13)")
    assert doctor._accelerator().state == "good"
    monkeypatch.setattr(doctor, "_gpu_of_torch", lambda: "")
    monkeypatch.setattr(doctor, "_gpu_of_system", lambda: "")
    assert doctor._accelerator().found == "none found"


class _Wheel:
    def __init__(self, *names):
        self.files = [Path(name) for name in names]


def test_gpl_parts_are_found_by_the_names_of_files(monkeypatch):
    wheels = {
        "av": _Wheel("av.libs/libx264-d6533a8d.so.165", "av/x264.py", "av/_core.abi3.so"),
        "pillow-heif": _Wheel("pillow_heif/.dylibs/libx265.217.dylib"),
        "pillow": _Wheel("pillow.libs/libopencore-amrnb-d72c52e2.so.0.0.5"),
    }
    monkeypatch.setattr(bundled, "distribution", lambda name: wheels.get(name, _Wheel()))
    assert bundled.gpl_parts() == {"av": ["x264"], "pillow-heif": ["x265"]}
    assert bundled.libraries_in("pillow") == {"opencore-amrnb": "0.0.5"}
    assert bundled.libraries_in("av") == {"x264": "165"}
    row = doctor._gpl_parts()
    assert (row.state, row.found) == ("note", "x264 in av, x265 in pillow-heif")
    monkeypatch.setattr(bundled, "distribution", lambda name: _Wheel())
    assert doctor._gpl_parts().found == "none"


def write_group(folder, names, limit, used, cached=0):
    folder.mkdir(parents=True)
    for name, text in zip(names, (limit, used, f"inactive_file {cached}\n"), strict=True):
        (folder / name).write_text(f"{text}\n")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_OWN_GROUPS", tmp_path / "own")
    return tmp_path


@pytest.mark.parametrize("version", [1, 2])
def test_the_memory_of_a_service_is_the_least_of_its_groups(groups, version):
    names = memory._FILES[0 if version == 2 else 1]
    root = groups / "cgroup" / ("" if version == 2 else "memory")
    line = "0::/system.slice/web.service" if version == 2 else "7:memory:/system.slice/web.service"
    (groups / "own").write_text(f"{line}\n")
    write_group(root / "system.slice" / "web.service", names, "900000000", 100_000_000)
    assert memory._of_cgroup() == 800_000_000
    for name, text in zip(names, ("500000000", "450000000", "inactive_file 30000000"), strict=True):
        (root / "system.slice" / name).write_text(text)
    assert memory._of_cgroup() == 80_000_000


def test_a_group_without_a_limit_limits_nothing(groups):
    write_group(groups / "cgroup", memory._FILES[0], "max", 5)
    assert memory._of_cgroup() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux only")
def test_the_limit_of_a_shell_counts():
    code = (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)\n"
        "from pullfocus import memory\n"
        "assert 10**9 < memory._of_process() < 2 * 10**9\nassert memory.free_bytes() < 2 * 10**9"
    )
    given = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=given, check=True)


def test_what_a_library_prints_does_not_reach_stdout():
    """A native library writes to descriptor 1 while a verb prints its result."""
    code = (
        "import os\nfrom pullfocus.cli import main, doctor\n"
        "def noisy():\n    os.write(1, b'noise')\n    os.system('echo child')\n    return []\n"
        "doctor.findings = noisy\nmain(['doctor', '--json'])"
    )
    given = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, check=True)
    assert json.loads(done.stdout) == []
    assert b"noise" in done.stderr
    assert b"child" in done.stderr


def test_a_verb_runs_with_stdout_closed():
    command = f"{sys.executable} -m pullfocus schema >&-"
    given = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, shell=True, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
