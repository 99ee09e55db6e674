"""What can go wrong round the page: broken files, cancel, two tabs, a restart; living photos."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pullfocus.web.redirect_file import RedirectFile

pytestmark = pytest.mark.browser


def test_a_broken_upload_gets_a_sentence(new_page, tmp_path):
    page = new_page()
    page.enter()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no photo at all")
    page.drop(broken)
    page.page.wait_for_selector(".toast.bad")
    assert len(page.page.locator(".toast.bad p").inner_text()) > 20
    assert page.js("() => pullfocus.view") == "home"
    page.keep("broken")


def test_a_huge_upload_is_refused_before_it_is_sent(new_page, run_server, tmp_path):
    small = run_server(max_upload_mb=0.05)
    page = new_page(small)
    page.enter()
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(b"x" * 60_000)
    sent: list[str] = []
    page.page.on("request", lambda request: sent.append(request.url))
    page.drop(huge)
    page.page.wait_for_selector(".toast.bad")
    assert not [url for url in sent if "/api/photos" in url]
    assert "0.05 MB" in page.page.locator(".toast.bad p").inner_text()


def test_cancel_while_depth_is_worked_out(new_page, server, photo_file):
    import threading

    gate = threading.Event()
    queue = server.app.state.context.queue
    blocker = queue.submit("block", "someone", lambda _: gate.wait(20))
    page = new_page()
    page.enter()
    page.drop(photo_file)
    page.page.wait_for_selector(".progress:not([hidden])")
    assert page.page.get_by_role("progressbar").get_attribute("aria-valuenow") is not None
    page.keep("progress")
    page.page.get_by_role("button", name="Cancel").click()
    page.page.wait_for_selector(".toast")
    gate.set()
    blocker.future.result(5)
    page.until("() => pullfocus.photos.length === 0 && pullfocus.view === 'home'")


def test_two_tabs_do_not_disturb_each_other(new_page, photo_file):
    pages = [new_page(), new_page()]
    for page in pages:
        page.enter()
        page.drop(photo_file)
    for page in pages:
        page.idle()
    pages[0].page.mouse.click(*pages[0].spot(0.35, 0.5))
    pages[1].page.mouse.click(*pages[1].spot(0.9, 0.1))
    ids = [page.js("() => pullfocus.photo.id") for page in pages]
    assert ids[0] != ids[1]
    assert pages[0].settings["focus_disparity"] != pages[1].settings["focus_disparity"]


def test_a_filmstrip_of_several(page, photo_file, tmp_path):
    other = tmp_path / "other.png"
    Image.open(photo_file).rotate(180).save(other)
    page.drop(other)
    page.until("() => pullfocus.photos.length === 2 && pullfocus.progress.card.hidden")
    assert page.page.locator("#strip .shot").count() == 2
    page.keep("filmstrip")
    page.page.keyboard.press("PageUp")
    assert page.js("() => pullfocus.photo.name") == photo_file.name
    page.page.locator("#strip .close").last.click()
    page.until("() => pullfocus.photos.length === 1")
    assert page.page.locator("#strip").is_hidden()


def test_a_restart_under_an_open_page_is_told(new_page, run_server, photo_file):
    from pullfocus.web.config import ServerConfig

    first = run_server()
    page = new_page(first)
    page.enter()
    page.drop(photo_file)
    page.idle()
    first.stop()
    page.page.keyboard.press("s")
    page.page.get_by_role("button", name="The picture, at full resolution").click()
    page.page.wait_for_selector(".toast.bad")
    assert "still running" in page.page.locator(".toast.bad p").inner_text()
    second = run_server(port=first.port)
    assert isinstance(second.config, ServerConfig)
    page.page.keyboard.press("s")
    page.page.get_by_role("button", name="The picture, at full resolution").click()
    page.page.wait_for_selector(".gone")
    assert "focus_disparity" in page.page.locator(".gone textarea").input_value()
    page.keep("restarted")


def test_a_living_photo_refocuses_from_disk(page, new_page, tmp_path):
    page.page.keyboard.press("s")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name="A living photo").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "still life.living.html"
    text = file.read_text()
    assert "http://" not in text.replace("http://www.w3.org", "")
    living = new_page(door=file.as_uri())
    asked: list[str] = []
    living.page.on("request", lambda request: asked.append(request.url))
    living.page.goto(file.as_uri())
    living.page.wait_for_selector("body[data-rendered]")

    def shown() -> np.ndarray:
        data = living.page.locator("#photo").screenshot()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)

    living.page.wait_for_timeout(300)
    before = shown()
    living.keep("living")
    box = living.page.locator("#photo").bounding_box()
    living.page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.15)
    living.page.wait_for_timeout(2500)
    assert np.abs(shown() - before).mean() > 0.5
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)


@pytest.fixture
def fine_file(tmp_path):
    """A photo with detail that its preview does not hold."""
    y, x = np.mgrid[:600, :900]
    fine = np.where((x + y) % 2 == 0, 220, 40).astype(np.uint8)
    file = tmp_path / "fine.png"
    Image.fromarray(np.dstack([fine] * 3)).save(file)
    return file


def test_detail_is_that_of_the_photo_that_is_shown(new_page, fine_file, photo_file):
    page = new_page()
    page.enter()
    for file in (photo_file, fine_file):
        page.drop(file)
        page.idle()
    page.page.keyboard.press("1")
    page.until("() => pullfocus.stage.patch !== null")
    held = []
    page.page.route("**/colour.png?*", lambda route: held.append(route))  # noqa: PLW0108
    page.js("() => { pullfocus.detail.held = null; pullfocus.detail.ask(); }")
    while not held:
        page.page.wait_for_timeout(30)
    page.page.keyboard.press("PageUp")  # to the small photo, while the part is on its way
    for route in held:
        route.continue_()
    page.page.unroute("**/colour.png?*")
    page.page.wait_for_timeout(700)
    assert page.js("() => pullfocus.stage.patch") is None
    page.page.keyboard.press("PageDown")
    page.page.keyboard.press("1")
    page.until("() => pullfocus.stage.patch !== null")


def test_zoom_shows_the_full_resolution(new_page, server, fine_file):
    page = new_page()
    page.enter()
    page.drop(fine_file)
    page.idle()
    assert page.js("() => pullfocus.stage.patch === null")
    page.js("() => pullfocus.photo.edit.set({f_number: 200})")
    page.page.keyboard.press("1")
    page.until("() => pullfocus.stage.patch !== null")
    assert page.js("() => pullfocus.stage.patch.image.width") > 320
    page.keep("zoomed")
    contrast = page.js(
        """() => { const c = pullfocus.stage.patch.image, d = c.getContext('2d')
          .getImageData(c.width / 2, c.height / 2, 20, 20).data;
          let least = 255, most = 0;
          for (let i = 0; i < d.length; i += 4) {
            least = Math.min(least, d[i]); most = Math.max(most, d[i]); }
          return most - least; }"""
    )
    assert contrast > 120


def test_without_the_token_the_page_says_what_to_do(new_page, server):
    page = new_page(door=server.url + "/")
    page.page.goto(page.door)
    assert "lacks the token" in page.page.locator("h1").inner_text()


def test_a_link_without_the_token_says_what_to_do(new_page, server):
    """From another site even the cookie that lets in is not sent: the page's script must ask."""
    opened = RedirectFile(server.url + "/")
    page = new_page(door=opened.address)
    page.page.goto(page.door)
    page.page.wait_for_selector(".gone")
    assert "Open the address" in page.page.locator(".gone").inner_text()
    opened.remove()


