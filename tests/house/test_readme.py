"""The README tells the truth: settings, exit codes, links, the six lines."""

import re
from pathlib import Path

import numpy as np
import pytest

from pullfocus import errors
from pullfocus.cli.options import flag
from pullfocus.pipeline import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_settings_table_is_the_settings():
    rows = re.findall(r"^\| `(\w+)` \| `(--[\w-]+)` \| ([^|]*) \| (.+) \|$", README, re.M)
    assert [row[0] for row in rows] == list(Settings.model_fields)
    for name, shown, _, words in rows:
        assert shown == flag(name)
        assert words == Settings.model_fields[name].description


def test_exit_codes_are_those_of_the_errors():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \| ", README, re.M)}
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert {cls.exit_code for cls in classes if hasattr(cls, "exit_code")} <= codes
    assert {0, 2, 130} <= codes


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "THIRD_PARTY.md"])
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        assert (ROOT / target).is_file(), target


def test_the_six_lines_run(tmp_path, monkeypatch):
    from pullfocus.photo import save
    from pullfocus.types import Photo

    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    save(Photo.from_array(pixels), "cat.jpg")
    block = re.search(r"```python\n(.*?)```", README, re.S)
    exec(compile(block[1], "README.md", "exec"), {})
    assert (tmp_path / "cat.refocused.jpg").is_file()


def test_the_worked_example_is_right():
    from pullfocus.lens import blur_gain_px
    from pullfocus.types import Lens

    gain = blur_gain_px(Lens(1.8, 50.0, 36.0), 0.5, 6000)
    assert gain == pytest.approx(118.7, abs=0.1)
    assert 0.4 * gain == pytest.approx(47.5, abs=0.1)
    assert 6000 / (2 * 0.4 * gain) == pytest.approx(63, abs=0.5)


def test_bundled_photos_are_small_and_credited():
    from pullfocus.samples import FOLDER, SAMPLES

    credits = (FOLDER / "CREDITS.md").read_text(encoding="utf-8")
    for sample in SAMPLES:
        assert sample.path.stat().st_size <= 300_000
        assert sample.path.name in credits
    assert {path.stem for path in FOLDER.glob("*.jpg")} == {sample.name for sample in SAMPLES}
