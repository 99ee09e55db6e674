"""The depth view, its loupe and peaking, and the brush that mends the map."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytestmark = pytest.mark.browser


def mean(page, left, top, right, bottom) -> float:
    return page.js(
        """([l, t, r, b]) => { const d = pullfocus.photo.depth; let sum = 0, n = 0;
          for (let y = Math.floor(t * d.height); y < b * d.height; y++)
            for (let x = Math.floor(l * d.width); x < r * d.width; x++) {
              sum += d.data[y * d.width + x]; n += 1; }
          return sum / n; }""",
        [left, top, right, bottom],
    )


def stroke(page, *points) -> None:
    page.page.mouse.move(*page.spot(*points[0]))
    page.page.mouse.down()
    for point in points:
        page.page.mouse.move(*page.spot(*point), steps=3)
    page.page.mouse.up()


def test_depth_view_and_loupe(page):
    page.page.keyboard.press("d")
    page.page.mouse.move(*page.spot(0.5, 0.5))
    page.page.wait_for_selector(".loupe:not([hidden])")
    assert "near" in page.page.locator(".loupe b").inner_text()
    page.keep("depth")
    page.page.mouse.click(*page.spot(0.7, 0.7))
    assert page.settings["at"] == pytest.approx([0.7, 0.7], abs=0.01)


def test_peaking(page):
    page.page.keyboard.press("p")
    share = page.js(
        """() => { const c = pullfocus.stage.peaking, d = c.getContext('2d')
          .getImageData(0, 0, c.width, c.height).data; let n = 0;
          for (let i = 3; i < d.length; i += 4) n += d[i] > 20;
          return n / (d.length / 4); }"""
    )
    assert 0 < share < 0.9
    page.keep("peaking")


@pytest.mark.parametrize("tool", ["nearer", "farther"])
def test_brush_and_undo(page, tool):
    page.page.keyboard.press("b")
    page.page.locator(f"[data-tool={tool}]").click()
    area = (0.45, 0.45, 0.55, 0.55)
    before = mean(page, *area)
    stroke(page, (0.5, 0.5), (0.52, 0.5), (0.48, 0.52), (0.5, 0.48), (0.5, 0.5))
    after = mean(page, *area)
    assert (after - before) * (1 if tool == "nearer" else -1) > 0.01
    page.keep(f"brush-{tool}")
    page.page.keyboard.press("Control+z")
    assert mean(page, *area) == pytest.approx(before, abs=1e-6)
    page.page.keyboard.press("Control+Shift+z")
    assert mean(page, *area) == pytest.approx(after, abs=1e-6)


def test_smooth_snap_and_fill(page):
    page.page.keyboard.press("b")
    page.js(
        """() => { const d = pullfocus.photo.depth; let s = 9;
          for (let i = 0; i < d.data.length; i++) { s = (s * 16807) % 2147483647;
            d.data[i] = s / 2147483647; } pullfocus.photo.depthChanged(); }"""
    )
    spread = """() => { const d = pullfocus.photo.depth; let a = 0, b = 0, n = 0;
      for (let y = 70; y < 90; y++) for (let x = 110; x < 130; x++) {
        const v = d.data[y * d.width + x]; a += v; b += v * v; n += 1; }
      return Math.sqrt(b / n - (a / n) ** 2); }"""
    noisy = page.js(spread)
    page.page.locator("[data-tool=smooth]").click()
    stroke(page, (0.5, 0.5), (0.51, 0.5), (0.49, 0.51), (0.5, 0.49), (0.5, 0.5))
    smooth = page.js(spread)
    assert smooth < noisy * 0.75
    page.page.locator("[data-tool=snap]").click()
    stroke(page, (0.5, 0.5), (0.51, 0.5), (0.49, 0.51))
    assert page.js(spread) < smooth
    page.page.locator("[data-tool=fill]").click()
    stroke(page, (0.6, 0.1), (0.9, 0.4))
    assert mean(page, 0.65, 0.15, 0.85, 0.35) > 0.6


def test_the_brush_changes_the_saved_picture_and_depth(page, tmp_path):
    page.page.keyboard.press("b")
    stroke(page, (0.8, 0.3), (0.82, 0.32), (0.78, 0.3), (0.8, 0.28))
    page.page.keyboard.press("b")
    page.page.keyboard.press("s")
    page.page.locator("dialog select").nth(2).select_option("npy")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="The depth map").click()
    file = tmp_path / "depth.npy"
    download.value.save_as(file)
    shown = np.array(page.js("() => Array.from(pullfocus.photo.depth.data)")).reshape(160, 240)
    saved = np.load(io.BytesIO(file.read_bytes()))
    assert np.abs(saved - shown).max() < 1e-4
    assert page.js("() => pullfocus.photo.depth.data.some((v, i) => v !== pullfocus.photo.base[i])")


def test_an_edited_depth_travels_with_the_settings(page, photo_file, tmp_path):
    """The saved sidecar names the saved depth map, and replays to the same pixels."""
    from PIL import Image

    from pullfocus.pipeline import read_sidecar, refocus

    page.page.keyboard.press("b")
    stroke(page, (0.8, 0.3), (0.82, 0.32), (0.78, 0.3), (0.8, 0.28), (0.8, 0.3))
    page.page.keyboard.press("b")
    page.page.mouse.click(*page.spot(0.35, 0.5))
    files = {}
    for button, count in (("Save: The settings", 2), ("The picture, at full resolution", 1)):
        page.page.keyboard.press("s")
        downloads: list = []

        def note(one, downloads=downloads):
            downloads.append(one)

        page.page.on("download", note)
        page.page.get_by_role("button", name=button).click()
        for _ in range(400):
            if len(downloads) >= count:
                break
            page.page.wait_for_timeout(50)
        page.page.remove_listener("download", note)
        for one in downloads:
            path = tmp_path / one.suggested_filename
            one.save_as(path)
            files[path.suffix] = path
    assert set(files) == {".exr", ".json", ".png"}
    settings = read_sidecar(files[".json"]).settings
    assert settings.depth_file.endswith("still life.depth.exr")
    refocus(photo_file, settings=settings, output=tmp_path / "cli.png")
    saved, replayed = (
        np.asarray(Image.open(file)) for file in (files[".png"], tmp_path / "cli.png")
    )
    assert np.array_equal(saved, replayed)


def test_brush_by_keyboard(page):
    page.page.locator("canvas.view").focus()
    page.page.keyboard.press("b")
    for _ in range(3):
        page.page.keyboard.press("ArrowUp")
    x, y = page.js("() => [pullfocus.focusing.cross.x, pullfocus.focusing.cross.y]")
    before = mean(page, x - 0.01, y - 0.01, x + 0.01, y + 0.01)
    page.page.locator("[data-tool=farther]").click()
    page.page.locator("canvas.view").focus()
    page.page.keyboard.press("Enter")
    assert mean(page, x - 0.01, y - 0.01, x + 0.01, y + 0.01) < before - 0.005


def test_other_depth_is_fetched_and_undone(page):
    page.js("() => pullfocus.photo.edit.set({focus_disparity: 0.55, range: [0.6, 0.4]})")
    before = page.js("() => Array.from(pullfocus.photo.depth.data.slice(0, 999))")
    page.page.locator("summary", has_text="Depth").click()
    page.page.get_by_label("Snap depth to edges").uncheck()
    page.until("() => pullfocus.photo.depthOf.endsWith('false') && pullfocus.progress.card.hidden")
    after = page.js("() => Array.from(pullfocus.photo.depth.data.slice(0, 999))")
    assert before != after
    assert page.settings["range"] is None
    page.page.keyboard.press("Control+z")
    page.until("() => pullfocus.photo.depthOf.endsWith('true') && pullfocus.progress.card.hidden")
    assert page.js("() => Array.from(pullfocus.photo.depth.data.slice(0, 999))") == before
    assert [page.settings[name] for name in ("range", "focus_disparity")] == [[0.6, 0.4], 0.55]
    page.js(  # what comes from elsewhere has its own focus for the depth that it asks for
        """async (text) => { const { replay } = await import('/static/js/bringing.js');
          await replay(pullfocus, text); }""",
        '{"refine": false, "focus_disparity": 0.3, "range": [0.5, 0.2]}',
    )
    page.until("() => pullfocus.photo.depthOf.endsWith('false') && pullfocus.progress.card.hidden")
    assert [page.settings[name] for name in ("range", "focus_disparity")] == [[0.5, 0.2], 0.3]


SAVED = """async (id) => {
    const { call } = await import('/static/js/api.js');
    const answer = await call(`/api/photos/${id}/disparity.f32`);
    return Array.from(new Float32Array(await answer.arrayBuffer())); }"""


def test_strokes_outlast_another_depth(page):
    """Those before it and after it are all on the server, and can all be taken back."""
    refine = page.page.get_by_label("Snap depth to edges")
    plain = np.array(page.js("() => Array.from(pullfocus.photo.depth.data)"))
    page.page.locator("summary", has_text="Depth").click()
    page.page.keyboard.press("b")
    page.page.locator("[data-tool=farther]").click()
    stroke(page, (0.8, 0.4), (0.82, 0.42))
    for way in ("uncheck", "check"):
        getattr(refine, way)()
        query = f"pullfocus.photo.depthQuery === 'refine={str(way == 'check').lower()}'"
        page.until(f"() => {query} && pullfocus.progress.card.hidden")
    stroke(page, (0.35, 0.55), (0.37, 0.57))
    page.js("() => pullfocus.depths.settle()")
    shown = np.array(page.js("() => Array.from(pullfocus.photo.depth.data)"))
    page.until("() => !pullfocus.photo.unsent")
    saved = np.array(page.js(SAVED, page.js("() => pullfocus.photo.id")))
    strokes = np.abs(saved - plain).reshape(160, 240) > 1e-3
    assert strokes[60:70, 190:200].any()
    assert strokes[85:95, 82:92].any()
    assert np.abs(saved - shown).max() < 1e-4
    page.page.get_by_role("button", name="Clear edits").click()
    page.js("() => pullfocus.depths.settle()")
    saved = np.array(page.js(SAVED, page.js("() => pullfocus.photo.id")))
    assert np.abs(saved - plain).max() < 1e-6


def test_a_depth_file_of_ones_own(page, depth_npy, tmp_path):
    file = tmp_path / "own.npy"
    file.write_bytes(depth_npy)
    page.page.locator("summary", has_text="Depth").click()
    page.page.locator("#panel input[type=file]").set_input_files(file)
    page.until("() => pullfocus.photo.ownDepth && pullfocus.progress.card.hidden")
    assert mean(page, 0.3, 0.5, 0.4, 0.6) == pytest.approx(0.9, abs=0.01)
    page.page.get_by_role("button", name="Back to the model").click()
    page.until("() => !pullfocus.photo.ownDepth && pullfocus.progress.card.hidden")
    assert mean(page, 0.3, 0.5, 0.4, 0.6) != pytest.approx(0.9, abs=0.001)