def test_a_lost_gpu_lets_the_program_render(page):
    page.js(
        "() => pullfocus.picture.renderer.context.gl.getExtension('WEBGL_lose_context')"
        ".loseContext()"
    )
    page.until("() => pullfocus.picture.renderer === null")
    count = page.js("() => Number(document.body.dataset.rendered)")
    page.page.mouse.click(*page.spot(0.8, 0.2))
    page.until(f"() => Number(document.body.dataset.rendered) > {count}")


BUSY = """() => { window.told = {}; window.done = {};
    for (const name of ['a film', 'a photo']) pullfocus.progress.during(name, (tell, signal) => {
      told[name] = tell; signal.onabort = () => done[name]('stopped');
      return new Promise((end) => { done[name] = end; }); });
    window.said = 0;
    new MutationObserver(() => { said += 1; }).observe(document.getElementById('said'),
      { childList: true });
    for (let n = 1; n < 9; n++) told['a photo'](n / 9, `frame ${n} of 9`); }"""


def test_two_works_at_once_are_both_shown_and_said_once(new_page):
    page = new_page()
    page.enter()
    page.js("() => { pullfocus.stageRoot.hidden = false; }")
    page.js(BUSY)
    card = page.page.locator(".progress")
    assert "a photo" in card.inner_text()
    assert "frame 8 of 9" in card.inner_text()
    page.until("() => said > 0")
    assert page.js("() => [said, document.getElementById('said').textContent]") == [
        1,
        "a photo: frame 1 of 9",
    ]
    page.js("() => told['a film'](0.5, 'frame 3 of 6')")
    assert "a photo" in card.inner_text()
    for name, left in (("a photo", "frame 3 of 6"), ("a film", None)):
        assert name in card.inner_text()
        card.get_by_role("button", name="Cancel").click()
        page.until(f"() => pullfocus.progress.works.every((one) => one.title !== '{name}')")
        assert card.is_visible() == (left is not None)
        assert left is None or left in card.inner_text()


