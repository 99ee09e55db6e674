"""Subjects over HTTP, and settings from elsewhere that name one."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def photo_id(client, photo_bytes, finish):
    job = finish(client, client.post("/api/photos?name=still.png", content=photo_bytes).json())
    return job["result"]["id"]


@pytest.fixture(scope="module")
def depth(client, photo_id, finish):
    return finish(client, client.post(f"/api/photos/{photo_id}/depth", json={}).json())["result"]


@pytest.fixture
def replayed(client, photo_id, finish):
    def replay(**settings):
        answer = client.post(f"/api/photos/{photo_id}/settings", json={"settings": settings})
        return finish(client, answer.json())

    return replay


def test_subjects_come_with_the_depth(depth):
    first = depth["subjects"][0]
    assert first["id"] == "#1"
    assert (depth["subject"]["x"], depth["subject"]["y"]) == (first["x"], first["y"])
    for subject in depth["subjects"]:
        left, top, right, bottom = subject["box"]
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert subject["far"] <= subject["near"]


def test_settings_that_name_a_subject_are_worked_out(replayed, depth):
    last = depth["subjects"][-1]
    settings = replayed(subject=last["id"], f_number=2.8)["result"]["settings"]
    assert settings["f_number"] == 2.8
    assert settings["subject"] is None
    assert settings["focus_disparity"] == pytest.approx(last["disparity"])
    assert settings["at"] == pytest.approx([last["x"], last["y"]])
    assert settings["range"] == pytest.approx([last["near"], last["far"]])


def test_settings_with_a_point_alone_are_worked_out(replayed):
    settings = replayed(at=[0.35, 0.55])["result"]["settings"]
    assert settings["at"] == [0.35, 0.55]
    assert settings["focus_disparity"] > 0
    assert settings["range"] is None


def test_a_subject_that_is_not_there_is_told(replayed):
    told = replayed(subject="#99")
    assert told["state"] == "failed"
    assert "#99" in told["error"]["message"]
