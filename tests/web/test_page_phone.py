"""A phone's HEIC with the depth it took: opened, focused and saved in the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from pullfocus.photo import load, save
from pullfocus.pipeline import Sidecar, apply

pytestmark = pytest.mark.browser
PUG = Path(__file__).resolve().parents[3] / "shared" / "data" / "phone" / "heic" / "pug.heic"


def save_as(page, format_: str, folder: Path) -> Path:
    """Save the picture in a format, from the dialog."""
    page.page.locator("canvas.view").focus()
    page.page.keyboard.press("s")
    page.page.locator("dialog select").first.select_option(format_)
    with page.page.expect_download(timeout=400_000) as download:
        page.js("() => document.querySelector('dialog button.main').click()")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_the_phones_own_depth_from_drop_to_file(new_page, tmp_path):
    """It is metric and used first; what is saved is what the command line makes of the sidecar."""
    pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    if not PUG.exists():
        pytest.skip("../shared/data/phone/heic is not here")
    page = new_page()
    page.enter()
    page.page.locator("body > input[type=file]").set_input_files(PUG)
    page.idle()
    info = page.js("() => pullfocus.photo.depthInfo")
    assert (info["kind"], info["source"]) == ("metric", "the photo's own depth (HEIC)")
    page.js("() => pullfocus.photo.edit.set({f_number: 8})")  # small discs: quick at 12 MP
    page.page.mouse.click(*page.spot(0.5, 0.6))
    page.until("() => pullfocus.photo.edit.now.at?.[1] > 0.59")
    assert re.fullmatch(r"Focused at 0\.\d+ m\.", page.page.locator("#said").inner_text())
    sidecar = page.js("() => pullfocus.photo.edit.toText()")
    saved = [save_as(page, format_, tmp_path) for format_ in ("heic", "jpeg")]
    assert [file.name for file in saved] == ["pug.refocused.heic", "pug.refocused.jpg"]

    photo = load(PUG)
    image = apply(photo, Sidecar.from_json(json.loads(sidecar)).settings).image
    save(image, tmp_path / "cli.jpg")
    heic, jpeg = saved
    assert jpeg.read_bytes() == (tmp_path / "cli.jpg").read_bytes()
    assert np.abs(load(heic).linear - image.linear).mean() < 0.01  # its own compression
    for file in saved:
        kept = load(file).metadata
        assert kept.optics == photo.metadata.optics
        assert kept.icc_profile == photo.metadata.icc_profile
        assert kept.exif
