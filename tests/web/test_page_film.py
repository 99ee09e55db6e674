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
    page.js("() => { for (const at_s of [0.1, 0.2]) pullfocus.film.seek(at_s); }")
    page.page.get_by_role("slider", name="Moment of the film").fill("0.3")
    page.until("() => Math.abs(pullfocus.film.at_s - 0.3) < 1e-6", seconds=180)
    page.until("() => !pullfocus.film.seeking", "another frame came after the last")
    page.idle()
    assert page.js("() => pullfocus.photos.length") == 1
    page.page.mouse.click(*page.spot(0.9, 0.1))
    assert page.page.get_by_role("group", name="Focus from 0.30 s on").is_visible()
    page.keep("film")
    script = page.js("() => pullfocus.film.script.content")
    assert [one["at_s"] for one in script["decisions"]] == pytest.approx([0, 0.3])
    assert script["subjects"]["Subject 2"]["point"] == pytest.approx([0.9, 0.1], abs=0.02)
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
    left = "() => [pullfocus.film.script.decisions.length, pullfocus.film.script.subjects.length]"
    assert page.js(left) == [1, 1]
    page.page.keyboard.press("Control+z")
    assert page.js(left) == [2, 2]
    page.page.keyboard.press("Control+z")  # what was tapped before the frame of 0.2 s
    assert page.js(left) == [1, 1]
    page.page.get_by_role("button", name="Close walk.mp4").click()
    page.until("() => pullfocus.view === 'home' && pullfocus.film === null")


@pytest.fixture
def film_page(new_page, clip_file):
    page = new_page()
    page.enter()
    page.drop(clip_file, "video/mp4")
    page.until("() => pullfocus.film?.photo && !pullfocus.film.root.hidden", seconds=180)
    page.idle()
    return page


def test_from_film_to_suggested_script_to_edited_to_saved(film_page, clip_file, tmp_path):
    from pullfocus.focus.script import read_script
    from pullfocus.video.job import FrameOptions
    from pullfocus.video.suggest import suggest_script

    page, roles = film_page, film_page.page.get_by_role
    save = roles("button", name="Save script")
    assert save.is_disabled()
    roles("button", name="Suggest").click()
    page.until("() => pullfocus.film.script.decisions.length > 0", seconds=180)
    expected = suggest_script(clip_file, FrameOptions())
    told = page.js("() => pullfocus.film.script.content")
    assert told == expected.model_dump(mode="json", exclude_none=True)
    for name in expected.subjects:
        assert roles("group", name=name, exact=True).count() == 1
    page.until(ABOVE, "the timeline lies over the frame")
    page.keep("film-suggested")
    assert not page.serious()
    dot = roles("button", name="Focus from 0.00 s on")
    dot.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.get_by_label("Weak").check()
    edited = page.js("() => pullfocus.film.script.content.decisions[0]")
    assert (edited["at_s"], edited["strength"]) == (pytest.approx(0.1), "weak")
    for _ in range(2):
        roles("button", name="Undo").click()
    assert page.js("() => pullfocus.film.script.content") == told
    for _ in range(2):
        roles("button", name="Redo").click()
    with page.page.expect_download() as download:
        save.click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.name == "walk.focus-script.json"
    assert read_script(saved).decisions[0].strength == "weak"
    page.page.keyboard.press("f")
    page.page.locator(".frame button").first.click()  # what the program found, and focused on
    assert page.js("() => pullfocus.film.script.decisions[0].at_s") == 0
    assert page.settings["range"] is None  # of this frame; the film would have it throughout
    roles("button", name="Undo").click()
    asked = []
    page.page.route("**/film", lambda route: (asked.append(route.request), route.abort()))
    page.page.keyboard.press("s")
    roles("button", name="Save: The film").click()
    page.until("() => pullfocus.progress.card.hidden")
    assert (
        read_script(saved).model_dump(mode="json", exclude_none=True)
        == (asked[0].post_data_json["script"])
    )


ABOVE = """() => { const { view } = pullfocus.stage;
  return view.toScreen(0, 1).y <= pullfocus.film.root.offsetTop; }"""
SCRIPT = """{"subjects": {"anna": {"at_s": 0.1, "box": [0.1, 0.2, 0.5, 0.9]}, "ben": {"person": 2}},
 "decisions": [{"at_s": 0.1, "focus": {"subject": "anna"}, "also": ["ben"], "range": [0.9, 0.5]},
               {"at_s": 0.4, "focus": {"disparity": 0.1}}],
 "apertures": [{"at_s": 0.3, "f_number": 4, "change_s": 0.1}]}"""


