"""lab evaluate --protocol, and the papers' figures beside ours."""

import cv2
import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.lab.cli import PROTOCOL_NAMES, main
from pullfocus.lab.compare.paper_tables import beside, paper_rows, rows_for
from pullfocus.lab.protocols import PROTOCOLS, Summary, evaluate, read_summary


@pytest.fixture
def rgbd(tmp_path):
    folder = tmp_path / "rgbd"
    folder.mkdir()
    ramp = np.tile(np.linspace(4000, 1000, 30).astype(np.uint16)[:, None], (1, 40))
    cv2.imwrite(str(folder / "a_depth_mm.png"), ramp)
    cv2.imwrite(str(folder / "a.png"), np.zeros((30, 40, 3), np.uint8))
    return folder


def test_a_protocol_from_the_command_line(rgbd, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--protocol", "affine", "--model", "lower-row", "--flip", "--far-m", "10"]
    assert main(["evaluate", *arguments, "--data", str(rgbd), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "affine-disparity" in said
    assert "flip merged" in said
    assert "lower-row" in said
    assert read_summary(out).settings["range"] == "0.001..10 m"
    assert (out / "sheet.png").exists()


def test_the_embedded_network_is_measured_by_default(rgbd, tmp_path):
    from pullfocus.lab.cli import EMBEDDED

    if not EMBEDDED.exists():
        pytest.skip("no embedded network yet")
    out = tmp_path / "out"
    assert main(["evaluate", "--protocol", "affine", "--data", str(rgbd), "--out", str(out)]) == 0
    assert read_summary(out).model == "pullfocus-depth"


def test_the_command_line_names_every_protocol_and_refuses_others(rgbd):
    assert set(PROTOCOL_NAMES) == set(PROTOCOLS)
    with pytest.raises(SystemExit):
        main(["evaluate", "--protocol", "kitty", "--data", str(rgbd)])
    arguments = ["--protocol", "affine", "--model", "lower-row", "--alignment", "none"]
    with pytest.raises(UsageError, match="no metres"):
        main(["evaluate", *arguments, "--data", str(rgbd)])


def test_the_papers_tables_are_what_the_papers_print():
    (mono,) = [
        r
        for r in rows_for("kitti-eigen")
        if r.method == "ours" and "50" in r.note and r.trained_on == "K"
    ]
    assert mono.scores["abs_rel"] == 0.140
    (unet,) = [r for r in rows_for("nyu") if "UNet" in r.method]
    assert (unet.scores["delta1"], unet.scores["abs_rel"], unet.scores["rmse"]) == (
        0.558,
        0.384,
        0.751,
    )
    stereo = rows_for("kitti-2015")[-1]
    assert stereo.scores["d1_all"] == 9.194
    assert len(rows_for("make3d")) == 7
    for row in paper_rows():
        deltas = [row.scores[k] for k in ("delta1", "delta2", "delta3") if k in row.scores]
        assert deltas == sorted(deltas), row.label
        assert row.scores


def test_ours_stand_first_and_scores_that_a_paper_lacks_are_dashes():
    ours = Summary("make3d", "mine", "median", {}, {"abs_rel": 0.4, "rmse_log10": 0.2}, [])
    lines = beside([ours]).splitlines()
    assert lines[2] == "| **mine** | median | 0.400 | 0.200 |"
    assert lines[3].endswith("| as printed | 0.893 | – |")
    assert len(lines) == 2 + 1 + 7


def test_a_checkpoint_is_measured_as_the_file_that_it_would_become(rgbd, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from pullfocus.lab.engine.checkpoint import Checkpoint
    from pullfocus.lab.recipes.catalogue import CATALOGUE

    recipe, path = CATALOGUE["compact-tiny"], tmp_path / "checkpoint.pt"
    settings, state = recipe.model_dump(mode="json"), recipe.build().state_dict()
    Checkpoint("compact-tiny", settings, 0, 0.0, state, {}, None).write(path)
    summary = evaluate("affine", path, rgbd)
    assert summary.model == str(path)
    assert summary.alignment == "affine-disparity"
    assert np.isfinite(summary.scores["abs_rel"])
