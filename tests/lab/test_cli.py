"""The lab's commands."""

import cv2
import numpy as np
import pytest

from pullfocus.errors import UsageError
from pullfocus.lab.cli import EMBEDDED, _beside_the_embedded, main
from pullfocus.lab.data.pack import write_pack
from pullfocus.lab.sheet import coloured


def test_an_unknown_recipe_is_refused_with_the_nearest_ones(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(UsageError, match=r"did you mean .*compact-tiny"):
        main(["train", "compat-tiny", "--data", str(tmp_path), "--out", str(tmp_path)])


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("optimiser.rat=1e-3", r"no setting 'optimiser.rat'; did you mean optimiser.rate"),
        ("crops.min_scal=0.7", r"crops\.min_scal"),
        ("total_crops=900", r"no setting 'total_crops' any more; give --crops, or set epochs"),
        ("shares.oceans=2", r"no pack 'oceans' .* roads"),
    ],
)
def test_settings_of_the_embedded_network_are_checked(tmp_path, setting, complaint):
    pytest.importorskip("torch")
    write_pack(tmp_path / "packs/photos", [])
    where = ["--data", str(tmp_path), "--out", str(tmp_path), "--cache", str(tmp_path / "packs")]
    with pytest.raises(UsageError, match=complaint):
        main(["train", "compact-tiny", *where, "--set", setting])


def test_candidates_are_scored_beside_the_embedded_network(tmp_path):
    one, two = tmp_path / "a/new.onnx", tmp_path / "b/new.onnx"
    found = _beside_the_embedded([one, EMBEDDED, two, tmp_path / "depth.onnx"])
    assert list(found.values()) == [EMBEDDED, one, two, tmp_path / "depth.onnx"]
    assert next(iter(found)) == "depth, embedded"


def test_a_sheet_shows_photo_and_depth_side_by_side(tmp_path):
    if not EMBEDDED.exists():
        pytest.skip("no embedded network yet")
    rgb = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), rgb)
    assert main(["sheet", str(tmp_path / "a.png"), "-o", str(tmp_path / "sheet.png")]) == 0
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (200, 520, 3)


def test_convention_bright_is_near():
    ramp = np.repeat(np.linspace(0, 1, 32)[None], 4, 0)
    light = coloured(ramp).sum(2)
    assert light[0, -1] > light[0, 0]