def test_a_script_is_opened_as_it_is_and_a_bad_one_is_told(film_page, tmp_path):
    from pullfocus.focus.script import FocusScript

    page, roles = film_page, film_page.page.get_by_role
    good, bad, none = (tmp_path / name for name in ("pull.json", "bad.json", "none.json"))
    good.write_text(SCRIPT)
    bad.write_text(SCRIPT.replace('"anna":', '"zoe":'))
    none.write_text("at 0 s on Anna")
    chosen = page.page.get_by_label("Open script").and_(page.page.locator("input"))
    chosen.set_input_files(bad)
    told = page.page.locator(".toast.bad").filter(has_text="bad.json is no focus script")
    assert "there is no subject 'anna'" in told.inner_text()
    chosen.set_input_files(none)
    page.page.get_by_text("none.json is no focus script: it is no JSON object").wait_for()
    assert page.js("() => pullfocus.film.script.content") is None
    page.drop(good, "application/json")
    page.until("() => pullfocus.film.script.decisions.length === 2")
    content = page.js("() => pullfocus.film.script.content")
    assert FocusScript.parse(content) == FocusScript.model_validate_json(SCRIPT)
    names = [roles("group", name=name, exact=True).count() for name in ("anna", "ben")]
    assert [*names, roles("group", name="A fixed distance").count()] == [1, 1, 1]
    roles("button", name="Focus from 0.10 s on").click()  # its frame, focused on her box
    page.until("() => pullfocus.film.at_s > 0.05 && pullfocus.photo?.edit.now.at", seconds=180)
    page.idle()
    assert page.settings["at"] == pytest.approx([0.3, 0.55])
    page.page.mouse.click(*page.spot(0.2, 0.4))  # within her box: no other subject
    assert page.js("() => pullfocus.film.script.subjects.length") == 2
    roles("button", name="Focus on anna from here on").focus()
    page.page.keyboard.press("Delete")
    left = page.js("() => pullfocus.film.script.content")
    assert [*left["subjects"]] == ["ben"]
    assert [one["focus"] for one in left["decisions"]] == [{"disparity": 0.1}]


LANES = """async () => {
    const { Film } = await import('/static/js/film.js');
    const app = { stageRoot: document.body, stage: { leaveRoom: () => {} } };
    window.film = new Film(app, { id: 'x', name: 'walk.mp4', start_s: 0, duration_s: 1 });
    film.seek = (at_s) => { film.at_s = at_s; };
    film.change((script) => { script.tap(0, [0.2, 0.6]); script.tap(0.3, [0.9, 0.1]); });
    film.at_s = 0.3;
}"""
"""A timeline of two subjects without a video behind it: nothing has to be decoded or estimated."""


def test_a_later_frame_has_the_depth_that_its_settings_ask_for(film_page):
    page = film_page
    page.page.locator("summary", has_text="Depth").click()
    page.page.get_by_label("Snap depth to edges").uncheck()
    page.until("() => pullfocus.photo.depthOf.endsWith('false') && pullfocus.progress.card.hidden")
    page.js("() => { pullfocus.film.seek(0.2); }")
    page.until("() => Math.abs(pullfocus.film.at_s - 0.2) < 1e-6", seconds=180)
    page.idle()
    assert page.settings["refine"] is False
    assert page.js("() => pullfocus.photo.depthQuery") == "refine=false"


def test_a_film_that_starts_late_is_scrubbed_in_its_own_time(new_page):
    """Its preview too, whether the browser counts from the first frame or from the file's zero."""
    page = new_page()
    page.enter()
    page.js(LANES.replace("start_s: 0", "start_s: 3"))
    slider = page.page.get_by_role("slider", name="Moment of the film")
    assert [slider.get_attribute(end) for end in ("min", "max")] == ["3", "4"]
    shown = """(duration) => { film.preview.video = { duration, pause: () => {} };
        film.preview.show(3.4); return [film.preview.video.currentTime, film.preview.at_s]; }"""
    assert page.js(shown, 4.01) == pytest.approx([3.4, 3.4])
    assert page.js(shown, 1.01) == pytest.approx([0.4, 3.4])
    page.js("() => film.change((script) => script.tap(3.5, [0.5, 0.5]))")
    dot = page.page.get_by_role("button", name="Focus from 3.50 s on")
    assert dot.evaluate("(e) => e.style.left") == "50%"


