"""The server's temporary folder goes with it, even when it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from pullfocus.web.store import OwnFolder, remove_leftovers

SERVER = """
import os, signal
from pullfocus.web.store import OwnFolder
folder = OwnFolder()
(folder.path / "photo.jpg").write_bytes(b"mine")
print(folder.path.parent, flush=True)
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def long_ago(folder):
    os.utime(folder, (1e9, 1e9))


def test_closing_leaves_nothing(here):
    folder = OwnFolder()
    (folder.path / "photo.jpg").write_bytes(b"mine")
    folder.close()
    assert not list(here.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_what_a_killed_server_left_goes_when_another_starts(here):
    script = SERVER + "os.kill(os.getpid(), signal.SIGKILL)"
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    left = here / os.path.basename(ended.stdout.strip())
    assert (left / "files/photo.jpg").exists()
    remove_leftovers(here)
    assert left.exists()  # too young: its server might be about to lock it
    long_ago(left)
    another = OwnFolder()
    assert not left.exists()
    another.close()


def test_the_folder_of_a_running_server_stays(here):
    script = SERVER + "input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        used = here / os.path.basename(server.stdout.readline().strip())
        long_ago(used)
        remove_leftovers(here)
        assert (used / "files/photo.jpg").read_bytes() == b"mine"
        server.communicate("\n")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_and_files_of_that_name_are_left_alone(here):
    precious = here / "precious"
    precious.mkdir()
    (precious / "photo.jpg").write_bytes(b"mine")
    long_ago(precious)
    (here / "pullfocus-web-link").symlink_to(precious)
    (here / "pullfocus-web-file").write_text("a file")
    remove_leftovers(here)
    assert (precious / "photo.jpg").exists()
    assert sorted(p.name for p in precious.iterdir()) == ["photo.jpg"]
    assert (here / "pullfocus-web-file").exists()
