"""The real web server, started once in the worker, and requests sent to it byte by byte."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import io
import json
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

LIMITS: dict[str, Any] = {
    "idle_s": 0.4, "header_s": 0.4, "transfer_s": 4, "max_upload_mb": 2, "max_megapixels": 16,
    "max_open_s": 15, "max_step_s": 15, "temp_cap_mb": 200, "preview_px": 64,
}  # fmt: skip
PATIENCE_S = 18.0
JOBS = ("photos", "films")


class _Heard(logging.Handler):
    """Errors that the server logged, of which a request must cause none."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        lines = logging.Formatter().format(record).splitlines()
        self.told.append(" | ".join([lines[0], *lines[-3:]]))


class Client:
    """A server with one photo (64 x 48 with a depth file) and one video open."""

    def __init__(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import uvicorn

        from pullfocus.web.app import create_app
        from pullfocus.web.config import ServerConfig
        from pullfocus.web.serve import bind, server_settings

        self.config = ServerConfig(**LIMITS)
        listener = bind(self.config)
        self.port = listener.getsockname()[1]
        server = uvicorn.Server(server_settings(create_app(self.config), self.config))
        self.heard = _Heard()
        logging.getLogger().addHandler(self.heard)
        for name in ("uvicorn", "uvicorn.error", "pullfocus.web", "asyncio"):
            logging.getLogger(name).addHandler(self.heard)
            logging.getLogger(name).propagate = False
        threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
        while not server.started:
            time.sleep(0.01)
        self.ids: dict[str, str] = {}
        self._open_again()

    def send(self, head: str, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send one request on a connection of its own; (0, ...) if it is closed without a word."""
        given = {"{token}": self.config.token, "{host}": f"127.0.0.1:{self.port}",
                 "{length}": str(len(body))}  # fmt: skip
        given |= {f"{{{name}}}": id_ for name, id_ in self.ids.items()}
        for mark, value in given.items():
            head = head.replace(mark, value)
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as wire:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                wire.sendall(head.encode("latin-1") + body)
            # where it refused the head meanwhile, its answer may still be there
            answer = http.client.HTTPResponse(wire, method=head.partition(" ")[0])
            try:
                answer.begin()
                return answer.status, answer.headers, answer.read()
            except (ConnectionResetError, http.client.RemoteDisconnected):
                return 0, http.client.HTTPMessage(), b""

    def call(self, method: str, path: str, body: bytes = b"") -> Any:
        """Send a good request; return the JSON of its answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Bearer {{token}}\r\n"
        status, _, content = self.send(head + "Content-Length: {length}\r\n\r\n", body)
        return status, json.loads(content) if content else None

    def finish(self, job: dict[str, Any]) -> dict[str, Any]:
        """Wait for a job."""
        until = time.monotonic() + PATIENCE_S
        while job["state"] in ("waiting", "running"):
            assert time.monotonic() < until, f"job {job['kind']} does not end"
            time.sleep(0.02)
            _, job = self.call("GET", f"/api/jobs/{job['id']}")
        return job

    def take(self, path: Path) -> str | None:
        """Send the request of an input; return how it was refused, None if it was not."""
        asked = json.loads(path.read_bytes())
        self.heard.told.clear()
        status, headers, body = self.send(asked["head"], base64.b64decode(asked["body"]))
        refused = _refusal(status, headers, body)
        if status == 202:
            refused = self._of_job(self.finish(json.loads(body)))
        assert not self.heard.told, f"logged: {self.heard.told[0]}"
        self._open_again()
        return refused

    def _of_job(self, job: dict[str, Any]) -> str | None:
        made = (job["result"] or {}).get("id")
        if made is not None:
            for kind in JOBS:
                self.call("DELETE", f"/api/{kind}/{made}")
        return _check(job["error"]) if job["state"] == "failed" else None

    def _open_again(self) -> None:
        """Open photo and video, unless the last request left them open."""
        if not self.ids or self.call("GET", f"/api/photos/{self.ids['photo']}")[0] != 200:
            self.ids["photo"] = self._opened("photos", _photo())
            self.call("PUT", f"/api/photos/{self.ids['photo']}/depth-file?name=d.npy", _depth())
        if "film" not in self.ids or self.call("GET", f"/api/films/{self.ids['film']}")[0] != 200:
            self.ids["film"] = self._opened("films", _video())

    def _opened(self, kind: str, content: bytes) -> str:
        job = self.finish(self.call("POST", f"/api/{kind}?name=some", content)[1])
        return str(job["result"]["id"])


def _refusal(status: int, headers: http.client.HTTPMessage, body: bytes) -> str | None:
    """Check the shape of an answer, and return its status and kind if it is none of 2xx."""
    if status == 0 or (status in (400, 408) and "x-content-type-options" not in headers):
        return f"{status} by the protocol"  # refused before the application saw it
    assert "content-security-policy" in headers, f"{status} without the strict headers"
    if status < 400:
        return None
    if "json" not in headers.get("content-type", "") or not body:
        assert (status, body[:15].lower()) == (401, b"<!doctype html>") or not body, body[:200]
        return str(status)
    return f"{status} {_check(json.loads(body)['error'])}"


def _check(error: dict[str, str]) -> str:
    """Return the kind of a failure; a bug of ours or what is no sentence is a fault."""
    kind, message = error["kind"], error["message"]
    assert kind not in ("internal", "crashed", "deadline", "memory"), f"{kind}: {message}"
    assert message.strip(), kind
    assert message.isprintable(), repr(message[:200])
    assert len(message) < 2000, message[:200]
    return kind


def _photo() -> bytes:
    import numpy as np
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)).save(
        out, "PNG"
    )
    return out.getvalue()


def _depth() -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.save(out, np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1)))
    return out.getvalue()


def _video() -> bytes:
    from fuzz_videos import video_seeds

    return video_seeds()["some.mp4"]


@functools.cache
def client() -> Client:
    """Return the one server of this process."""
    return Client()