def test_a_phone_held_sideways_has_a_timeline(new_page):
    page = new_page(viewport={"width": 740, "height": 360}, has_touch=True, is_mobile=True)
    page.enter()
    page.js("() => { pullfocus.stageRoot.hidden = pullfocus.panelRoot.hidden = false; }")
    page.js(LANES.replace("document.body", "pullfocus.stageRoot"))
    slider = page.page.get_by_role("slider", name="Moment of the film").bounding_box()
    stage = page.page.locator("#stage").bounding_box()
    film = page.page.locator(".film").bounding_box()
    assert slider["width"] > 200
    assert stage["y"] < film["y"] <= slider["y"]
    assert slider["x"] + slider["width"] < stage["x"] + stage["width"]
    assert film["height"] < stage["height"] / 2  # the picture has the rest
    page.keep("film-sideways")


MAKING = """() => {
    const { preview } = film;
    film.app.progress = { during: (_, work) => work(() => {}, new AbortController().signal) };
    film.photo = { edit: { remember: () => {} } };
    film.asked = 0;
    film.render = (_, signal) => new Promise((done, fail) => {
      film.asked += 1;
      film.done = () => done({ url: 'data:video/webm,' });
      signal.onabort = () => fail(signal.reason);
    });
    preview.toggle();
    preview.toggle();
}"""


def test_a_preview_of_what_has_changed_meanwhile_is_not_shown(new_page):
    page = new_page()
    page.enter()
    page.js(LANES)
    page.js(MAKING)
    page.js("() => film.change((script) => script.tap(0.6, [0.5, 0.5]))")
    page.js("() => film.done()")
    page.until("() => film.preview.making === null")
    assert page.js("() => [film.asked, document.querySelectorAll('video.preview').length]") == [
        1,
        0,
    ]


def test_lanes_are_edited_by_keyboard_and_by_dragging(new_page):
    page = new_page()
    page.enter()
    page.js(LANES)
    roles = page.page.get_by_role
    assert [roles("group", name=f"Subject {n}", exact=True).count() for n in (1, 2, 3)] == [1, 1, 0]
    roles("button", name="Focus from 0.30 s on").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.get_by_label("Weak").check()
    pull = page.page.get_by_label("Pull, seconds")
    pull.fill("0.2")
    pull.press("Tab")
    assert page.page.get_by_label("How the pull moves").evaluate(
        "(e) => document.activeElement === e"
    )
    page.page.get_by_label("How the pull moves").select_option("Even")
    page.keep("lanes")
    decision = page.js("() => film.script.content.decisions[1]")
    assert decision.pop("at_s") == pytest.approx(0.4)
    told = {"strength": "weak", "pull_s": 0.2, "easing": "linear"}
    assert decision == {"focus": {"subject": "Subject 2"}, **told}
    roles("button", name="Focus on Subject 1 from here on").click()
    names = "() => film.script.decisions.map((one) => one.subject.name)"
    assert page.js(names) == ["Subject 1", "Subject 1", "Subject 2"]
    roles("button", name="Focus from 0.30 s on").focus()
    roles("button", name="Take this decision back").click()
    assert page.js(names) == ["Subject 1", "Subject 2"]
    drag(page, roles("button", name="Focus from 0.40 s on"), -40)
    assert 0.3 <= page.js("() => film.script.decisions[1].at_s") < 0.4
    drag(page, roles("button", name="Focus from 0.3"), -400)
    assert page.js("() => film.script.decisions[1].at_s") == 0.3  # it is known from there on


def test_a_tap_decides_though_its_subject_was_known_for_later(new_page):
    """The dot of a tapped subject was dragged on; a tap on its first frame means that frame."""
    page = new_page()
    page.enter()
    page.js(LANES)
    told = page.js(
        """() => { const { script } = film;
          script.move(script.decisions[1], 0.5, 1);
          script.tap(0.3, [0.8, 0.2]);
          Object.assign(script.decisions[1], { strength: 'weak' });
          script.tap(0.3, [0.7, 0.3]);
          return [script.content.subjects['Subject 2'].point,
                  script.decisions.map((one) => [one.at_s, one.subject.name, one.strength])]; }"""
    )
    assert told == [
        [0.7, 0.3],
        [[0, "Subject 1", "strong"], [0.3, "Subject 2", "weak"], [0.5, "Subject 2", "strong"]],
    ]


def drag(page, dot, by_px):
    box = dot.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + by_px, y, steps=3)
    page.page.mouse.up()
