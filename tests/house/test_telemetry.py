"""Nothing phones home: no library beneath leaves a trace, looks up a name or opens a connection."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pullfocus import telemetry

SRC = Path(telemetry.__file__).parent
SLOW = os.environ.get("PULLFOCUS_SLOW") == "1"
LOAD = "from pullfocus.depth.onnx_session import open_session\n"
LOAD += "from pullfocus.depth.card import embedded_path\nopen_session(embedded_path())\n"


def bare_environment(home):
    """The environment of a user who has set nothing: no switch of ours is inherited."""
    kept = {name: value for name, value in os.environ.items() if name not in telemetry.SWITCHES}
    kept = {name: value for name, value in kept.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(SRC.parent)}


def run_in(home, code, *before):
    command = [*before, sys.executable, "-c", code]
    return subprocess.run(
        command, env=bare_environment(home), capture_output=True, text=True, check=True
    )


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_one_place_imports_onnxruntime():
    pattern = re.compile(r"^\s*(import|from) onnxruntime|import_module\(.onnxruntime", re.MULTILINE)
    found = [path.name for path in SRC.rglob("*.py") if pattern.search(path.read_text("utf-8"))]
    assert found == ["telemetry.py"]


def test_importing_pullfocus_is_enough(tmp_path):
    code = "import os, pullfocus; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert run_in(tmp_path, code).stdout == "1\n"


def test_a_network_leaves_nothing_in_an_empty_home(tmp_path):
    run_in(tmp_path, LOAD)
    assert files_in(tmp_path) == []


def test_a_refocused_photo_leaves_only_our_own_cache(tmp_path):
    home, photo = tmp_path / "home", tmp_path / "street.jpg"
    home.mkdir()
    shutil.copy(SRC / "samples" / "street.jpg", photo)
    code = f"from pullfocus.cli import main; main([{str(photo)!r}, '--style', 'graded'])"
    run_in(home, code)
    assert photo.with_name("street.refocused.jpg").is_file()
    assert [name for name in files_in(home) if "pullfocus" not in name] == []


def test_a_library_that_came_first_is_told_by_its_own_interface(tmp_path):
    code = (
        "import onnxruntime, huggingface_hub.constants as hub\n"
        "told = []\n"
        "onnxruntime.disable_telemetry_events = lambda: told.append(1)\n"
        "import pullfocus.telemetry as telemetry\n"
        "print(bool(told), hub.HF_HUB_DISABLE_TELEMETRY, telemetry.loaded_before())"
    )
    assert run_in(tmp_path, code).stdout == "True True True\n"


def test_what_somebody_switches_on_again_is_seen(monkeypatch):
    telemetry.switch_off()
    assert telemetry.still_on() == []
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert telemetry.still_on() == ["ORT_DISABLE_TELEMETRY"]


def offline(*command):
    """Begin a command in a network namespace without interfaces, watched by strace."""
    allowed = shutil.which("unshare") and subprocess.run(["unshare", "-rn", "true"], check=False)
    if not allowed or allowed.returncode:
        pytest.skip("network namespaces are not permitted here")
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    return ["unshare", "-rn", *command]


def reached_for(log):
    """Connections and look-ups that the log of strace shows, not those within this machine."""
    calls = re.findall(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*", log.read_text())
    own = [call for call in calls if "127.0.0.1" in call and "htons(53)" not in call]
    return [call for call in calls if "AF_INET" in call and call not in own]


WATCH = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"]


def test_the_watch_sees_a_look_up(tmp_path):
    code = "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\n"
    code += "except OSError:\n    pass"
    log = tmp_path / "log"
    run_in(tmp_path, code, *offline(*WATCH, str(log)))
    assert len(reached_for(log)) == 1


def test_an_idle_network_reaches_for_nothing(tmp_path):
    """Long enough for onnxruntime's uploader, which starts some 30 s after it loads."""
    log = tmp_path / "log"
    wait_s = 40 if SLOW else 1
    run_in(tmp_path, f"{LOAD}import time\ntime.sleep({wait_s})", *offline(*WATCH, str(log)))
    assert reached_for(log) == []


def test_an_idle_web_server_reaches_for_nothing(tmp_path):
    log = tmp_path / "log"
    wait_s = 40 if SLOW else 2
    code = (
        "import threading, time, os\n"
        "from pullfocus.web.config import ServerConfig\n"
        "from pullfocus.web.serve import serve\n"
        f"def end():\n    time.sleep({wait_s})\n    os._exit(0)\n"
        "def begun(url):\n    threading.Thread(target=end).start()\n"
        "serve(ServerConfig(port=0), open_browser=False, announce=begun)\n"
    )
    run_in(tmp_path, code, *offline(*WATCH, str(log)))
    assert reached_for(log) == []
    assert [name for name in files_in(tmp_path) if "Microsoft" in name] == []
