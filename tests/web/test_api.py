"""The routes that the page and scripts use, against a running server."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

import pullfocus
from pullfocus.pipeline import Settings


@pytest.fixture(scope="module")
def photo_id(client, photo_bytes, finish):
    job = finish(client, client.post("/api/photos?name=still.png", content=photo_bytes).json())
    assert job["state"] == "done"
    return job["result"]["id"]


@pytest.fixture(scope="module")
def depth(client, photo_id, finish):
    return finish(client, client.post(f"/api/photos/{photo_id}/depth", json={}).json())["result"]


def test_info_tells_the_settings_of_every_other_room(client):
    info = client.get("/api/info").json()
    assert info["settings_schema"] == json.loads(json.dumps(Settings.model_json_schema()))
    assert info["defaults"] == Settings().model_dump(mode="json")
    assert info["version"] == pullfocus.__version__
    assert len(info["samples"]) == 3
    assert {"jpeg", "png", "tiff", "webp"} <= set(info["formats"])


def test_openapi_is_typed(client):
    api = client.get("/api/openapi.json").json()
    assert {"/api/refocus", "/api/depth", "/api/health", "/api/version"} <= set(api["paths"])
    assert "PhotoView" in api["components"]["schemas"]


def test_events_follow_a_job_to_its_end(client, photo_id):
    job = client.post(f"/api/photos/{photo_id}/depth", json={}).json()
    with client.stream("GET", f"/api/jobs/{job['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done"
    assert [one["progress"] for one in told] == sorted(one["progress"] for one in told)


def test_depth_comes_as_floats_of_the_preview(client, photo_id, depth):
    answer = client.get(f"/api/photos/{photo_id}/disparity.f32")
    h, w = int(answer.headers["x-height"]), int(answer.headers["x-width"])
    disparity = np.frombuffer(answer.content, "<f4").reshape(h, w)
    assert (h, w) == (160, 240)
    assert 0 <= disparity.min() < disparity.max() <= 1
    assert depth["kind"] == "relative"
    assert 0 <= depth["subject"]["x"] <= 1


def test_a_region_has_its_own_size(client, photo_id, depth):
    query = "left=0.25&right=0.75&top=0&bottom=0.5&long_side_px=60"
    colour = Image.open(
        io.BytesIO(client.get(f"/api/photos/{photo_id}/colour.png?{query}").content)
    )
    answer = client.get(f"/api/photos/{photo_id}/disparity.f32?{query}")
    assert colour.size == (60, 40)
    assert (answer.headers["x-width"], answer.headers["x-height"]) == ("60", "40")
    bad = client.get(f"/api/photos/{photo_id}/colour.png?left=0.8&right=0.2")
    assert bad.status_code == 422


@pytest.mark.parametrize("region", ["left=0.9999", "top=0.9999", "right=0.00001&bottom=0.00001"])
def test_a_region_has_a_pixel_at_least(client, photo_id, depth, region):
    picture = client.get(f"/api/photos/{photo_id}/colour.png?{region}")
    assert min(Image.open(io.BytesIO(picture.content)).size) == 1
    assert len(client.get(f"/api/photos/{photo_id}/disparity.f32?{region}").content) >= 4


def test_an_edit_of_the_depth_reaches_the_saved_map(client, photo_id, depth, finish):
    edit = np.zeros((160, 240), "<f4")
    edit[20:60, 30:90] = -0.3
    assert (
        client.put(f"/api/photos/{photo_id}/depth-edit", content=edit.tobytes()).status_code == 204
    )
    job = finish(
        client, client.post(f"/api/photos/{photo_id}/depth-map", json={"format": "npy"}).json()
    )
    edited = np.load(io.BytesIO(client.get(job["result"]["url"]).content))
    seen, base = (
        np.frombuffer(client.get(f"/api/photos/{photo_id}/disparity.f32?{q}").content, "<f4")
        for q in ("", "edited=false")
    )
    assert np.allclose(seen, np.clip(base + edit.ravel(), 0, 1), atol=1e-6)
    assert not np.allclose(seen, base, atol=0.1)
    client.put(f"/api/photos/{photo_id}/depth-edit", content=b"")
    job = finish(
        client, client.post(f"/api/photos/{photo_id}/depth-map", json={"format": "npy"}).json()
    )
    plain = np.load(io.BytesIO(client.get(job["result"]["url"]).content))
    assert np.allclose(edited, np.clip(plain + edit, 0, 1), atol=1e-6)
    assert client.put(f"/api/photos/{photo_id}/depth-edit", content=b"short").status_code == 422


def test_results_are_downloads_with_their_name(client, photo_id, finish):
    wish = {"settings": {"at": [0.4, 0.5]}, "format": "webp"}
    job = finish(client, client.post(f"/api/photos/{photo_id}/picture", json=wish).json())
    answer = client.get(job["result"]["url"])
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "still.refocused.webp" in answer.headers["content-disposition"]
    assert job["result"]["sidecar"]["settings"]["focus_disparity"] is not None


def test_a_focus_pull_as_mp4(client, photo_id, finish):
    av = pytest.importorskip("av")
    assert "mp4" in client.get("/api/info").json()["animation_formats"]
    wish = {"start_disparity": 1.0, "end_disparity": 0.0, "frames": 6, "long_side_px": 97,
            "format": "mp4", "seconds": 0.5}  # fmt: skip
    job = finish(client, client.post(f"/api/photos/{photo_id}/animation", json=wish).json())
    with av.open(io.BytesIO(client.get(job["result"]["url"]).content)) as film:
        assert len(list(film.decode(video=0))) == 6
        assert film.duration / 1e6 == pytest.approx(0.5)
    slow = wish | {"frames": 3, "seconds": 6}
    job = finish(client, client.post(f"/api/photos/{photo_id}/animation", json=slow).json())
    with av.open(io.BytesIO(client.get(job["result"]["url"]).content)) as film:
        assert film.duration / 1e6 == pytest.approx(6)


@pytest.mark.parametrize("format_", ["gif", "webp"])
def test_a_focus_pull_moves(client, photo_id, finish, format_):
    wish = {
        "start_disparity": 1.0, "end_disparity": 0.0, "frames": 5, "long_side_px": 96,
        "format": format_, "there_and_back": False,
    }  # fmt: skip
    job = finish(client, client.post(f"/api/photos/{photo_id}/animation", json=wish).json())
    film = Image.open(io.BytesIO(client.get(job["result"]["url"]).content))
    assert film.n_frames == 5
    first = np.asarray(film.convert("RGB"), float)
    film.seek(4)
    assert np.abs(np.asarray(film.convert("RGB"), float) - first).max() > 20


@pytest.mark.parametrize(
    ("asked", "status"), [("bytes=5-2", 400), ("bytes=-", 400), ("bytes=99999999-", 416)]
)
def test_a_range_that_makes_no_sense_is_refused_like_all_else(client, asked, status):
    answer = client.get("/static/index.html", headers={"range": asked})
    assert answer.status_code == status
    assert answer.json()["error"]["kind"] == "http"
    assert answer.json()["error"]["message"].endswith(".")
    assert ("content-range" in answer.headers) == (status == 416)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, "is not JSON"),
        ({"data": {"photo": "x"}}, "photo must be a file"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_a_sentence(client, photo_id, request_, words):
    path = "/api/refocus" if "data" in request_ else f"/api/photos/{photo_id}/settings"
    answer = client.post(path, **request_)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
    assert not answer.json()["error"]["message"].endswith("..")


def test_closed_and_unknown_photos_are_gone(client, photo_bytes, finish):
    job = finish(client, client.post("/api/photos?name=b.png", content=photo_bytes).json())
    id_ = job["result"]["id"]
    assert client.get(f"/api/photos/{id_}").json()["width"] == 240
    assert client.delete(f"/api/photos/{id_}").status_code == 204
    for path in (f"/api/photos/{id_}", f"/api/photos/{id_}/colour.png", "/api/jobs/unknown"):
        assert client.get(path).status_code == 410


def test_unknown_settings_are_named(client, photo_id):
    wish = {"settings": {"f_numbr": 2}}
    answer = client.post(f"/api/photos/{photo_id}/picture", json=wish)
    assert answer.status_code == 422
    assert "f_number" in answer.json()["error"]["message"]


def test_samples_open(client, finish):
    job = finish(client, client.post("/api/photos/samples/hibiscus").json())
    assert job["result"]["width"] > 100
    assert client.post("/api/photos/samples/none").status_code == 422
    assert client.get("/samples/hibiscus.jpg").headers["content-type"] == "image/jpeg"
