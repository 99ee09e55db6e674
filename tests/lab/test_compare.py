"""compare: results, runs and models in one HTML file that needs nothing else."""

import json
import re

import cv2
import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.cli import main
from pullfocus.lab.compare import open_source, write_report
from pullfocus.lab.compare.curves import POINTS, drawing
from pullfocus.lab.compare.sources import read_curves
from pullfocus.lab.protocols import Options, evaluate


@pytest.fixture
def rgbd(tmp_path):
    folder = tmp_path / "rgbd"
    folder.mkdir()
    ramp = np.tile(np.linspace(4000, 1000, 30).astype(np.uint16)[:, None], (1, 40))
    for name, depth in (("a", ramp), ("b", ramp[::-1])):
        cv2.imwrite(str(folder / f"{name}_depth_mm.png"), depth)
        cv2.imwrite(str(folder / f"{name}.png"), np.full((30, 40, 3), 90, np.uint8))
    return folder


@pytest.fixture
def results(rgbd, tmp_path):
    for name, flip in (("plain", False), ("flipped", True)):
        evaluate("affine", "lower-row", rgbd, tmp_path / name, Options(flip=flip))
    rows = [{"step": n, "loss": 1 / n, "lr": 1e-4, "note": "x"} for n in range(1, 9)]
    log = "\n".join(json.dumps(row) for row in rows) + '\n{"step": 9, "lo'
    (tmp_path / "plain/log.jsonl").write_text(log)
    return tmp_path


def test_a_report_holds_tables_curves_and_pictures_and_links_to_nothing(results):
    out = results / "report.html"
    folders = [str(results / name) for name in ("plain", "flipped")]
    assert main(["compare", *folders, "-o", str(out)]) == 0
    page = out.read_text()
    assert page.count('<tr class="ours">') == 2
    assert page.count("data:image/jpeg;base64,") == 4
    assert page.count("<figure>") == 2
    assert page.count("<polyline") == 2
    assert "affine-disparity" in page
    assert "flip merged" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_models_are_asked_about_photos(rgbd, tmp_path):
    out = tmp_path / "models.html"
    arguments = ["lower-row", "lower-row", "--photos", str(rgbd), "--limit", "1"]
    assert main(["compare", *arguments, "-o", str(out)]) == 0
    assert out.read_text().count("<img") == 3


def test_models_are_scored_on_the_way(rgbd, tmp_path):
    out = tmp_path / "scored.html"
    arguments = ["lower-row", "--protocol", "affine", "--data", str(rgbd), "-o", str(out)]
    assert main(["compare", *arguments, "--photos", str(rgbd)]) == 0
    page = out.read_text()
    assert "<td>lower-row: lower-row" in page
    assert "Depth of the photos" in page
    assert (tmp_path / "scored/lower-row/affine/per_image.csv").exists()
    with pytest.raises(UsageError, match="--data"):
        main(["compare", "lower-row", "--protocol", "affine", "-o", str(out)])


def test_papers_stand_below_and_the_best_is_marked(tmp_path):
    sources = []
    for name, value in (("one", 0.3), ("two", 0.2)):
        folder = tmp_path / name
        folder.mkdir()
        scores = {"abs_rel": value, "delta1": 1 - value}
        summary = {"protocol": "make3d", "model": name, "alignment": "median", "settings": {}}
        text = json.dumps(summary | {"scores": scores, "rows": []})
        (folder / "summary.json").write_text(text)
        sources.append(open_source(str(folder)))
    write_report(sources, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count('<tr class="paper">') == 7
    best = re.findall(r'<td class="best">([\d.]+)</td>', page)
    assert best == ["0.2", "0.8"]


def test_a_log_may_end_in_the_middle_of_a_row_but_not_be_broken_before(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"crops": 5, "ssi": 2.0}\n{"crops": 10, "ssi": NaN}\n{"crops"')
    curve = read_curves(log)["ssi"]
    assert curve[0] == (5, 2)
    assert curve[1][0] == 10
    log.write_text('{"step": 1}\nnonsense\n{"step": 3}\n')
    with pytest.raises(UnreadableInputError, match="line 2"):
        read_curves(log)


def test_drawings_thin_long_curves_and_leave_gaps_out():
    svg = drawing("<loss>", {0: [(n, 1.0) for n in range(10_000)], 1: [(0, float("nan"))]})
    assert svg.count("<polyline") == 1
    assert len(re.search(r'points="([^"]+)"', svg)[1].split()) == POINTS
    assert "&lt;loss&gt;" in svg
    assert drawing("empty", {0: []}) == ""


def test_nothing_to_show_is_said(tmp_path):
    with pytest.raises(UsageError, match="--photos"):
        main(["compare", "lower-row", "-o", str(tmp_path / "x.html")])
    with pytest.raises(UsageError, match="no depth model"):
        open_source(str(tmp_path / "nothing"))
