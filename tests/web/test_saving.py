"""What can be saved of an open photo: every format, with the metadata and profile it came with."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

PICTURES = ["jpeg", "png", "tiff", "webp", "avif", "heic"]
DEPTHS = ["png", "exr", "npy", "pfm"]


@pytest.fixture(scope="module")
def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def photo_id(client, finish, photo_bytes, profile):
    """A JPEG that knows its camera and its colours."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Pullfocus Works", "Model One"
    buffer = io.BytesIO()
    small = Image.open(io.BytesIO(photo_bytes)).resize((96, 64))
    small.save(buffer, "JPEG", quality=95, exif=exif, icc_profile=profile)
    answer = client.post("/api/photos?name=holiday.jpg", content=buffer.getvalue())
    return finish(client, answer.json())["result"]["id"]


@pytest.fixture
def saved(client, finish, photo_id):
    def save(what: str, wish: dict) -> tuple[str, bytes]:
        job = finish(client, client.post(f"/api/photos/{photo_id}/{what}", json=wish).json())
        assert job["state"] == "done", job
        return job["result"]["name"], client.get(job["result"]["url"]).content

    return save


@pytest.mark.parametrize("format_", PICTURES)
def test_a_picture_keeps_what_its_file_knew(client, saved, profile, format_):
    if format_ not in client.get("/api/info").json()["formats"]:
        pytest.skip(f"{format_} cannot be written here")
    if format_ == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    name, data = saved("picture", {"settings": {"at": [0.4, 0.5]}, "format": format_})
    image = Image.open(io.BytesIO(data))
    assert name.startswith("holiday.refocused.")
    assert image.size == (96, 64)
    assert image.getexif()[0x010F] == "Pullfocus Works"
    assert image.info["icc_profile"] == profile


def test_quality_is_obeyed(saved):
    sizes = [
        len(saved("picture", {"settings": {}, "format": "jpeg", "quality": quality})[1])
        for quality in (40, 95)
    ]
    assert sizes[0] < sizes[1] * 0.7


def test_sixteen_bits_stay_sixteen_bits(client, finish):
    import cv2

    ramp = np.linspace(0, 65535, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint16)
    data = cv2.imencode(".tif", ramp)[1].tobytes()
    job = finish(client, client.post("/api/photos?name=deep.tif", content=data).json())
    id_ = job["result"]["id"]
    assert job["result"]["bit_depth"] == 16
    job = finish(client, client.post(f"/api/photos/{id_}/picture", json={"settings": {}}).json())
    assert job["result"]["name"] == "deep.refocused.tif"
    made = cv2.imdecode(
        np.frombuffer(client.get(job["result"]["url"]).content, np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert made.dtype == np.uint16
    assert len(np.unique(made)) > 2000


@pytest.mark.parametrize("format_", DEPTHS)
def test_a_depth_map_can_be_read_again(client, saved, photo_id, tmp_path, format_):
    from pullfocus.depthmap.files import load_depth

    shown = client.get(f"/api/photos/{photo_id}/disparity.f32")
    expected = np.frombuffer(shown.content, "<f4").reshape(64, 96)
    name, data = saved("depth-map", {"format": format_})
    assert name == f"holiday.depth.{format_}"
    file = tmp_path / name
    file.write_bytes(data)
    assert np.abs(load_depth(file).disparity - expected).max() < 2e-3


def test_a_missing_model_is_told_with_what_to_do(client, saved, photo_bytes):
    """424 and one sentence, for scripts and for the page's job alike."""
    cards = client.get("/api/info").json()["models"]
    other = next(card["id"] for card in cards if card["source"] == "huggingface")
    answer = client.post(
        "/api/depth", files={"photo": ("a.png", photo_bytes)}, data={"model": other}
    )
    assert answer.status_code == 424
    error = answer.json()["error"]
    assert error["kind"] == "missing_model"
    assert other in error["message"]
    assert "this machine" in error["message"] or "pip install" in error["message"]
