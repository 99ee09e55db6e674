"""The HTTP API for scripts gives the very pixels that the command line gives."""

from __future__ import annotations

import io
import json
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from pullfocus.pipeline import Settings, refocus


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_refocus_equals_the_command_line(client, photo_file, tmp_path):
    settings = {"at": [0.35, 0.55], "f_number": 1.4, "blades": 7}
    answer = client.post(
        "/api/refocus",
        files={"photo": (photo_file.name, photo_file.read_bytes())},
        data={"settings": json.dumps(settings)},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert "still%20life.refocused.png" in answer.headers["content-disposition"]
    refocus(photo_file, settings=Settings.parse(settings), output=tmp_path / "cli.png")
    assert np.array_equal(pixels(answer.content), pixels((tmp_path / "cli.png").read_bytes()))
    assert answer.content == (tmp_path / "cli.png").read_bytes()


def test_refocus_with_a_depth_file(client, photo_bytes, depth_npy):
    files = {"photo": ("a.png", photo_bytes), "depth": ("a.npy", depth_npy)}
    answer = client.post("/api/refocus", files=files, data={"settings": '{"at": [0.35, 0.55]}'})
    assert answer.status_code == 200
    out, before = pixels(answer.content).astype(int), pixels(photo_bytes).astype(int)
    assert abs(out[80:95, 75:90] - before[80:95, 75:90]).mean() < 0.5
    assert abs(out[:, 180:] - before[:, 180:]).mean() > 1


def test_what_the_settings_say_of_a_depth_file_holds(client, photo_bytes, depth_npy):
    files = {"photo": ("a.png", photo_bytes), "depth": ("a.npy", depth_npy)}
    settings = '{"at": [0.35, 0.55], "depth_unit": "disparity", "depth_near": "dark"}'
    answer = client.post("/api/refocus", files=files, data={"settings": settings})
    assert answer.status_code == 200
    assert "'a.npy': array taken as relative disparity turned round" in unquote(
        answer.headers["x-notes"]
    )


def test_a_depth_file_that_cannot_be_read_is_named_as_it_was_sent(client, photo_bytes):
    files = {"photo": ("a.png", photo_bytes), "depth": ("far and near.npy", b"\x93NUMPY broken")}
    answer = client.post("/api/refocus", files=files, data={"settings": "{}"})
    assert answer.status_code == 415
    assert "'far and near.npy'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("format_", ["png", "npy", "exr"])
def test_depth(client, photo_bytes, format_):
    answer = client.post(
        "/api/depth", files={"photo": ("a.png", photo_bytes)}, data={"format": format_}
    )
    assert answer.status_code == 200
    assert f"a.depth.{format_}" in answer.headers["content-disposition"]
    if format_ == "npy":
        assert np.load(io.BytesIO(answer.content)).shape == (160, 240)


def test_nothing_is_left_behind_by_a_server_that_is_busy(run_server, photo_bytes, depth_npy):
    busy = run_server(max_waiting=0)
    files = {"photo": ("a.png", photo_bytes), "depth": ("a.npy", depth_npy)}
    assert busy.client().post("/api/refocus", files=files).status_code == 503
    for what in ("photos", "films"):
        assert busy.client().post(f"/api/{what}?name=a", content=photo_bytes).status_code == 503
    assert not list(busy.app.state.context.store.folder.iterdir())


def test_nothing_is_left_behind(client, server, photo_bytes):
    before = set(server.app.state.context.store.folder.iterdir())
    client.post("/api/refocus", files={"photo": ("a.png", photo_bytes)}, data={"settings": "{}"})
    client.post("/api/refocus", files={"photo": ("a.png", b"broken")})
    assert set(server.app.state.context.store.folder.iterdir()) <= before  # other pages tidy up too


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        ('{"at": [2, 0]}', "not inside"),
        ('{"blades": 4}', "blades"),
    ],
)
def test_bad_settings_get_a_sentence(client, photo_bytes, settings, says):
    files = {"photo": ("a.png", photo_bytes)}
    answer = client.post("/api/refocus", files=files, data={"settings": settings})
    assert answer.status_code == 422
    assert says in answer.json()["error"]["message"]


def test_no_photo_gets_a_sentence(client):
    answer = client.post("/api/refocus", data={"settings": "{}"})
    assert answer.status_code == 422
    assert "photo" in answer.json()["error"]["message"]
