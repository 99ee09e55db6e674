"""Photos nobody thinks of first: a pixel, a strip, grey, with alpha, with the phone's own depth."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image


def encoded(pixels: np.ndarray, format_: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format_)
    return buffer.getvalue()


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, shape, np.uint8)


PHOTOS = {
    "one pixel": encoded(noise(1, 1, 3)),
    "one row": encoded(noise(1, 300, 3)),
    "panorama": encoded(noise(24, 1200, 3)),
    "tower": encoded(noise(700, 9, 3)),
    "grey": encoded(noise(40, 60)),
    "alpha": encoded(noise(40, 60, 4)),
    "black": encoded(np.zeros((40, 60, 3), np.uint8)),
    "bilevel": encoded(noise(40, 60) > 99),
}


@pytest.mark.parametrize("kind", PHOTOS)
def test_it_goes_down_the_whole_line(client, finish, kind):
    answer = client.post(f"/api/photos?name={kind}.png", content=PHOTOS[kind])
    job = finish(client, answer.json())
    assert job["state"] == "done", job
    view = job["result"]
    id_ = view["id"]
    depth = finish(client, client.post(f"/api/photos/{id_}/depth", json={}).json())
    assert depth["state"] == "done", depth
    floats = client.get(f"/api/photos/{id_}/disparity.f32")
    assert np.isfinite(np.frombuffer(floats.content, "<f4")).all()
    small = Image.open(io.BytesIO(client.get(f"/api/photos/{id_}/colour.png").content))
    assert small.size == (view["preview_width"], view["preview_height"])
    wish = {"settings": {"at": [0.5, 0.5], "f_number": 1.2}}
    made = finish(client, client.post(f"/api/photos/{id_}/picture", json=wish).json())
    assert made["state"] == "done", made
    assert made["result"]["name"] == f"{kind}.refocused.png"
    picture = Image.open(io.BytesIO(client.get(made["result"]["url"]).content))
    before = Image.open(io.BytesIO(PHOTOS[kind]))
    assert picture.size == before.size
    if kind == "alpha":
        assert np.array_equal(np.asarray(picture)[..., 3], np.asarray(before)[..., 3])


@pytest.mark.parametrize("what", ["preview", "living", "animation"])
@pytest.mark.parametrize("kind", ["one pixel", "panorama", "tower"])
def test_what_else_is_made_of_it(client, finish, kind, what):
    job = finish(client, client.post(f"/api/photos?name={kind}.png", content=PHOTOS[kind]).json())
    wish = {"settings": {}, "start_disparity": 1, "end_disparity": 0, "frames": 2,
            "long_side_px": 64, "format": "webp"}  # fmt: skip
    fields = {
        "preview": {"settings"}, "living": {"settings", "long_side_px"}, "animation": set(wish),
    }  # fmt: skip
    body = {name: value for name, value in wish.items() if name in fields[what]}
    answer = client.post(f"/api/photos/{job['result']['id']}/{what}", json=body)
    if what == "preview":
        assert Image.open(io.BytesIO(answer.content)).size[0] >= 1
        return
    job = finish(client, answer.json())
    assert job["state"] == "done", job
    assert job["result"]["bytes"] > 50
