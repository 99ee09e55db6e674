"""`pullfocus web`: the address it prints, what it refuses, and that it cleans up when it ends."""

from __future__ import annotations

import errno
import html
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

import httpx
import pytest

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.web.config import ServerConfig, is_loopback
from pullfocus.web.redirect_file import RedirectFile
from pullfocus.web.serve import bind, page_url, serve


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


def test_the_token_reaches_the_browser_by_a_private_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    url = page_url(ServerConfig(), 80)
    opened = RedirectFile(url)
    assert opened.address.startswith("file://")
    assert url not in opened.address
    assert url in html.unescape(opened.path.read_text(encoding="utf-8"))
    if os.name != "nt":
        assert opened.path.stat().st_mode & 0o077 == 0
        assert opened.path.parent.stat().st_mode & 0o077 == 0
    opened.remove()
    opened.remove()
    assert not list(tmp_path.iterdir())


def test_a_redirect_file_goes_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    RedirectFile("http://127.0.0.1/", life_s=0.05)
    wait_for(lambda: not list(tmp_path.iterdir()))
    assert not list(tmp_path.iterdir())


def test_the_browser_is_given_no_token(tmp_path, monkeypatch):
    """What it is given is on its command line, which all users of a machine can read."""
    given: list[str] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", given.append)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: wait_for(lambda: given))
    config = ServerConfig()
    serve(config)
    assert given
    assert config.token not in given[0]
    assert not list(tmp_path.glob("pullfocus-open-*"))


def test_a_disk_without_room_for_anything_is_told(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(CannotWriteError, match="no space left"):
        serve(ServerConfig(), open_browser=False)


def wait_for(there) -> None:
    for _ in range(200):
        if there():
            return
        time.sleep(0.02)


@pytest.mark.browser
def test_chromium_comes_in_by_the_redirect_file(chromium, server):
    """A strict cookie does not come along from a file; the page finds it all the same."""
    opened = RedirectFile(server.door)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(opened.address)
    page.wait_for_selector("body[data-ready]")
    assert server.config.token not in page.url
    page.reload()
    page.wait_for_selector("body[data-ready]")
    opened.remove()
    context.close()


def test_headers_that_never_end_are_ended(run_server):
    server = run_server(header_s=0.4)
    for start in (b"", b"GET /api/health HTTP/1.1\r\nHost: 127.0", b"GET /"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
            wire.sendall(start)
            assert wire.recv(200).startswith(b"HTTP/1.1 408")
            assert not wire.recv(200)


def test_headers_of_a_second_request_are_ended_too(run_server):
    server = run_server(header_s=0.4)
    whole = f"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(whole)
        assert wire.recv(4000).startswith(b"HTTP/1.1 200")
        wire.sendall(whole[:20])
        rest = b""
        while more := wire.recv(4000):
            rest += more
        assert b"408" in rest


def test_a_request_that_takes_longer_than_its_headers_may_is_served(run_server, photo_bytes):
    server = run_server(header_s=0.4)
    job = server.app.state.context.queue.submit("block", "x", lambda _: time.sleep(1))
    answer = server.client().post("/api/depth", files={"photo": ("a.png", photo_bytes)})
    assert answer.status_code == 200
    assert job.finished
