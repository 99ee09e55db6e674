"""The embedded subject network: sizes, mirrors, what it finds and what it does not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.depth import estimate_depth
from pullfocus.depth.card import embedded_path, subjects_path
from pullfocus.depth.subjects import find_masks
from pullfocus.types import Photo

SHARED = Path(__file__).resolve().parents[3] / "shared"


def read(path: Path) -> np.ndarray:
    if not path.exists():
        pytest.skip(f"real data is not here ({path})")
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])


def noise(h: int, w: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (h, w, 3)).astype(np.uint8)


@pytest.mark.parametrize("hw", [(60, 180), (180, 60), (33, 500), (5, 7)])
def test_any_aspect_gives_masks_of_that_aspect(hw):
    masks = find_masks(noise(*hw))
    for mask in (masks.person, masks.salient):
        assert max(mask.shape) == 384
        assert mask.dtype == np.float32
        assert 0 <= mask.min() <= mask.max() <= 1
    assert masks.person.shape[1] / masks.person.shape[0] == pytest.approx(
        hw[1] / hw[0], rel=0.15 if min(hw) / max(hw) > 0.3 else 0.5
    )


def test_convention_mirrored_photos_have_mirrored_masks():
    rgb = noise(96, 128)
    plain, mirrored = find_masks(rgb), find_masks(np.ascontiguousarray(rgb[:, ::-1]))
    np.testing.assert_allclose(plain.person, mirrored.person[:, ::-1], atol=5e-3)
    np.testing.assert_allclose(plain.salient, mirrored.salient[:, ::-1], atol=5e-3)


def test_people_are_found_where_they_are():
    """Measured on all 160: mean intersection over union .902."""
    folder = SHARED / "data" / "people"
    scores = []
    for path in sorted((folder / "Training_Images").glob("*.jpg"))[3::20]:
        truth = cv2.imread(str(folder / "Ground_Truth" / f"{path.stem}.png"), 0)
        person = find_masks(read(path)).person
        found = cv2.resize(person, truth.shape[::-1]) > 0.5
        scores.append((found & (truth > 127)).sum() / (found | (truth > 127)).sum())
    if not scores:
        pytest.skip(f"real data is not here ({folder})")
    assert np.mean(scores) > 0.8


def test_a_cat_is_salient_and_no_person():
    path = SHARED / "masks" / "cats" / "group0207.jpg"
    masks, truth = find_masks(read(path)), cv2.imread(str(path.with_suffix(".png")), 0) > 127
    person, salient = (
        cv2.resize(mask, truth.shape[::-1]) > 0.5 for mask in (masks.person, masks.salient)
    )
    assert (salient & truth).sum() > 0.8 * (salient | truth).sum()
    assert person.mean() < 0.01


def test_masks_come_with_the_depth_of_every_model(write_onnx, plain, bright_left):
    depth = estimate_depth(Photo.from_array(bright_left), write_onnx(preprocessing=plain))
    assert depth.salient.shape == depth.person.shape
    assert max(depth.person.shape) == 384


def test_both_files_are_small_enough_for_the_wheel():
    assert embedded_path().stat().st_size + subjects_path().stat().st_size <= 19_000_000


@pytest.mark.parametrize("path", [embedded_path(), subjects_path()], ids=["depth", "subjects"])
def test_the_files_say_what_they_learnt_from(path):
    onnxruntime = pytest.importorskip("onnxruntime")
    said = onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map
    assert said["licence"] == "MIT"
    assert "Apache-2.0" in said["encoder"]
    assert "Teachers" in said["training_data"]
