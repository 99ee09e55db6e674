"""Saving is whole or not at all: no half file, no temporary left, one sentence."""

import io
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from pullfocus.errors import CannotWriteError
from pullfocus.files import check_folder
from pullfocus.photo import load, save
from pullfocus.types import Photo

FULL = "/dev/full"
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason="no /dev/full on this system")
needs_rlimit = pytest.mark.skipif(os.name == "nt", reason="no resource limits on Windows")


def test_existing_files_are_kept_unless_allowed(tmp_path, ramp8):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(CannotWriteError, match=r"exists already.*--overwrite"):
        save(Photo.from_array(ramp8), path, overwrite=False)
    assert path.read_bytes() == b"precious"
    assert save(Photo.from_array(ramp8), path) == path
    assert load(path).size_hw == (24, 40)


def test_a_folder_that_takes_nothing_is_called_by_its_own_name(tmp_path):
    with pytest.raises(CannotWriteError, match=r"does not exist; make it") as caught:
        check_folder(tmp_path / "no")
    assert str(caught.value).startswith(f"Cannot write into '{tmp_path / 'no'}': ")
    assert ".part" not in str(caught.value)  # the file that was tried is not what was asked for


def test_missing_folders_and_folders_as_names(tmp_path, ramp8):
    photo = Photo.from_array(ramp8)
    with pytest.raises(CannotWriteError, match="does not exist; make it"):
        save(photo, tmp_path / "no" / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(CannotWriteError, match="it is a folder"):
        save(photo, tmp_path / "b.png")
    with pytest.raises(CannotWriteError):
        save(photo, str(tmp_path / "bad\0name.png"))
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"]


@needs_full
def test_a_full_disk_is_one_sentence(ramp8):
    photo = Photo.from_array(ramp8)
    with pytest.raises(CannotWriteError, match="no space left"):
        save(photo, FULL, format="PNG")
    with open(FULL, "wb", buffering=0) as stream, pytest.raises(CannotWriteError, match="no space"):
        save(photo, stream, format="PNG")


LIMITED = """
    import resource, sys
    import numpy as np
    from pullfocus.errors import CannotWriteError
    from pullfocus.photo import save
    from pullfocus.types import Photo
    photo = Photo.from_array(np.random.default_rng(0).integers(0, 256, (99, 99, 3)).astype("uint8"))
    save(photo, sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        save(photo, sys.argv[1])
    except CannotWriteError as error:
        print(error)
    else:
        sys.exit("the limit did not hold")
"""


@needs_rlimit
def test_a_write_that_stops_half_way_leaves_the_old_file_and_no_temporary(tmp_path):
    path = tmp_path / "a.png"
    script = textwrap.dedent(LIMITED)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Cannot write")
    assert list(tmp_path.iterdir()) == [path]
    assert load(path).metadata.format == "PNG"


def test_ctrl_c_leaves_no_temporary_and_the_old_file(tmp_path):
    """A real SIGINT, sent as soon as the temporary file is seen."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    script = textwrap.dedent(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        check=False,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == 130
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


INTERRUPTED = """
    import os, signal, sys, threading
    from pathlib import Path
    from pullfocus.files import write_whole
    path = Path(sys.argv[1])
    def watch():
        while not any(p.name.endswith(".part") for p in path.parent.iterdir()):
            pass
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=watch, daemon=True).start()
    sys.setswitchinterval(1e-5)
    try:
        write_whole(path, bytes(300_000_000))
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_names_as_long_as_the_system_takes(tmp_path, ramp8):
    """Of letters that take three bytes each, too: the temporary name must not be longer."""
    path = tmp_path / ("\u6df1" * 83 + ".png")
    try:
        path.touch()
    except OSError:
        pytest.skip("this system takes shorter names")
    save(Photo.from_array(ramp8), path)
    assert load(path).size_hw == (24, 40)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout on this system")
def test_a_pipe_called_dev_stdout_is_written_to():
    script = "from pathlib import Path; from pullfocus.files import write_whole\n"
    script += "write_whole(Path('/dev/stdout'), b'through the pipe', overwrite=False)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"through the pipe"


def test_a_link_stays_a_link(tmp_path, ramp8):
    real, link = tmp_path / "real.png", tmp_path / "link.png"
    real.write_bytes(b"old")
    try:
        link.symlink_to(real)
    except OSError:
        pytest.skip("this system makes no links")
    save(Photo.from_array(ramp8), link)
    assert link.is_symlink()
    assert load(real).size_hw == (24, 40)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_new_files_have_ordinary_permissions(tmp_path, ramp8):
    path = save(Photo.from_array(ramp8), tmp_path / "a.png")
    (tmp_path / "ordinary").touch()
    assert path.stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_pictures_too_wide_for_a_format():
    wide = Photo.from_array(np.zeros((1, 20000, 3), np.uint8))
    with pytest.raises(CannotWriteError, match=r"16383 pixels a side.*PNG or TIFF"):
        save(wide, io.BytesIO(), format="WEBP")
