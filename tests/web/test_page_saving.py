"""Saving from the page: a focus pull in every format, depth in every format, and impatience."""

from __future__ import annotations

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


def save(page, tmp_path, part: str, select: int, format_: str):
    """Open the dialog, choose a format, press Save; returns the file."""
    page.page.keyboard.press("s")
    page.page.locator("dialog select").nth(select).select_option(format_)
    with page.page.expect_download(timeout=120_000) as download:
        page.page.get_by_role("button", name=f"Save: {part}").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_a_focus_pull_in_every_format(page, tmp_path):
    """Each goes through the page's own request; a tiny one, so that the test is quick."""
    page.page.route(
        "**/animation",
        lambda route: route.continue_(
            post_data={**route.request.post_data_json, "frames": 5, "long_side_px": 64}
        ),
    )
    for format_ in page.js("() => pullfocus.info.animation_formats"):
        file = save(page, tmp_path, "A focus pull", 1, format_)
        assert file.name == f"still life.focus-pull.{format_}"
        if format_ == "mp4":
            assert file.read_bytes()[4:8] == b"ftyp"
        else:
            with Image.open(file) as film:
                assert film.n_frames == 5


def test_depth_in_every_format(page, tmp_path):
    from pullfocus.depthmap.files import load_depth

    for format_ in ("png", "exr", "npy", "pfm"):
        file = save(page, tmp_path, "The depth map", 2, format_)
        assert file.name == f"still life.depth.{format_}"
        assert load_depth(file).size_hw == (160, 240)


def test_enter_saves_the_picture_and_impatience_saves_it_once(page):
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.keyboard.press("s")
    page.page.keyboard.press("s")
    assert page.page.locator("dialog").count() == 1
    with page.page.expect_download(timeout=60_000) as download:
        page.page.keyboard.press("Enter")
        page.page.keyboard.press("Enter")
    assert download.value.suggested_filename == "still life.refocused.png"
    assert len([url for url in asked if url.endswith("/picture")]) == 1
