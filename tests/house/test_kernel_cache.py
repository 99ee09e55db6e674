"""Compiled kernels: kept where anything can be written, and compiled again whatever is wrong."""

import os
import shutil
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest

from pullfocus import kernel_cache
from pullfocus.kernels import kernel

ROOT = Path(kernel_cache.__file__).parent
STEP = 3


def _add(a, b):
    return a + b * STEP


def compiled(function=_add):
    """Compile as a new process would: a dispatcher that knows nothing yet."""
    return kernel()(function)


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return tmp_path / "kept" / kernel_cache.stamp()


def test_what_was_compiled_is_found_again(folder):
    assert not kernel_cache.is_filled()
    first, second = compiled(), compiled()
    assert first(1, 2) == 7
    assert first(1.5, 2) == 7.5
    assert second(1, 2) == 7
    assert (hits(first), hits(second)) == (0, 1)
    assert len(list(folder.iterdir())) == 2
    assert kernel_cache.is_filled()


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other", "folder"])
def test_a_damaged_file_heals(folder, damage):
    compiled()(1, 2)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    content = {"empty": b"", "cut": whole[:-9], "flipped": bytes(flipped), "other": b"x" * 99}
    path.unlink()
    path.mkdir() if damage == "folder" else path.write_bytes(content[damage])
    again = compiled()
    assert again(1, 2) == 7
    assert hits(again) == 0
    if damage != "folder":
        assert path.read_bytes() != content[damage]
        assert hits(compiled()) == 0
        healed = compiled()
        assert (healed(1, 2), hits(healed)) == (7, 1)


def test_a_changed_constant_is_compiled_anew(folder, monkeypatch):
    assert compiled()(1, 2) == 7
    monkeypatch.setitem(_add.__globals__, "STEP", 4)
    assert compiled()(1, 2) == 9


def test_nowhere_to_write_is_told_and_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    assert kernel_cache.writable_folder() is None
    with pytest.warns(UserWarning, match="pullfocus compiles anew in each run"):
        assert compiled()(1, 2) == 7


def test_a_temporary_folder_that_others_may_write_is_not_trusted(tmp_path, monkeypatch):
    if not hasattr(os, "geteuid"):
        pytest.skip("POSIX owners")
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    place = tmp_path / f"pullfocus-kernels-{os.geteuid()}"
    (place / kernel_cache.stamp()).mkdir(parents=True)
    place.chmod(0o777)
    assert place / kernel_cache.stamp() not in kernel_cache.readable_folders()
    assert kernel_cache.writable_folder() is None
    place.chmod(0o700)
    assert kernel_cache.writable_folder() == place / kernel_cache.stamp()


def test_folders_of_other_versions_do_not_pile_up(folder):
    for number in range(9):
        (folder.parent / f"kernels-{number}").mkdir(parents=True)
    kernel_cache.writable_folder()
    assert len(list(folder.parent.iterdir())) == kernel_cache.KEPT_STAMPS + 1


def test_kernels_live_where_the_cache_watches():
    users = [path for path in ROOT.rglob("*.py") if "@kernel(" in path.read_text("utf-8")]
    assert len(users) >= 6
    assert all("kernel" in path.relative_to(ROOT).as_posix() for path in users)
    strays = [p for p in ROOT.rglob("*.py") if "njit(" in p.read_text("utf-8")]
    assert [path.name for path in strays] == ["kernels.py"]


HALVE = textwrap.dedent(
    """
    import numpy as np
    from pullfocus.video.half_res_kernels import halve
    out = np.zeros((2, 2, 3), np.float32)
    halve(np.full((4, 4, 3), 9, np.uint8), np.arange(256, dtype=np.float32), out)
    assert (out == 9).all(), out
    """
)


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
    return {**kept, "PYTHONPATH": str(ROOT.parent), "PYTHONDONTWRITEBYTECODE": "1", **more}


def test_two_cold_processes_at_once_do_no_harm(tmp_path):
    command = [sys.executable, "-W", "error", "-c", HALVE]
    given = environment(NUMBA_CACHE_DIR=str(tmp_path))
    running = [subprocess.Popen(command, env=given) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    (folder,) = tmp_path.iterdir()
    assert {path.suffix for path in folder.iterdir()} == {".kernel"}
    assert subprocess.run(command, env=given, check=False).returncode == 0


def test_a_read_only_installation_without_a_home(tmp_path):
    """As a service: the sources on a read-only mount, no home; the temporary folder is left."""
    mount = f"mount --bind {ROOT} {ROOT} && mount -o remount,ro,bind {ROOT}"
    apart = ["unshare", "-rm", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*apart, mount], check=False).returncode:
        pytest.skip("mounts of one's own are not permitted here")
    code = f"{HALVE}\nfrom pullfocus import kernel_cache\nprint(kernel_cache.writable_folder())"
    given = environment(HOME="/proc/nowhere", TMPDIR=str(tmp_path))
    command = [*apart, f'{mount} && exec "$0" -W error -c "$1"', sys.executable, code]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/pullfocus-kernels-0/kernels-")


def test_the_kernels_of_the_package_give_what_they_gave(folder):
    from pullfocus.video.half_res_kernels import halve

    codes = np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)
    out = np.zeros((3, 4, 3), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        halve(codes, np.arange(256, dtype=np.float32), out)
    expected = codes.reshape(3, 2, 4, 2, 3).mean((1, 3))
    np.testing.assert_allclose(out, expected, rtol=1e-5)
