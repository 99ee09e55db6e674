"""axe finds nothing serious on any view, in the dark and in the light, wide and narrow."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_view(new_page, photo_file, scheme):
    page = new_page(color_scheme=scheme)
    page.enter()
    wrong = {"home": page.serious()}
    page.keep(f"home-{scheme}")
    page.page.get_by_role("button", name="About").click()
    wrong["about"] = page.serious()
    page.keep(f"about-{scheme}")
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("?")
    page.page.wait_for_timeout(300)
    wrong["help"] = page.serious()
    page.keep(f"help-{scheme}")
    page.page.keyboard.press("Escape")
    page.drop(photo_file)
    page.idle()
    wrong["stage"] = page.serious()
    page.keep(f"stage-{scheme}")
    for key, name in (("d", "depth"), ("b", "brush"), ("c", "divider"), ("s", "save")):
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(150)
        wrong[name] = page.serious()
        page.keep(f"{name}-{scheme}")
    page.page.keyboard.press("Escape")
    page.page.get_by_role("button", name="Settings as text").click()
    wrong["settings"] = page.serious()
    page.keep(f"settings-{scheme}")
    assert not {view: found for view, found in wrong.items() if found}


def test_narrow_view(new_page, photo_file):
    page = new_page(viewport={"width": 390, "height": 780})
    page.enter()
    assert not page.serious()
    page.keep("home-narrow")
    page.drop(photo_file)
    page.idle()
    assert not page.serious()
