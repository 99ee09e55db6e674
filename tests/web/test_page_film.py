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
    assert page.js("() => pullfocus.film.decisions.length") == 1
    page.page.get_by_role("button", name="Close walk.mp4").click()
    page.until("() => pullfocus.view === 'home' && pullfocus.film === null")
