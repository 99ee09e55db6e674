"""The report: one HTML file that needs nothing else, tables first, then curves, then pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.lab.compare.curves import colour_of, drawing
from pullfocus.lab.compare.paper_tables import rows_for
from pullfocus.lab.compare.sources import ComparedSource
from pullfocus.lab.data.dataset_files import OWN
from pullfocus.lab.sheet import tile

LARGER_IS_BETTER = ("delta", "boundary", "accuracy")
"""Beginnings of the names of scores that are shares of what is right."""
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 1100px; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.paper { opacity: .65; } .best { font-weight: 700; }
svg { margin: .5rem; } polyline { fill: none; stroke-width: 1.6; }
.axis { fill: none; stroke: #888; }
text { font-size: 11px; fill: currentColor; } .title { font-size: 13px; font-weight: 600; }
img { max-width: 100%; display: block; margin: .2rem 0 .6rem; }
figure { margin: 1rem 0; } .side { display: flex; flex-wrap: wrap; gap: .5rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
"""


def write_report(
    sources: Sequence[ComparedSource], path: Path, photos: Sequence[Path] = ()
) -> None:
    """Write the comparison of sources.

    Raises:
        UsageError: there is nothing to show: models without photos, folders without results.
        CannotWriteError: the file cannot be written.
    """
    parts = [_tables(sources), _curves(sources), _rows(sources), _side_by_side(sources, photos)]
    if not any(parts):
        raise UsageError(
            "There is nothing to compare: give folders of results or runs, or models with "
            "--photos or with --protocol and --data."
        )
    names = " / ".join(escape(source.name) for source in sources)
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{names}</title><style>{_STYLE}</style><body><h1>{names}</h1>"
        f"<p>{_legend(sources)}</p>{''.join(parts)}</body></html>"
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise CannotWriteError(
            f"{path} cannot be written ({error.strerror}); choose another --output."
        ) from None


def _legend(sources: Sequence[ComparedSource]) -> str:
    dots = (
        f'<span class="dot" style="background:{colour_of(n)}"></span>{escape(source.name)}'
        for n, source in enumerate(sources)
    )
    return " &ensp; ".join(dots)


def _tables(sources: Sequence[ComparedSource]) -> str:
    """Return a table for each protocol and set, the papers' rows below ours."""
    found: dict[tuple[str, str], list[tuple[str, str, dict[str, float]]]] = {}
    for source in sources:
        for summary in source.summaries:
            key = (summary.protocol, summary.settings.get("set", ""))
            said = ", ".join(f"{k} {v}" for k, v in summary.settings.items())
            label = f"{source.name}: {summary.model} ({said})"
            found.setdefault(key, []).append((label, summary.alignment, summary.scores))
    return "".join(_table(key, rows) for key, rows in found.items())


def _table(key: tuple[str, str], ours: list[tuple[str, str, dict[str, float]]]) -> str:
    names = list(dict.fromkeys(name for _, _, scores in ours for name in scores))
    best = {name: _best(name, [s[name] for _, _, s in ours if name in s]) for name in names}
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = [_tr(label, rule, scores, names, best) for label, rule, scores in ours]
    rows += [_tr(row.label, "as printed", row.scores, names, {}, "paper") for row in rows_for(*key)]
    title = escape(" ".join(word for word in key if word))
    top = f"<tr><th>model</th><th>alignment</th>{head}</tr>"
    return f"<h2>{title}</h2><table>{top}{''.join(rows)}</table>"


def _best(name: str, values: list[float]) -> float:
    return max(values) if name.startswith(LARGER_IS_BETTER) else min(values)


def _tr(
    label: str,
    rule: str,
    scores: dict[str, float],
    names: list[str],
    best: dict[str, float],
    kind: str = "ours",
) -> str:
    cells = []
    for name in names:
        value = scores.get(name)
        mark = ' class="best"' if value is not None and value == best.get(name) else ""
        cells.append(f"<td{mark}>{'–' if value is None else f'{value:.4g}'}</td>")
    return (
        f'<tr class="{kind}"><td>{escape(label)}</td><td>{escape(rule)}</td>{"".join(cells)}</tr>'
    )


def _curves(sources: Sequence[ComparedSource]) -> str:
    names = list(dict.fromkeys(name for source in sources for name in source.curves))
    drawings = [
        drawing(name, {n: s.curves[name] for n, s in enumerate(sources) if name in s.curves})
        for name in names
    ]
    return f"<h2>Training</h2>{''.join(drawings)}" if any(drawings) else ""


def _rows(sources: Sequence[ComparedSource]) -> str:
    """Return the evaluations' rows of images, an image's rows of all sources together."""
    names = list(dict.fromkeys(name for source in sources for name in source.pictures))
    figures = []
    for name in sorted(names, key=lambda n: n.partition("/")[2]):
        shown = [
            f"{escape(source.name)}{_img(source.pictures[name].read_bytes())}"
            for source in sources
            if name in source.pictures
        ]
        figures.append(f"<figure><figcaption>{escape(name)}</figcaption>{''.join(shown)}</figure>")
    said = "<p>photo, truth, answer (bright = near), error (bright = wrong)</p>"
    return f"<h2>Pictures</h2>{said}{''.join(figures)}" if figures else ""


def _side_by_side(sources: Sequence[ComparedSource], photos: Sequence[Path]) -> str:
    figures = []
    for path in photos:
        maps = [(s.name, s.depths[path.name]) for s in sources if path.name in s.depths]
        if maps:
            shown = [(path.name, OWN.rgb(path)), *maps]
            cells = (f"<div>{escape(label)}{_img(_jpeg(rgb))}</div>" for label, rgb in shown)
            figures.append(f'<figure class="side">{"".join(cells)}</figure>')
    return f"<h2>Depth of the photos</h2>{''.join(figures)}" if figures else ""


def _img(jpeg: bytes) -> str:
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}">'


def _jpeg(rgb: np.ndarray) -> bytes:
    small = tile(rgb)
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(small[:, :, ::-1]))[1])
