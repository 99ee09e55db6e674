"""`pullfocus web`: the address it prints, what it refuses, and that it cleans up when it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import httpx
import pytest

from pullfocus.errors import UsageError
from pullfocus.web.config import ServerConfig, is_loopback
from pullfocus.web.serve import bind, page_url


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pullfocus.cli import main; main()", "web", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_it_prints_its_address_and_removes_its_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", "from pullfocus.cli import main; main()", "web", "--no-open",
         "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    url = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
    assert url, line
    for _ in range(100):
        try:
            page = httpx.get(url[0], follow_redirects=True, trust_env=False)
            break
        except httpx.TransportError:
            time.sleep(0.1)
    assert page.status_code == 200
    assert "main.js" in page.text
    assert list(tmp_path.glob("pullfocus-web-*"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert not list(tmp_path.glob("pullfocus-web-*"))


def test_other_hosts_demand_a_token():
    told = run("--no-open", "--host", "0.0.0.0")
    assert told.returncode == 2
    assert "--token" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_short_token_is_refused():
    told = run("--no-open", "--host", "0.0.0.0", "--token", "short")
    assert told.returncode == 2


def test_a_taken_port_is_named():
    with bind(ServerConfig(port=0)) as first:
        first.listen()
        port = first.getsockname()[1]
        told = run("--no-open", "--port", str(port))
    assert told.returncode == 2
    assert str(port) in told.stderr


def test_tokens_differ_between_runs():
    assert len({ServerConfig().token for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("host", "stays"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.5.5.5", True),
     ("0.0.0.0", False), ("192.168.1.2", False), ("example.org", False)],
)  # fmt: skip
def test_loopback(host, stays):
    assert is_loopback(host) is stays


def test_limits_are_checked():
    for wrong in ({"port": 70000}, {"token": "x"}, {"preview_px": 9}):
        with pytest.raises(UsageError):
            ServerConfig(**wrong)


def test_the_address_names_an_ipv6_host_in_brackets():
    config = ServerConfig(host="::1")
    assert page_url(config, 80).startswith("http://[::1]:80/?token=")
    assert page_url(replace(config, host="[::1]"), 80) == page_url(config, 80)


def test_the_address_lets_in_with_any_token(run_server):
    server = run_server(token="kept+in/base64&#%?==")
    bare = server.bare()
    address = page_url(server.config, server.port)
    assert bare.get(address, follow_redirects=False).status_code == 303
    assert bare.get("/api/version").status_code == 200
