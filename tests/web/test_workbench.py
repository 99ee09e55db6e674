"""Workbench: what is open, which depth it has, and that only the worker decodes."""

from __future__ import annotations

import io
import shutil
import threading

import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings
from pullfocus.types import DepthMap
from pullfocus.web.config import ServerConfig
from pullfocus.web.store import Store
from pullfocus.web.workbench import Workbench


@pytest.fixture
def bench():
    store = Store(100, 3600)
    yield Workbench(ServerConfig(preview_px=320), store)
    store.close()


@pytest.fixture
def bring(bench, photo_file):
    def into_the_bench():
        kept = bench.store.place(photo_file.name)
        shutil.copyfile(photo_file, kept.path)
        return bench.open(kept)

    return into_the_bench


def npy(value: float, size_hw: tuple[int, int] = (160, 240)) -> bytes:
    disparity = np.full(size_hw, value, np.float32)
    disparity[:40] = 0.9
    buffer = io.BytesIO()
    np.save(buffer, disparity)
    return buffer.getvalue()


def test_another_depth_file_takes_the_place_of_the_first(client, finish, photo_bytes):
    job = client.post("/api/photos?name=a.png", content=photo_bytes).json()
    photo = f"/api/photos/{finish(client, job)['result']['id']}"
    for value in (0.1, 0.5):
        answer = client.put(f"{photo}/depth-file?name=d.npy", content=npy(value))
        assert answer.status_code == 204
        found = np.frombuffer(client.get(f"{photo}/disparity.f32").content, "<f4")
        assert found[-1] == pytest.approx(value, abs=0.02)


def test_a_depth_file_of_another_shape_changes_nothing(client, finish, photo_bytes):
    job = client.post("/api/photos?name=a.png", content=photo_bytes).json()
    photo = f"/api/photos/{finish(client, job)['result']['id']}"
    before = client.get(f"{photo}/disparity.f32").content
    answer = client.put(f"{photo}/depth-file?name=d.npy", content=npy(0.1, (160, 80)))
    assert answer.status_code == 422
    assert "80x160" in answer.json()["error"]["message"]
    assert client.get(f"{photo}/disparity.f32").content == before


def test_a_second_edit_takes_the_place_of_the_first(bench, bring):
    item, settings = bring(), Settings(refine=False)
    bench.use_depth_file(item, DepthMap(np.full((160, 240), 0.2, np.float32)))
    for added in (0.1, 0.3):
        bench.edit_depth(item, settings, np.full((160, 240), added, np.float32))
        assert bench.depth(item, settings).disparity[0, 0] == pytest.approx(0.2 + added)


def test_edits_of_a_depth_file_go_with_it(bench, bring):
    item, settings = bring(), Settings(refine=False)
    first, second = (DepthMap(np.full((160, 240), v, np.float32)) for v in (0.2, 0.6))
    bench.use_depth_file(item, first)
    bench.edit_depth(item, settings, np.full((160, 240), 0.1, np.float32))
    assert bench.depth(item, settings).disparity[0, 0] == pytest.approx(0.3)
    assert bench.depth(item, settings, edited=False).disparity[0, 0] == pytest.approx(0.2)
    bench.use_depth_file(item, second)
    assert bench.depth(item, settings).disparity[0, 0] == pytest.approx(0.6)
    with pytest.raises(UsageError):
        bench.use_depth_file(item, DepthMap(np.zeros((240, 160), np.float32)))
    assert item.depth_file is second


def test_photos_that_make_room_for_each_other_never_wait_for_each_other(bench, bring, monkeypatch):
    """Two threads that hold a photo each let go of the other's."""
    monkeypatch.setattr("pullfocus.web.workbench.DECODED_MEGAPIXELS", 0.0)
    items, both = [bring(), bring()], threading.Barrier(2)
    for item in items:
        item.let_go()

    def read(item):
        with item.lock:
            both.wait(5)
            bench.photo(item)
            both.wait(5)

    threads = [threading.Thread(target=read, args=(item,), daemon=True) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    items[0].let_go()
    assert items[0].photo is None


def test_only_the_worker_reads_what_was_let_go(client, finish, server, photo_bytes, monkeypatch):
    job = client.post("/api/photos?name=a.png", content=photo_bytes).json()
    id_ = finish(client, job)["result"]["id"]
    bench, readers = server.app.state.context.bench, []
    item = bench.find(id_)
    room = bench._make_room
    monkeypatch.setattr(
        bench,
        "_make_room",
        lambda keep: (readers.append(threading.current_thread().name), room(keep)),
    )
    for what in ("", "/colour.png", "/disparity.f32"):
        item.let_go()
        assert client.get(f"/api/photos/{id_}{what}").status_code == 200
    assert readers == ["pullfocus-web"] * 3


def test_what_is_told_of_a_depth_file_comes_with_it(client, finish, photo_bytes):
    job = client.post("/api/photos?name=a.png", content=photo_bytes).json()
    photo = f"/api/photos/{finish(client, job)['result']['id']}"
    told = "depth_unit=m&depth_scale=2"
    assert client.put(f"{photo}/depth-file?name=d.npy&{told}", content=npy(0.5)).status_code == 204
    found = client.get(f"{photo}/disparity.f32")
    assert found.headers["x-kind"] == "metric"
    assert np.frombuffer(found.content, "<f4")[-1] == pytest.approx(1.0, abs=0.02)
    made = finish(client, client.post(f"{photo}/depth", json={}).json())["result"]
    assert "'d.npy': array taken as depth in metres, times 2, as told" in made["notes"][0]
    answer = client.put(f"{photo}/depth-file?name=d.npy&depth_near=white", content=npy(0.5))
    assert answer.status_code == 422
    assert "bright" in answer.json()["error"]["message"]
