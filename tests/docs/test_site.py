"""The documentation site is built without a warning, loads nothing from elsewhere, and is right."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "examples" / "README.md", *sorted(DOCS.rglob("*.md"))]
NEW = [p for p in PAGES if p.parent.name in ("how-to", "explanation") or p.stem == "first-steps"]
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for name in ("sphinx", "myst_parser", "furo", "sphinx_copybutton"):
        pytest.importorskip(name, reason="the group docs of pyproject.toml: sphinx, furo, ...")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, ROOT / "scripts" / "build_docs", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_of_docs_is_on_the_site(site):
    for path in DOCS.rglob("*.md"):
        assert (site / "html" / path.relative_to(DOCS).with_suffix(".html")).is_file()
    for name in ("cli", "settings", "http", "python", "examples"):
        assert (site / "html" / "reference" / f"{name}.html").is_file()
    assert (site / "html" / "project" / "CONTRIBUTING.html").is_file()


def test_the_site_loads_nothing_from_elsewhere(site):
    class Loads(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag, attrs):
            given = dict(attrs)
            if tag in LOADING and given.get("rel") not in ("canonical", "index", "search"):
                self.found.append(given.get(LOADING[tag]) or "")

    pages = list((site / "html").rglob("*.html"))
    for page in pages:
        Loads().feed(page.read_text("utf-8"))
    assert len(pages) > 25
    assert Loads.found
    assert not [url for url in Loads.found if re.match(r"(https?:)?//", url)]


def test_the_reference_is_whole(site):
    import pullfocus
    from pullfocus.web import create_app

    text = {p.stem: p.read_text("utf-8") for p in (site / "source" / "reference").glob("*.md")}
    for name in pullfocus.Settings.model_fields:
        assert f"| `{name}` |" in text["settings"]
    for name in pullfocus.__all__:
        assert re.search(rf"^::::\{{py:\w+\}} {name}\b", text["python"], re.M), name
    for path in create_app().openapi()["paths"]:
        assert f" {path}`" in text["http"]
    for verb in ("refocus", "depth", "subjects", "video", "web", "lab train", "lab export"):
        assert f"## pullfocus {verb}\n" in text["cli"]
    assert "[dim]" not in text["cli"]


def test_docstrings_become_lists(script):
    prose = script("docs_reference")._prose
    text = prose(
        "Do it.\n\nArgs:\n    at: where,\n        in fractions.\n    **more: others.\n\n"
        "Raises:\n    UsageError: it makes no sense.\n\nConvention: x\n    to the right."
    )
    assert text == (
        "Do it.\n\n**Args:**\n\n- `at`: where,\n  in fractions.\n- `**more`: others.\n\n"
        "**Raises:**\n\n- `UsageError`: it makes no sense.\n\n**Convention:** x\nto the right."
    )
    assert prose("Order: not a list.") == "Order: not a list."


def commands():
    for path in PAGES:
        for line in path.read_text("utf-8").splitlines():
            if found := re.match(r"(?:    )+(pullfocus [^#|>]*)", line):
                yield path, re.split(r"   +", found[1])[0]


@pytest.fixture(scope="module")
def flags_of():
    from functools import cache

    @cache
    def flags(*verb):
        command = [sys.executable, "-m", "pullfocus", *verb, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return set(re.findall(r"--[a-z][a-z-]*|-[a-z]\b", done.stdout))

    return flags


def test_commands_in_the_pages_use_flags_that_exist(flags_of):
    from pullfocus.samples import SAMPLES

    listed = list(commands())
    verbs = {"depth", "subjects", "graded", "web", "video", "demo", "models", "doctor", "schema"}
    for path, command in listed:
        words = re.sub(r"\[[^]]*\]|\.\.\.", " ", command).split()[1:]
        verb = ("refocus",)
        if words and words[0] in verbs:
            verb = (words[0],)
        elif words and words[0] == "lab":
            verb = ("lab", words[1])
        known = flags_of(*verb) | {"--debug", "--help"}
        for word in words:
            if re.match(r"--?[a-z]", word) and "|" not in word:
                assert word in known, f"{path.name}: {command}"
    assert len(listed) > 60
    assert SAMPLES


def test_python_of_the_pages_compiles_and_uses_public_names():
    import pullfocus

    blocks = 0
    for path in NEW:
        for block in re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.S):
            compile(block, path.name, "exec")
            blocks += 1
            for names in re.findall(r"from pullfocus import (.+)", block):
                assert {name.strip() for name in names.split(",")} <= set(pullfocus.__all__)
    assert blocks >= 4


def test_the_gallery_is_what_its_script_makes(script):
    gallery = script("gallery")
    assert (DOCS / "gallery.md").read_text("utf-8") == gallery.page()
    shown = re.findall(r"\]\((images/gallery/[\w.-]+)\)", gallery.page())
    made = {path.name for path in gallery.PLACE.iterdir()}
    assert {Path(name).name for name in shown} == made
    assert sum(path.stat().st_size for path in (DOCS / "images").rglob("*.*")) < 1_500_000


def test_settings_of_the_gallery_are_settings(script):
    from pullfocus import Settings

    for picture in script("gallery").PICTURES:
        assert Settings.parse(picture.settings).model_dump()


def test_the_drawing_is_what_its_script_draws(script):
    flow = script("draw_flow")
    assert flow.TARGET.read_text("utf-8") == flow.drawing()
    rooms = {
        word for _, boxes in flow.ROWS for box in boxes for word in re.findall(r"\w+/", box[1])
    }
    for room in rooms:
        assert (ROOT / "src" / "pullfocus" / room).is_dir(), room


def test_rooms_of_contributing_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    for room in set(re.findall(r"`?\b([a-z]+)/(?:[a-z]+/)?[`, ]", text.partition("## Habits")[0])):
        assert any((base / room).is_dir() for base in (ROOT / "src" / "pullfocus", ROOT)), room


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/first-steps.md"])
def test_clones_leave_the_old_weights_out(name):
    assert "git clone --depth 1" in (ROOT / name).read_text("utf-8")
