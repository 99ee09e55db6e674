"""Workbench: what is open, which depth it has, and that only the worker decodes."""

from __future__ import annotations

import io
import itertools
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from pullfocus.depthmap.meaning import Told
from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings
from pullfocus.web.open_photos import BenchLimits, DepthFile, PhotoFiles, Workbench, key_of
from pullfocus.web.steps import NotThereError


@pytest.fixture
def bench():
    return Workbench(BenchLimits(preview_px=320))


@pytest.fixture
def bring(bench, photo_file):
    count = itertools.count()

    def into_the_bench():
        item = bench.item(PhotoFiles(f"photo {next(count)}", photo_file, photo_file.name))
        bench.photo(item)
        return item

    return into_the_bench


@pytest.fixture
def depth_of(bench, tmp_path):
    """Return the depth at the corner of a photo with these files beside it."""
    made = itertools.count()

    def corner(item, settings, depth=None, edit=None, edited=True):
        files = replace(item.files, depth=depth or item.files.depth)
        if edit is not None:
            place = tmp_path / f"{next(made)}.f32"
            np.full((160, 240), edit, "<f4").tofile(place)
            key = key_of(files.depth is not None, settings)
            files = replace(files, edits=((key, place),))
        found = bench.depth(bench.item(files), settings, edited=edited)
        return found.disparity[-1, -1]

    return corner


@pytest.fixture
def depth_file(tmp_path):
    def write(value, size_hw=(160, 240)):
        place = tmp_path / f"{value}.npy"
        place.write_bytes(npy(value, size_hw))
        return DepthFile(place, place.name, Told(near="bright", unit="disparity"))

    return write


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
    message = answer.json()["error"]["message"]
    assert "80x160" in message
    assert "'d.npy'" in message
    assert client.get(f"{photo}/disparity.f32").content == before


def test_a_second_edit_takes_the_place_of_the_first(bring, depth_of, depth_file):
    item, settings = bring(), Settings(refine=False)
    depth_of(item, settings, depth=depth_file(0.2))
    for added in (0.1, 0.3):
        assert depth_of(item, settings, edit=added) == pytest.approx(0.2 + added, abs=1e-3)
        assert depth_of(item, settings, edited=False) == pytest.approx(0.2, abs=1e-3)


def test_edits_of_a_depth_file_go_with_it(bench, bring, depth_of, depth_file):
    item, settings = bring(), Settings(refine=False)
    depth_of(item, settings, depth=depth_file(0.2))
    assert depth_of(item, settings, edit=0.1) == pytest.approx(0.3, abs=1e-3)
    bare = replace(item.files, depth=depth_file(0.6), edits=())
    assert bench.depth(bench.item(bare), settings).disparity[-1, -1] == pytest.approx(0.6, abs=1e-3)
    with pytest.raises(UsageError):
        bench.item(replace(bare, depth=depth_file(0.5, (160, 80))))
    assert item.files == bare
    assert bench.depth(item, settings).disparity[-1, -1] == pytest.approx(0.6, abs=1e-3)


def test_only_what_is_there_is_looked_at(bench, bring):
    item, settings = bring(), Settings(refine=False)
    assert bench.there(item.files) is item
    with pytest.raises(NotThereError):
        bench.there(item.files, settings)
    item.let_go()
    with pytest.raises(NotThereError):
        bench.there(item.files)


def test_photos_that_make_room_for_each_other_never_wait_for_each_other(bench, bring, monkeypatch):
    """Two threads that hold a photo each let go of the other's."""
    monkeypatch.setattr("pullfocus.web.open_photos.DECODED_MEGAPIXELS", 0.0)
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


def test_what_was_let_go_is_read_again(server, client, finish, photo_bytes):
    """The worker may have ended meanwhile: what it held is made again from the files."""
    job = client.post("/api/photos?name=a.png", content=photo_bytes).json()
    id_ = finish(client, job)["result"]["id"]
    photo = f"/api/photos/{id_}"
    told = "depth_unit=disparity&depth_near=dark"
    client.put(f"{photo}/depth-file?name=d.npy&{told}", content=npy(0.4))
    edit = np.full((160, 240), 0.1, "<f4").tobytes()
    assert client.put(f"{photo}/depth-edit", content=edit).status_code == 204
    before = {
        what: client.get(f"{photo}{what}").content for what in ("", "/colour.png", "/disparity.f32")
    }
    for what, content in before.items():
        os.kill(server.app.state.context.worker.pid, signal.SIGKILL)
        answer = client.get(f"{photo}{what}")
        assert answer.status_code in (200, 507)  # 507: it was on its way when its process ended
        assert client.get(f"{photo}{what}").content == content
    assert np.frombuffer(before["/disparity.f32"], "<f4")[-1] == pytest.approx(0.7, abs=0.02)
    made = finish(client, client.post(f"{photo}/depth", json={}).json())["result"]
    assert "'d.npy': array taken as relative disparity turned round" in made["notes"][0]


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
