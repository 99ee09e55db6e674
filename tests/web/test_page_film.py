"""A video on the page: dropped, scrubbed, tapped to follow, saved."""

from __future__ import annotations

import io

import numpy as np
import pytest

av = pytest.importorskip("av")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def clip_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("clips") / "walk.mp4"
    y, x = np.mgrid[:48, :64]
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            disc = (x - 16 - 6 * number) ** 2 + (y - 28) ** 2 < 90
            grey = np.where(disc, 230, 120 + 60 * np.sin(x / 3.0)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.dstack([grey] * 3), "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file


def test_from_drop_to_saved_film(new_page, clip_file, tmp_path):
    page = new_page()
    page.enter()
    page.drop(clip_file, "video/mp4")
    page.until("() => pullfocus.film?.photo && !pullfocus.film.root.hidden", seconds=180)
    page.idle()
    assert page.js("() => [pullfocus.photo.view.width, pullfocus.film.at_s]") == [64, 0]
    page.page.mouse.click(*page.spot(0.25, 0.6))
    assert page.page.get_by_role("button", name="Focus from 0.00 s on").count() == 1
    page.page.get_by_role("slider", name="Moment of the film").fill("0.3")
    page.until("() => Math.abs(pullfocus.film.at_s - 0.3) < 1e-6", seconds=180)
    page.idle()
    assert page.js("() => pullfocus.photos.length") == 1
    page.page.mouse.click(*page.spot(0.9, 0.1))
    page.keep("film")
    script = page.js("() => pullfocus.film.script")
    assert [one["at_s"] for one in script["decisions"]] == pytest.approx([0, 0.3])
    assert script["subjects"]["s2"]["point"] == pytest.approx([0.9, 0.1], abs=0.02)
    page.page.get_by_role("button", name="Preview of the film").click()
    page.until("() => document.querySelector('video.preview')?.readyState >= 2", seconds=180)
    page.page.get_by_role("slider", name="Moment of the film").fill("0.2")
    page.until("() => Math.abs(document.querySelector('video.preview').currentTime - 0.2) < 0.01")
    size = page.js("() => [...document.querySelectorAll('video.preview')].map((v) => v.videoWidth)")
    assert size == [64]
    page.keep("film-preview")
    page.js("() => pullfocus.photo.edit.set({ ...pullfocus.photo.edit.now, f_number: 1.2 })")
    page.until("() => !document.querySelector('video.preview')", seconds=180)
    page.until("() => Math.abs(pullfocus.film.at_s - 0.2) < 1e-6", seconds=180)
    page.page.keyboard.press("s")
    with page.page.expect_download(timeout=240_000) as download:
        page.page.get_by_role("button", name="Save: The film").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == "walk.refocused.mp4"
    with av.open(io.BytesIO(saved.read_bytes())) as container:
        assert len(list(container.decode(video=0))) == 5
    dot = page.page.get_by_role("button", name="Focus from 0.30 s on")
    dot.focus()
    page.page.keyboard.press("Delete")
    left = page.js("() => [pullfocus.film.decisions.length, pullfocus.film.subjects.length]")
    assert left == [1, 1]
    page.page.get_by_role("button", name="Close walk.mp4").click()
    page.until("() => pullfocus.view === 'home' && pullfocus.film === null")


LANES = """async () => {
    const { Film } = await import('/static/js/film.js');
    const app = { stageRoot: document.body };
    window.film = new Film(app, { id: 'x', name: 'walk.mp4', duration_s: 1 });
    film.seek = (at_s) => { film.at_s = at_s; };
    for (const [at_s, point] of [[0, [0.2, 0.6]], [0.3, [0.9, 0.1]]]) {
        film.subjects.push({ at_s, point });
        film.decideOn(film.subjects.at(-1), at_s);
    }
    film.at_s = 0.3;
}"""
"""A timeline of two subjects without a video behind it: nothing has to be decoded or estimated."""


def test_lanes_are_edited_by_keyboard_and_by_dragging(new_page):
    page = new_page()
    page.enter()
    page.js(LANES)
    roles = page.page.get_by_role
    assert [roles("group", name=f"Subject {n}", exact=True).count() for n in (1, 2, 3)] == [1, 1, 0]
    roles("button", name="Focus from 0.30 s on").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.get_by_label("Weak").check()
    page.page.get_by_label("Pull, seconds").fill("0.2")
    page.page.get_by_label("How the pull moves").select_option("Even")
    page.keep("lanes")
    decision = page.js("() => film.script.decisions[1]")
    assert decision.pop("at_s") == pytest.approx(0.4)
    told = {"strength": "weak", "pull_s": 0.2, "easing": "linear"}
    assert decision == {"focus": {"subject": "s2"}, **told}
    roles("button", name="Focus on Subject 1 from here on").click()
    names = page.js("() => film.script.decisions.map((one) => one.focus.subject)")
    assert names == ["s1", "s1", "s2"]
    roles("button", name="Focus from 0.30 s on").focus()
    page.page.keyboard.press("Delete")
    drag(page, roles("button", name="Focus from 0.40 s on"), -40)
    assert 0.3 <= page.js("() => film.decisions[1].at_s") < 0.4
    drag(page, roles("button", name="Focus from 0.3"), -400)
    assert page.js("() => film.decisions[1].at_s") == 0.3  # it is known from there on


def drag(page, dot, by_px):
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + by_px, y, steps=3)
    page.page.mouse.up()
