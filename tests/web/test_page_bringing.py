"""How photos come in and go: pasted, several at once, closed too early; and the way back."""

from __future__ import annotations

import pytest
from PIL import Image

pytestmark = pytest.mark.browser

PASTE = """async ([data, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(data)], 'image.png', {type}));
  document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer,
    bubbles: true, cancelable: true}));
}"""


def test_a_pasted_picture_is_opened(new_page, photo_bytes):
    page = new_page()
    page.enter()
    page.js(PASTE, [list(photo_bytes), "image/png"])
    page.idle()
    assert page.js("() => pullfocus.photo.name") == "image.png"
    first = page.js("() => pullfocus.tools.hint.textContent")
    assert first == "Click anything in the photo to focus there."
    assert page.js("() => [pullfocus.photo.view.width, pullfocus.photo.view.height]") == [240, 160]


def test_pasted_text_is_none_of_its_business(page):
    page.js(
        """() => { const data = new DataTransfer(); data.setData('text/plain', 'hello');
          document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data,
            bubbles: true, cancelable: true})); }"""
    )
    page.page.wait_for_timeout(200)
    assert page.js("() => pullfocus.photos.length") == 1
    assert page.page.locator(".toast").count() == 0


def test_several_chosen_at_once_and_one_of_them_broken(new_page, photo_file, tmp_path):
    files = [photo_file, tmp_path / "broken.jpg", tmp_path / "other.png"]
    files[1].write_bytes(b"\xff\xd8\xff\xe0 no photo")
    Image.open(photo_file).rotate(180).save(files[2])
    page = new_page()
    page.enter()
    page.page.locator("body > input[type=file]").set_input_files(files)
    page.until("() => pullfocus.photos.length === 2 && pullfocus.progress.card.hidden")
    page.idle()
    assert page.js("() => pullfocus.photos.map((photo) => photo.name)") == [
        photo_file.name, "other.png",
    ]  # fmt: skip
    assert "broken.jpg" in page.page.locator(".toast.bad").inner_text()


def test_a_photo_closed_while_its_depth_is_worked_out(page, server, photo_file, tmp_path):
    """It goes without a word, and the other one stays."""
    import threading

    other = tmp_path / "other.png"
    Image.open(photo_file).rotate(180).save(other)
    gate = threading.Event()
    queue = server.app.state.context.queue
    page.page.route("**/depth", lambda route: (queue.submit("gate", "x", lambda _: gate.wait(20)),
                                               route.continue_()))  # fmt: skip
    page.drop(other)
    page.until("() => pullfocus.photos.length === 2")
    page.js("() => pullfocus.closePhoto(pullfocus.photos[1])")
    gate.set()
    page.until("() => pullfocus.progress.card.hidden")
    assert page.js("() => pullfocus.photos.map((photo) => photo.name)") == [photo_file.name]
    assert page.js("() => pullfocus.photo.name") == photo_file.name
    assert page.page.locator(".toast.bad").count() == 0


def test_the_way_home_and_back(page, photo_file):
    page.page.go_back()
    page.until("() => pullfocus.view === 'home'")
    assert page.page.locator("#stage").is_hidden()
    page.page.get_by_role("button", name=f"Back to {photo_file.name}").click()
    assert page.js("() => pullfocus.view") == "stage"
    page.page.locator(".brand").click()
    assert page.js("() => pullfocus.view") == "home"
    assert page.js("() => pullfocus.photos.length") == 1


def test_a_sample_is_focused_where_it_looks_best(new_page):
    page = new_page()
    page.enter()
    page.page.locator("[data-sample=hibiscus]").dblclick()
    page.idle()
    sample = page.js("() => pullfocus.info.samples.find((one) => one.name === 'hibiscus')")
    assert page.settings["at"] == [sample["x"], sample["y"]]
    plane = page.js("() => pullfocus.photo.disparityAt(...pullfocus.photo.edit.now.at)")
    assert page.settings["focus_disparity"] == plane