def test_leaving_asks_while_something_is_unsaved(page):
    """Reloading by mistake must not cost an evening's decisions; one that is saved is no loss."""
    asked = []

    def answer(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.page.on("dialog", answer)
    page.page.mouse.click(*page.spot(0.7, 0.4))
    page.until("() => pullfocus.photo.edit.past.length === 1")
    page.js("() => { setTimeout(() => location.reload(), 0); }")
    while not asked:
        page.page.wait_for_timeout(30)
    assert asked == ["beforeunload"]
    page.page.keyboard.press("s")
    with page.page.expect_download():
        page.page.get_by_role("button", name="Save: The settings").click()
    with page.page.expect_navigation():
        page.js("() => { setTimeout(() => location.reload(), 0); }")
    page.page.wait_for_selector("body[data-ready]")
    assert asked == ["beforeunload"]


def test_a_closed_tab_closes_its_photos(new_page, server, photo_file):
    page = new_page()
    page.enter()
    page.drop(photo_file)
    page.idle()
    id_ = page.js("() => pullfocus.photo.id")
    page.page.goto("about:blank")
    import time

    for _ in range(50):
        if server.app.state.context.store.find(id_) is None:
            break
        time.sleep(0.1)
    assert server.app.state.context.store.find(id_) is None


def test_zoom_by_wheel_and_pinch_and_pan(new_page, photo_file):
    page = new_page(has_touch=True)
    page.enter()
    page.drop(photo_file)
    page.idle()
    fitted = page.js("() => pullfocus.stage.view.scale")
    page.page.mouse.move(*page.spot(0.5, 0.5))
    page.page.mouse.wheel(0, -300)
    page.until(f"() => pullfocus.stage.view.scale > {fitted} * 1.2")
    page.page.keyboard.press("0")
    assert page.js("() => pullfocus.stage.view.scale") == fitted
    focus = page.settings["at"]
    x, y = page.spot(0.5, 0.5)
    wire = page.page.context.new_cdp_session(page.page)

    def touch(kind: str, *gaps: float) -> None:
        points = [{"x": x + gap, "y": y, "id": k} for k, gap in enumerate(gaps)]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    for gap in (50, 65, 80, 100):
        touch("touchMove", -gap, gap)
    touch("touchEnd")
    page.until(f"() => pullfocus.stage.view.scale > {fitted} * 1.3")
    before = page.js("() => pullfocus.stage.view.x")
    page.page.locator("canvas.view").focus()
    page.page.keyboard.press("Shift+ArrowRight")
    assert page.js("() => pullfocus.stage.view.x") != before
    assert page.settings["at"] == focus  # two fingers focus nowhere, and paint nothing
    assert page.js("() => pullfocus.photo.edit.past.length") == 0
    page.page.keyboard.press("b")
    touch("touchStart", -40)
    touch("touchStart", -40, 40)
    touch("touchEnd")
    clean = "() => pullfocus.photo.depth.data.every((v, i) => v === pullfocus.photo.base[i])"
    assert page.js(clean)
    assert page.js("() => pullfocus.photo.edit.past.length") == 0
