"""The page from drop to saved file, by mouse, touch and keyboard, in Debian's Chromium."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from pullfocus.pipeline import Sidecar, refocus

pytestmark = pytest.mark.browser


def pixels(path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def canvas_pixels(page) -> np.ndarray:
    import base64

    url = page.js("() => pullfocus.picture.renderer.canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB"))


def test_home_offers_three_samples_and_says_pictures_stay(new_page):
    page = new_page()
    page.enter()
    assert page.page.locator("[data-sample]").count() == 3
    assert "never leave" in page.page.locator(".private").inner_text()
    page.keep("home")


def test_drop_click_save_equals_the_command_line(page, photo_file, tmp_path):
    """The whole flow: the saved file has the pixels that the CLI makes from the same sidecar."""
    assert page.js("() => document.body.dataset.renderer") == "gpu"
    page.keep("first-picture")
    page.page.mouse.click(*page.spot(0.35, 0.55))
    page.until("() => pullfocus.photo.edit.past.length === 1")
    assert page.settings["at"] == pytest.approx([0.35, 0.55], abs=0.01)
    page.page.get_by_role("slider", name="Aperture").fill("0.12")
    page.page.get_by_role("radio", name="7 blades").click()
    page.until("() => pullfocus.photo.edit.now.blades === 7")
    page.keep("focused")
    sidecar = page.js("() => pullfocus.photo.edit.toText()")
    page.page.keyboard.press("s")
    page.keep("save")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="The picture, at full resolution").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == "still life.refocused.png"
    settings = Sidecar.from_json(json.loads(sidecar)).settings
    assert settings.f_number < 1.5
    refocus(photo_file, settings=settings, output=tmp_path / "cli.png")
    assert np.array_equal(pixels(saved), pixels(tmp_path / "cli.png"))
    assert not np.array_equal(pixels(saved), pixels(photo_file))


def test_what_the_page_shows_is_what_is_saved(page, tmp_path):
    page.page.mouse.click(*page.spot(0.8, 0.4))
    page.until("() => pullfocus.photo.edit.past.length === 1")
    page.page.wait_for_timeout(600)
    page.page.keyboard.press("s")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="The picture, at full resolution").click()
    download.value.save_as(tmp_path / "saved.png")
    page.js("() => pullfocus.picture.renderHere()")
    difference = canvas_pixels(page).astype(float) - pixels(tmp_path / "saved.png")
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 38


def test_dragging_moves_the_focus_as_one_step(page):
    start, end = page.spot(0.2, 0.5), page.spot(0.9, 0.2)
    page.page.mouse.move(*start)
    page.page.mouse.down()
    planes = []
    for part in np.linspace(0, 1, 6):
        page.page.mouse.move(*(np.array(start) * (1 - part) + np.array(end) * part))
        planes.append(page.settings["focus_disparity"])
    page.page.mouse.up()
    assert len({round(plane, 3) for plane in planes}) > 2
    assert page.js("() => pullfocus.photo.edit.past.length") == 1
    assert page.settings["at"] == pytest.approx([0.9, 0.2], abs=0.02)


def test_double_click_pulls_the_focus(page):
    before = page.settings["focus_disparity"]
    seen = []
    page.js(
        """() => { window.planes = []; const p = pullfocus.picture, f = p.renderHere.bind(p);
        p.renderHere = () => { f(); window.planes.push(p.planeShown); }; }"""
    )
    page.page.mouse.dblclick(*page.spot(0.9, 0.1))
    page.until(
        "() => window.planes.length > 3"
        " && window.planes.at(-1) === pullfocus.photo.edit.now.focus_disparity"
    )
    seen = page.js("() => window.planes")
    after = page.settings["focus_disparity"]
    low, high = sorted((before, after))
    assert any(low + 0.02 < plane < high - 0.02 for plane in seen), (before, after, seen)
    assert seen[-1] == pytest.approx(after)


def test_focus_by_keyboard_alone(page):
    page.page.locator("canvas.view").focus()
    at = page.settings["at"]
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.page.keyboard.press(key)
    assert page.settings["at"] == at
    page.keep("cross")
    page.page.keyboard.press("Enter")
    assert page.settings["at"] == pytest.approx([at[0] - 0.02, at[1] + 0.01], abs=1e-4)
    assert "near" in page.page.locator("#said").inner_text()
    f_number = page.settings["f_number"]
    page.page.keyboard.press("]")
    assert page.settings["f_number"] > f_number
    page.page.keyboard.press("d")
    assert page.js("() => pullfocus.looks.depth")
    page.page.keyboard.press("d")
    page.page.keyboard.press("+")
    assert not page.js("() => pullfocus.stage.view.fitted")
    page.page.keyboard.press("0")
    assert page.js("() => pullfocus.stage.view.fitted")


def test_focus_by_touch_on_a_narrow_screen(new_page, photo_file):
    page = new_page(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page.enter()
    page.drop(photo_file)
    page.idle()
    page.keep("narrow")
    page.page.touchscreen.tap(*page.spot(0.75, 0.3))
    page.until("() => pullfocus.photo.edit.past.length === 1")
    assert page.settings["at"] == pytest.approx([0.75, 0.3], abs=0.02)
    assert page.js("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_aperture_is_told_as_an_f_number(page):
    slider = page.page.get_by_role("slider", name="Aperture")
    assert slider.get_attribute("aria-valuetext") == "f/1.8"
    slider.focus()
    page.page.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext") == "f/22"


def test_undo_redo_reset(page):
    start = page.settings
    page.page.mouse.click(*page.spot(0.8, 0.2))
    page.page.get_by_role("radio", name="6 blades").click()
    assert page.settings["blades"] == 6
    page.page.keyboard.press("Control+z")
    assert page.settings["blades"] == 0
    page.page.keyboard.press("Control+z")
    assert page.settings == start
    page.page.keyboard.press("Control+Shift+z")
    page.page.keyboard.press("Control+Shift+z")
    assert page.settings["blades"] == 6
    page.page.get_by_role("button", name="Reset").click()
    assert page.settings == start


def test_settings_as_text_go_out_and_in(page):
    page.page.get_by_role("button", name="Settings as text").click()
    area = page.page.locator("dialog textarea")
    told = json.loads(area.input_value())
    assert told["sidecar_version"] == 1
    told["settings"] = {"f_number": 4.0, "at": [0.35, 0.55]}
    area.fill(json.dumps(told))
    page.page.get_by_role("button", name="Apply").click()
    page.until("() => pullfocus.photo.edit.now.f_number === 4 && !document.querySelector('dialog')")
    page.page.get_by_role("button", name="Settings as text").click()
    page.page.locator("dialog textarea").fill('{"settings": {"nonsense": 1}}')
    page.page.get_by_role("button", name="Apply").click()
    page.until("() => document.querySelector('dialog [role=alert]').innerText.includes('nonsense')")
    assert page.settings["at"] == [0.35, 0.55]
    plane = page.js("() => pullfocus.photo.disparityAt(0.35, 0.55)")
    assert page.settings["focus_disparity"] == pytest.approx(plane, abs=1e-3)


def test_a_sharp_range_by_its_handles(page):
    page.page.get_by_label("Keep a range sharp").check()
    near, far = page.settings["range"]
    assert far <= page.settings["focus_disparity"] <= near
    handle = page.page.get_by_role("slider", name="Far end of the sharp range")
    handle.focus()
    page.page.keyboard.press("Home")
    assert page.settings["range"] == pytest.approx([near, 0], abs=1e-6)
    page.page.get_by_label("Keep a range sharp").uncheck()
    assert page.settings["range"] is None


def test_a_handle_is_held_where_it_was_taken(page):
    before = page.settings
    box = page.page.get_by_role("slider", name="Focus distance").bounding_box()
    wide = page.page.locator(".depth-scale").bounding_box()["width"]
    x, y = box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2
    page.page.mouse.click(x, y)
    assert page.settings == before
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x - 40, y, steps=4)
    page.page.mouse.up()
    moved = page.settings["focus_disparity"] - before["focus_disparity"]
    assert moved == pytest.approx(-40 / wide, abs=0.005)


def test_before_and_after(page):
    page.page.keyboard.press("c")
    divider = page.page.get_by_role("slider", name="Divider between original and result")
    assert divider.get_attribute("aria-valuenow") == "50"
    page.keep("divider")
    divider.focus()
    page.page.keyboard.press("ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "52"
    page.page.locator("canvas.view").focus()
    page.page.keyboard.down(" ")
    assert page.js("() => pullfocus.stage.holdOriginal")
    page.page.keyboard.up(" ")
    assert not page.js("() => pullfocus.stage.holdOriginal")


def test_classic_styles_are_rendered_by_the_program(page):
    before = page.js("() => Number(document.body.dataset.rendered)")
    page.page.get_by_role("radio", name="Classic").click()
    page.until(f"() => Number(document.body.dataset.rendered) > {before}")
    page.page.get_by_label("Blur").select_option("median")
    assert page.settings["method"] == "median"
    page.keep("classic")


def test_a_page_without_webgl_shows_the_same(new_page, server, photo_file):
    page = new_page()
    page.enter()
    page.page.goto(server.url + "/?server")
    page.page.wait_for_selector("body[data-ready]")
    page.drop(photo_file)
    page.idle()
    assert page.js("() => document.body.dataset.renderer") == "server"
    count = page.js("() => Number(document.body.dataset.rendered)")
    page.page.mouse.click(*page.spot(0.8, 0.2))
    page.until(f"() => Number(document.body.dataset.rendered) > {count}")


def test_little_motion_is_respected(new_page, photo_file):
    """A double click jumps, and nothing on the page slides or fades."""
    page = new_page(reduced_motion="reduce")
    page.enter()
    page.drop(photo_file)
    page.idle()
    page.js(
        """() => { window.planes = []; const p = pullfocus.picture, f = p.renderHere.bind(p);
        p.renderHere = () => { f(); window.planes.push(p.planeShown); }; }"""
    )
    before = page.settings["focus_disparity"]
    page.page.mouse.dblclick(*page.spot(0.9, 0.1))
    page.until("() => window.planes.at(-1) === pullfocus.photo.edit.now.focus_disparity")
    after = page.settings["focus_disparity"]
    ends = {before, after, page.js("() => pullfocus.photo.disparityAt(0.9, 0.1)")}
    assert after != before
    for plane in page.js("() => window.planes"):
        assert min(abs(plane - end) for end in ends) < 0.01
    styles = page.js(
        """() => [...document.querySelectorAll('*')].map((element) => getComputedStyle(element))
          .map((style) => [style.transitionDuration, style.animationName].join())"""
    )
    assert set(styles) == {"0s,none"}


def test_the_divider_follows_the_hand(page):
    page.page.keyboard.press("c")
    x, y = page.spot(0.5, 0.5)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(*page.spot(0.25, 0.6), steps=4)
    page.page.mouse.up()
    assert page.js("() => pullfocus.stage.divider") == pytest.approx(0.25, abs=0.02)
    assert page.js("() => pullfocus.photo.edit.past.length") == 0


def test_the_window_is_resized_while_a_finger_is_down(page):
    page.page.mouse.move(*page.spot(0.3, 0.5))
    page.page.mouse.down()
    page.page.mouse.move(*page.spot(0.4, 0.5), steps=2)
    page.page.set_viewport_size({"width": 700, "height": 500})
    page.until("() => pullfocus.stage.view.width === 700")
    page.page.mouse.move(*page.spot(0.8, 0.3), steps=2)
    page.page.mouse.up()
    assert page.settings["at"] == pytest.approx([0.8, 0.3], abs=0.02)
    assert page.js("() => pullfocus.photo.edit.past.length") == 1
    assert page.js("() => document.documentElement.scrollWidth <= innerWidth")


def test_tapping_faster_than_it_can_draw(page):
    """Many clicks in odd places: the last one counts, all can be taken back."""
    start = page.settings
    spots = [(0.1 + 0.1 * k, 0.9 - 0.1 * k) for k in range(8)]
    for spot in spots:
        page.page.mouse.click(*page.spot(*spot))
    page.page.mouse.click(2, 300)  # beside the photo
    assert page.settings["at"] == pytest.approx(spots[-1], abs=0.01)
    for _ in range(20):
        page.page.keyboard.press("Control+z")
    assert page.settings == start


def test_frames_on_subjects_focus_where_they_are_tapped(page):
    """And with several people, one button keeps all of them sharp."""
    page.js(  # nobody in the picture, whatever the network of the day believes to see
        """() => { const {depthInfo} = pullfocus.photo;
          depthInfo.subjects = depthInfo.subjects.map((one) => ({...one, kind: 'nearest'}));
          pullfocus.refresh(); }"""
    )
    assert page.page.locator(".frames").is_hidden()
    page.page.locator("canvas.view").focus()
    page.page.keyboard.press("f")
    last = page.js("() => pullfocus.photo.depthInfo.subjects.at(-1)")
    page.page.locator(f"[data-subject='{last['id']}'] button").click()
    assert page.settings["at"] == pytest.approx([last["x"], last["y"]])
    assert page.settings["range"] == pytest.approx([last["near"], last["far"]])
    page.keep("frames")
    page.js(
        """() => { const {depthInfo} = pullfocus.photo, one = depthInfo.subjects[0];
          depthInfo.subjects = [[0.8, 0.7], [0.4, 0.3]].map(([near, far], k) => ({...one,
            id: `#${k + 1}`, kind: 'person', near, far}));
          pullfocus.refresh(); }"""
    )
    page.page.get_by_role("button", name="Keep everyone sharp").click()
    assert page.settings["range"] == [0.8, 0.3]
    page.page.keyboard.press("f")
    assert page.page.locator(".frames").is_hidden()
