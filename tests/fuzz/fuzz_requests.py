"""Requests to the web server: routes with good and damaged heads, queries and bodies.

An input is a JSON file with "head" and, in base64, "body". {token}, {host}, {photo} and {film} in
the head are filled in by the process that sends it; so is {length}, where it is still there.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import numpy as np
from fuzz_damage import Chance, damaged_bytes, damaged_file
from fuzz_json import HOSTILE, damaged_json
from fuzz_pictures import depth_seeds, photo_seeds
from fuzz_videos import PLAYLISTS, video_seeds

SETTINGS = {"at": [0.4, 0.6], "f_number": 1.8, "blades": 7, "format": "png"}
SCRIPT = {"version": 1, "decisions": [{"at_s": 0, "focus": {"disparity": 0.3}}]}
PULL = {"settings": SETTINGS, "start_disparity": 0.1, "end_disparity": 0.9, "frames": 2,
        "seconds": 0.5, "long_side_px": 64, "format": "gif"}  # fmt: skip
JSON: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/photos/{photo}/settings", {"settings": SETTINGS}),
    ("POST", "/api/photos/{photo}/picture", {"settings": SETTINGS, "format": "png", "quality": 9}),
    ("POST", "/api/photos/{photo}/preview?long_side_px=64", {"settings": SETTINGS}),
    ("POST", "/api/photos/{photo}/depth", {"model": None, "refine": True}),
    ("POST", "/api/photos/{photo}/depth-map", {"format": "png", "refine": True}),
    ("POST", "/api/photos/{photo}/animation", PULL),
    ("POST", "/api/photos/{photo}/living", {"settings": SETTINGS, "long_side_px": 64}),
    ("POST", "/api/films/{film}/stills", {"at_s": 0.1}),
    ("POST", "/api/films/{film}/script", {"script": SCRIPT}),
    ("POST", "/api/films/{film}/film", {"script": SCRIPT, "preview": True}),
    ("POST", "/api/films/{film}/suggestion", {"refine": False}),
]
FILES = [
    ("POST", "/api/photos?name=some.jpg", "photo"),
    ("POST", "/api/films?name=some.mp4", "video"),
    ("PUT", "/api/photos/{photo}/depth-file?name=some.png&depth_near=dark", "depth"),
    ("PUT", "/api/photos/{photo}/depth-edit?refine=false", "edit"),
    ("POST", "/api/refocus", "form"),
    ("POST", "/api/depth", "form"),
]
LOOKS = [
    ("GET", "/api/photos/{photo}"),
    ("GET", "/api/photos/{photo}/colour.png?left=0.1&top=0.1&right=0.9&bottom=0.8&long_side_px=64"),
    ("GET", "/api/photos/{photo}/disparity.f32?left=0&right=1&long_side_px=64&edited=true"),
    ("GET", "/api/films/{film}"),
    ("GET", "/api/jobs/{photo}"),
    ("GET", "/api/results/{photo}"),
    ("GET", "/api/info"),
    ("GET", "/static/index.html"),
    ("HEAD", "/"),
    ("DELETE", "/api/photos/{photo}"),
    ("OPTIONS", "/api/refocus"),
]
ODD_HEADERS = [
    "Content-Type: text/html", "Content-Type: multipart/form-data", "Content-Encoding: gzip",
    "Content-Type: multipart/form-data; boundary=", "Content-Type: application/json; charset=x",
    "Content-Length: -1", "Content-Length: 9" + "9" * 30, "Content-Length: 1_0", "Accept: \xff\xfe",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue",
    "Host: other.example", "Host: a@127.0.0.1", "Host:", "Origin: null", "Origin: http://[::1",
    "Authorization: Bearer", "Authorization: Bearer \xe9", "X-Pullfocus-Token: \xff", "Cookie: =;;",
    "X-Pullfocus-Tab: " + "x" * 5000, "Range: bytes=5-2", "Range: bytes=-", "Connection: Upgrade",
    "Upgrade: websocket", "If-None-Match: *", "If-Modified-Since: never", "X: " + "y" * 70_000,
    "Sec-Fetch-Site: cross-site", "Accept-Encoding: gzip;q=x", " folded", "no colon", "\x00: a",
]  # fmt: skip
ODD_NAMES = ["", "..", "../../x", "a\x00b", "हिन्दी.jpg", "x" * 3000, "\x1b[2J", 'a"; b="c',
             "\r\nA: b", "CON", "%", "\ud800", "\u202egpj.exe", "list.m3u8", "." * 200]  # fmt: skip


def request(number: int, chance: Chance) -> tuple[str, bytes]:
    """Return a request of one of the routes: a good one first, then with some damage."""
    routes = len(JSON) + len(FILES) + len(LOOKS)
    at, sound = number % routes, number < routes
    kind, body = "", b""
    if at < len(JSON):
        method, target, content = JSON[at]
        kind, body = "application/json", json.dumps(content).encode()
        body = body if sound else damaged_json(content, chance)
    elif at < len(JSON) + len(FILES):
        method, target, what = FILES[at - len(JSON)]
        kind, body = _form(chance, sound) if what == "form" else ("", _file(what, chance, sound))
    else:
        method, target = LOOKS[at - len(JSON) - len(FILES)]
    head = _head(method, target, kind, chance, sound)
    content = {"head": head, "body": base64.b64encode(body).decode()}
    path = target.partition("?")[0].strip("/").replace("{", "").replace("}", "")
    return f"{method}-{path.replace('/', '-')}.json", json.dumps(content).encode()


def _file(what: str, chance: Chance, sound: bool) -> bytes:
    if what == "edit":
        edit = np.full((48, 64), 0.1, "<f4").tobytes()
        return edit if sound else damaged_bytes(edit, chance)
    seeds = {"photo": photo_seeds, "depth": depth_seeds, "video": video_seeds}[what]()
    if what == "video" and chance.random() < 0.2 and not sound:
        seeds = PLAYLISTS
    if sound:
        return next(iter(seeds.values()))
    content = list(seeds.values())[int(chance.integers(len(seeds)))]
    return b"" if chance.random() < 0.05 else damaged_file(content, chance)


def _form(chance: Chance, sound: bool) -> tuple[str, bytes]:
    photo = _file("photo", chance, sound or chance.random() < 0.5)
    settings = json.dumps(SETTINGS).encode() if sound else damaged_json(SETTINGS, chance)
    name = "some.jpg" if sound else str(chance.choice(np.array(ODD_NAMES, object)))
    parts = [
        (f'name="photo"; filename="{name}"'.encode("utf-8", "surrogatepass"), photo),
        (b'name="settings"', settings),
    ]
    if not sound and chance.random() < 0.5:
        parts.append((b'name="depth"; filename="d.npy"', _file("depth", chance, False)))
    if not sound and chance.random() < 0.3:
        parts.append((b'name="model"', str(chance.choice(HOSTILE[:20])).encode()))
    marks = b"--mark\r\nContent-Disposition: form-data; "
    body = b"".join(marks + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    body += b"--mark--\r\n"
    if not sound and chance.random() < 0.3:
        body = damaged_bytes(body, chance)
    return "multipart/form-data; boundary=mark", body


def _head(method: str, target: str, kind: str, chance: Chance, sound: bool) -> str:
    lines = ["Host: {host}", "Authorization: Bearer {token}", "Content-Length: {length}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    if not sound:
        if chance.random() < 0.5:
            target = _odd_target(target, chance)
        if chance.random() < 0.4:
            odd = ODD_HEADERS[int(chance.integers(len(ODD_HEADERS)))]
            same = odd.partition(":")[0] + ":"
            lines = [line for line in lines if not line.startswith(same)]
            lines.insert(int(chance.integers(len(lines) + 1)), odd)
        if chance.random() < 0.05:
            method = str(chance.choice(["PATCH", "get", "TRACE", "CONNECT", "PRI", "\xff", ""]))
    head = "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""])
    if not sound and chance.random() < 0.08:
        head = damaged_bytes(head.encode("latin-1"), chance).decode("latin-1")
    return head


def _odd_target(target: str, chance: Chance) -> str:
    """Put hostile values into the query, or into the path."""
    path, _, query = target.partition("?")
    values = [text.strip('"') for text in HOSTILE if len(text) < 6000] + ODD_NAMES

    def hostile() -> str:
        value = values[int(chance.integers(len(values)))]
        return quote(value.encode("utf-8", "surrogatepass"), safe="")

    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    if chance.random() < 0.15:
        pieces = path.split("/")
        pieces[int(chance.integers(len(pieces)))] = hostile()
        return "/".join(pieces)
    if not pairs:
        return target
    at = int(chance.integers(len(pairs)))
    pairs[at] = (pairs[at][0], hostile())
    return path + "?" + "&".join(f"{name}={value}" for name, value in pairs)
