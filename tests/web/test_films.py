"""Films over HTTP: a video comes in, a moment becomes a photo, the focus is pulled in all of it."""

from __future__ import annotations

import io

import numpy as np
import pytest

av = pytest.importorskip("av")
FRAMES = 6


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Six frames at 25 a second; a disc goes to the right before a striped wall."""
    buffer = io.BytesIO()
    y, x = np.mgrid[:48, :64]
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(FRAMES):
            disc = (x - 16 - 4 * number) ** 2 + (y - 28) ** 2 < 90
            wall = 120 + 60 * np.sin(x / 3.0)
            grey = np.where(disc, 230, wall).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.dstack([grey] * 3), "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def film(client, finish, clip):
    job = finish(client, client.post("/api/films?name=walk.mp4", content=clip).json())
    assert job["state"] == "done", job
    return job["result"]


def frames_of(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def test_a_film_is_described(client, film):
    assert client.get(f"/api/films/{film['id']}").json() == film
    assert (film["width"], film["height"], film["frames"]) == (64, 48, FRAMES)
    assert film["duration_s"] == pytest.approx(FRAMES / 25, abs=0.01)


def test_a_moment_becomes_a_photo(client, finish, film, clip):
    from PIL import Image

    job = client.post(f"/api/films/{film['id']}/stills", json={"at_s": 0.12}).json()
    still = finish(client, job)["result"]
    assert still["at_s"] == pytest.approx(0.12)
    assert (still["width"], still["height"]) == (64, 48)
    assert still["name"] == "walk 0.12 s.png"
    shown = Image.open(io.BytesIO(client.get(f"/api/photos/{still['id']}/colour.png").content))
    assert np.abs(np.asarray(shown, int)[..., :3] - frames_of(clip)[3]).mean() < 3


@pytest.mark.parametrize("at_s", [99, 9e18, 1e300])
def test_a_moment_after_the_end_is_the_last(client, finish, film, at_s):
    job = client.post(f"/api/films/{film['id']}/stills", json={"at_s": at_s}).json()
    assert finish(client, job)["result"]["at_s"] == pytest.approx((FRAMES - 1) / 25)


def container(clip: bytes, kind: str, after: int = 0, **options: str) -> bytes:
    """Put the frames of a clip into another container, so many ticks later."""
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(clip)) as source,
        av.open(buffer, "w", format=kind, options=options) as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.pts, packet.dts = packet.pts + after, packet.dts + after
                packet.stream = stream
                out.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "given", "start_s"),
    [
        ("live.mkv", ("matroska", 0, {"live": "1"}), 0),  # as browsers record: no length is said
        ("late.mkv", ("matroska", 3 * 12800, {}), 3),
        ("late.mp4", ("mp4", 3 * 12800, {}), 3),
    ],
)
def test_all_moments_of_a_film_can_be_reached(client, finish, clip, name, given, start_s):
    kind, after, options = given
    content = container(clip, kind, after, **options)
    job = finish(client, client.post(f"/api/films?name={name}", content=content).json())
    film = job["result"]
    assert film["start_s"] == pytest.approx(start_s)
    assert film["duration_s"] == pytest.approx(FRAMES / 25, abs=0.045)
    for part in (0.0, 0.5, 1.0):
        wish = {"at_s": film["start_s"] + part * film["duration_s"]}
        job = client.post(f"/api/films/{film['id']}/stills", json=wish).json()
        expected = start_s + min(round(part * FRAMES), FRAMES - 1) / 25
        assert finish(client, job)["result"]["at_s"] == pytest.approx(expected, abs=0.002)


def test_what_a_film_loses_is_told(client, finish):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mov") as out:
        stream = out.add_stream("prores_ks", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva444p10le"
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 4), 99, np.uint8), "rgba")
        out.mux([*stream.encode(frame.reformat(format="yuva444p10le")), *stream.encode(None)])
    body = buffer.getvalue()
    film = finish(client, client.post("/api/films?name=a.mov", content=body).json())["result"]
    for preview in (True, False):  # WebM holds none, ProRes does
        wish = {"preview": preview}
        job = finish(client, client.post(f"/api/films/{film['id']}/film", json=wish).json())
        assert any("transparency" in note for note in job["result"]["notes"]) == preview


def test_focus_is_pulled_in_the_whole_film(client, finish, film, clip):
    script = {
        "subjects": {"s1": {"at_s": 0, "point": [0.25, 0.6]}},
        "decisions": [{"at_s": 0, "focus": {"subject": "s1"}},
                      {"at_s": 0.12, "focus": {"disparity": 0}, "pull_s": 0}],
    }  # fmt: skip
    wish = {"script": script, "settings": {"f_number": 0.95}}
    job = finish(client, client.post(f"/api/films/{film['id']}/film", json=wish).json())
    assert job["state"] == "done", job
    assert job["result"]["name"] == "walk.refocused.mp4"
    made = frames_of(client.get(job["result"]["url"]).content)
    assert len(made) == FRAMES
    assert made[0].shape == (48, 64, 3)
    assert max(np.abs(a - b).mean() for a, b in zip(made, frames_of(clip), strict=True)) > 1


def test_a_preview_is_small_and_plays_in_any_browser(client, finish, film):
    wish = {"settings": {"f_number": 0.95}, "preview": True}
    job = finish(client, client.post(f"/api/films/{film['id']}/film", json=wish).json())
    assert job["state"] == "done", job
    assert (job["result"]["name"], job["result"]["media_type"]) == (
        "walk.refocused.webm",
        "video/webm",
    )
    part = client.get(job["result"]["url"], headers={"range": "bytes=0-99"})
    assert part.status_code == 206  # a browser scrubs by ranges
    assert len(frames_of(client.get(job["result"]["url"]).content)) == FRAMES


def test_the_suggested_script_is_that_of_the_command_line(client, finish, film, clip, tmp_path):
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.suggest import suggest_script

    job = finish(client, client.post(f"/api/films/{film['id']}/suggestion", json={}).json())
    assert job["state"] == "done", job
    file = tmp_path / "walk.mp4"
    file.write_bytes(clip)
    steps = []
    script = suggest_script(file, FrameOptions(), told=lambda *at: steps.append(at))
    assert job["result"]["script"] == script.model_dump(mode="json", exclude_none=True)
    assert steps == [(number, FRAMES) for number in range(1, FRAMES + 1)]
    checked = client.post(f"/api/films/{film['id']}/script", json=job["result"])
    assert checked.json() == job["result"]


def test_a_suggestion_can_be_cancelled(client, finish, film):
    gate = client.post(f"/api/films/{film['id']}/stills", json={"at_s": 0}).json()
    job = client.post(f"/api/films/{film['id']}/suggestion", json={}).json()
    client.delete(f"/api/jobs/{job['id']}")
    assert finish(client, job)["state"] == "cancelled"
    assert finish(client, gate)["state"] == "done"


def test_what_is_no_video_is_told(client, finish, photo_bytes):
    job = finish(client, client.post("/api/films?name=a.mp4", content=b"no video at all").json())
    assert job["error"]["kind"] == "unreadable"
    assert "a.mp4" in job["error"]["message"]
    assert client.post("/api/films?name=a.mp4", content=b"").status_code == 415


def test_a_script_that_makes_no_sense_is_told(client, film):
    wish = {"script": {"decisions": [{"at_s": 0, "focus": {"subject": "nobody"}}]}}
    for way in ("film", "script"):
        answer = client.post(f"/api/films/{film['id']}/{way}", json=wish)
        assert answer.status_code == 422
        assert "nobody" in answer.json()["error"]["message"]


def test_a_closed_film_is_gone_and_leaves_nothing(client, finish, server, clip):
    folder = server.app.state.context.store.folder
    job = finish(client, client.post("/api/films?name=b.mp4", content=clip).json())
    id_ = job["result"]["id"]
    assert client.delete(f"/api/films/{id_}").status_code == 204
    assert client.get(f"/api/films/{id_}").status_code == 410
    assert not [path for path in folder.iterdir() if id_ in path.name or path.is_dir()]
