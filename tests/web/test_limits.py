"""What is too much: bytes, pixels, time, jobs, files; and that memory stays bounded."""

from __future__ import annotations

import errno
import io
import re
import resource
import socket
import struct
import threading
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


def peak_kb(server) -> int:
    """Return the most memory that a server has taken, with its worker."""
    pid = server.app.state.context.worker.pid
    status = Path(f"/proc/{pid}/status")
    told = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return own + (int(told[1]) if told else 0)


PNG_START = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is huge and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return PNG_START + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def narrow(run_server):
    return run_server(max_upload_mb=1, idle_s=0.6, transfer_s=3, max_megapixels=1, max_waiting=60)


def test_announced_size_is_checked_before_the_body(narrow):
    head = (
        f"POST /api/photos?name=a HTTP/1.1\r\nHost: 127.0.0.1:{narrow.port}\r\n"
        f"Authorization: Bearer {narrow.config.token}\r\nContent-Length: 5000000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=5) as wire:
        wire.sendall(head.encode())
        assert b" 413 " in wire.recv(200)


def test_unannounced_size_is_counted(narrow):
    def much():
        for _ in range(40):
            yield b"x" * 100_000

    answer = narrow.client().post("/api/photos?name=a", content=much())
    assert answer.status_code == 413
    assert "1 MB" in answer.json()["error"]["message"]


def test_multipart_is_counted_too(narrow):
    files = {"photo": ("a.jpg", b"x" * 3_000_000)}
    assert narrow.client().post("/api/refocus", files=files).status_code == 413


def test_an_upload_that_stands_still_is_ended(narrow):
    head = (
        f"POST /api/photos?name=a HTTP/1.1\r\nHost: 127.0.0.1:{narrow.port}\r\n"
        f"Authorization: Bearer {narrow.config.token}\r\nContent-Length: 1000\r\n\r\nsome"
    )
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", narrow.port), timeout=10) as wire:
        wire.sendall(head.encode())
        assert b" 408 " in wire.recv(200)
    assert time.monotonic() - began < 5


def test_an_upload_that_trickles_is_ended(narrow):
    def trickle():
        for _ in range(40):
            time.sleep(0.2)
            yield b"x"

    began = time.monotonic()
    answer = narrow.client().post("/api/photos?name=a", content=trickle())
    assert answer.status_code == 408
    assert time.monotonic() - began < 10


def test_a_png_bomb_is_refused_unopened(server, client, finish, photo_bytes):
    finish(client, client.post("/api/photos?name=a.png", content=photo_bytes).json())
    before = peak_kb(server)
    bomb = png_header(60_000, 60_000)
    job = finish(client, client.post("/api/photos?name=bomb.png", content=bomb).json())
    assert job["state"] == "failed"
    assert job["error"]["kind"] in ("too_large", "unreadable")
    answer = client.post("/api/refocus", files={"photo": ("bomb.png", bomb)})
    assert answer.status_code in (413, 415)
    assert peak_kb(server) - before < 400_000


def test_too_many_megapixels(narrow, finish):
    client = narrow.client()
    job = finish(
        client, client.post("/api/photos?name=a.png", content=png_header(2000, 1000)).json()
    )
    assert job["error"]["kind"] == "too_large"


MEGABYTE = b"\0" * (1 << 20)


def zip_bomb() -> bytes:
    """A zip that holds 512 MB of nothing in half of one."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("photo.jpg", "w", force_zip64=True) as file,
    ):
        for _ in range(512):
            file.write(MEGABYTE)
    return buffer.getvalue()


def text_bomb() -> bytes:
    """A PNG of one pixel whose text unpacks to 512 MB."""
    pack = zlib.compressobj(1)
    packed = b"".join(pack.compress(MEGABYTE) for _ in range(512)) + pack.flush()
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"zTXt", b"Comment\0\0" + packed),
             (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]  # fmt: skip
    return PNG_START + b"".join(chunk(kind, data) for kind, data in parts)


@pytest.mark.parametrize("make", [zip_bomb, text_bomb])
def test_a_bomb_does_not_go_off(server, client, finish, photo_bytes, make):
    bomb = make()
    finish(client, client.post("/api/photos?name=a.png", content=photo_bytes).json())
    before = peak_kb(server)
    job = finish(client, client.post("/api/photos?name=a.png", content=bomb).json())
    assert job["state"] == "done" or job["error"]["kind"] == "unreadable"
    assert (make is zip_bomb) <= (job["state"] == "failed")
    assert peak_kb(server) - before < 200_000


def depth_bombs() -> dict[str, bytes]:
    """Depth files that promise three billion pixels and hold none."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 60000), }".ljust(117) + "\n"
    return {
        "bomb.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + b"\0" * 99,
        "bomb.pfm": b"Pf\n60000 60000\n-1.0\n" + b"\0" * 99,
        "bomb.png": png_header(60_000, 60_000),
    }


@pytest.mark.parametrize("name", ["bomb.npy", "bomb.pfm", "bomb.png"])
def test_a_depth_bomb_is_refused(server, client, photo_bytes, name):
    files = {"photo": ("a.png", photo_bytes)}
    assert client.post("/api/refocus", files=files).status_code == 200
    before = peak_kb(server)
    files = {"photo": ("a.png", photo_bytes), "depth": (name, depth_bombs()[name])}
    answer = client.post("/api/refocus", files=files)
    assert answer.status_code in (413, 415, 422), answer.text
    assert peak_kb(server) - before < 100_000


@pytest.fixture
def on_a_full_disk(run_server, monkeypatch):
    """Return a server whose temporary files find no room: what is brought in, or what is made."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    tight = run_server()
    store = tight.app.state.context.store
    place = store.place

    def fill(made: bool) -> None:
        def full(name, media_type="", suffix=""):
            kept = place(name, media_type, suffix)
            if made == bool(suffix):
                kept.path.symlink_to("/dev/full")
            return kept

        monkeypatch.setattr(store, "place", full)

    tight.fill = fill
    return tight


def test_a_full_disk_is_told(on_a_full_disk, photo_bytes):
    on_a_full_disk.fill(made=False)
    client = on_a_full_disk.client()
    files = {"photo": ("a.png", photo_bytes)}
    for answer in (
        client.post("/api/photos?name=a.png", content=photo_bytes),
        client.post("/api/films?name=a.png", content=photo_bytes),
        client.post("/api/refocus", files=files),
        client.post("/api/depth", files=files),
        client.post("/api/photos/samples/hibiscus"),
    ):
        assert answer.status_code == 507, answer.text
        assert "cannot be kept" in answer.json()["error"]["message"]
    assert not list(on_a_full_disk.app.state.context.store.folder.iterdir())


def test_a_disk_that_fills_up_with_results_is_told(on_a_full_disk, finish, photo_bytes):
    client = on_a_full_disk.client()
    photo = finish(client, client.post("/api/photos?name=a.png", content=photo_bytes).json())
    way = f"/api/photos/{photo['result']['id']}"
    pull = {"start_disparity": 0.1, "end_disparity": 0.9, "frames": 2, "long_side_px": 64}
    on_a_full_disk.fill(made=True)
    wishes = [
        ("picture", {}), ("depth-map", {}), ("living", {"long_side_px": 64}),
        ("animation", {**pull, "format": "gif"}), ("animation", {**pull, "format": "mp4"}),
    ]  # fmt: skip
    for what, wish in wishes:
        told = finish(client, client.post(f"{way}/{what}", json=wish).json())
        assert told["state"] == "failed", what
        assert told["error"]["kind"] == "cannot_write", (what, told["error"])
    files = {"photo": ("a.png", photo_bytes)}
    for what in ("refocus", "depth"):
        assert client.post(f"/api/{what}", files=files).status_code == 507
    edit = b"\0" * (240 * 160 * 4)
    on_a_full_disk.fill(made=False)
    for body, part in ((edit, "depth-edit"), (b"x", "depth-file")):
        assert client.put(f"{way}/{part}", content=body).status_code == 507


def test_a_form_that_finds_no_room_is_told(server, monkeypatch, photo_bytes):
    async def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.datastructures.UploadFile.write", full)
    answer = server.client().post("/api/refocus", files={"photo": ("a.png", photo_bytes)})
    assert answer.status_code == 507
    assert "full" in answer.json()["error"]["message"]


def test_who_hangs_up_is_one_line(server, caplog):
    head = (
        f"POST /api/photos?name=a HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: Bearer {server.config.token}\r\nContent-Length: 1000\r\n\r\nsome"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        wire.sendall(head.encode())
        time.sleep(0.2)
    for _ in range(100):
        if caplog.records:
            break
        time.sleep(0.05)
    assert [one.getMessage() for one in caplog.records] == ["POST /api/photos: the client hung up"]
    assert not caplog.records[0].exc_info


def test_a_depth_file_that_is_taken_back_stops_nobody(server, finish, photo_bytes):
    """While another job runs, others are served."""
    client, gate = server.client(), threading.Event()
    photo = finish(client, client.post("/api/photos?name=a.png", content=photo_bytes).json())
    way = f"/api/photos/{photo['result']['id']}/depth-file"
    server.app.state.context.queue.submit("block", "x", lambda _: gate.wait(20))
    with ThreadPoolExecutor(1) as pool:
        taken_back = pool.submit(client.put, way, content=b"")
        for _ in range(5):
            assert server.bare().get("/api/health", timeout=5).status_code == 200
        assert not taken_back.done()
        gate.set()
        assert taken_back.result(20).status_code == 204


@pytest.mark.parametrize(
    "body", [b"", b"not a photo", b"\xff\xd8\xff\xe0 broken", b"PK\x03\x04" + b"0" * 500, b"GIF89a"]
)
def test_broken_uploads_get_a_sentence(client, finish, body):
    answer = client.post("/api/photos?name=broken.jpg", content=body)
    told = answer.json()
    error = told["error"] if answer.status_code >= 400 else finish(client, told)["error"]
    assert error["kind"] == "unreadable"
    assert "Traceback" not in error["message"]
    assert "broken.jpg" in error["message"]
    assert "pullfocus-web" not in error["message"]


def test_fifty_requests_at_once_have_bounded_memory(server, photo_bytes):
    before = peak_kb(server)
    with server.bare(authorization=f"Bearer {server.config.token}") as client:
        depth = {"settings": '{"at": [0.4, 0.5], "format": "jpeg", "refine": false}'}

        def one(_: int) -> tuple[int, bytes]:
            answer = client.post(
                "/api/refocus", files={"photo": ("a.png", photo_bytes)}, data=depth, timeout=200
            )
            return answer.status_code, answer.content

        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(one, range(50)))
    assert {status for status, _ in answers} == {200}
    assert len({content for _, content in answers}) == 1
    assert peak_kb(server) - before < 700_000
    assert not [
        path for path in server.app.state.context.store.folder.iterdir() if "a.png" in path.name
    ]


def test_a_full_queue_says_so(run_server, photo_bytes):
    busy = run_server(max_waiting=2)
    queue = busy.app.state.context.queue
    blocker = queue.submit("block", "me", lambda _: time.sleep(1.0))
    time.sleep(0.1)
    for _ in range(2):
        queue.submit("wait", "me", lambda _: None)
    answer = busy.client().post("/api/photos?name=a.png", content=photo_bytes)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    blocker.future.result(5)
