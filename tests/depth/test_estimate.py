"""estimate_depth: the order of sources, size, normalisation, uncertainty, and light imports."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pullfocus.depth import (
    EMBEDDED,
    Estimator,
    ModelCard,
    RawDepth,
    estimate_depth,
    find_card,
    models,
    open_estimator,
)
from pullfocus.depth.card import OUTPUT_KINDS
from pullfocus.depth.normalise import SHOULDER, normalised, to_disparity
from pullfocus.depth.preprocess import Preprocessing, prepare, target_hw
from pullfocus.errors import MissingModelError, UsageError
from pullfocus.types import DepthMap, Photo

RGB = np.random.default_rng(2).integers(0, 255, (60, 80, 3), dtype=np.uint8)
needs_embedded = pytest.mark.skipif(
    not find_card(None).installed, reason="the embedded network is not in this checkout"
)


class Rows:
    """An estimator whose disparity grows from the top row to the bottom, times a factor."""

    id = "rows"
    card = ModelCard("rows", "MIT", "relative_disparity", "folder")

    def __init__(self, doubt: float = 0.0) -> None:
        self.doubt, self.calls = doubt, 0

    def estimate(self, rgb: np.ndarray) -> RawDepth:
        self.calls += 1
        rows = np.repeat(np.linspace(0, 1, 24, dtype=np.float32)[:, None], 32, axis=1)
        rows[:, 16:] += np.float32(self.doubt * self.calls)
        return RawDepth(rows, "relative_disparity")


def test_an_estimator_of_ones_own():
    assert isinstance(Rows(), Estimator)
    depth = estimate_depth(Photo.from_array(RGB), Rows())
    assert (depth.size_hw, depth.kind, depth.source) == ((60, 80), "relative", "rows")
    assert depth.at(0.5, 0.9) > depth.at(0.5, 0.1)


def test_the_photos_own_depth_comes_first():
    own = DepthMap.from_depth_m(np.full((6, 8), 2.0), source="the photo's own depth")
    photo = Photo.from_array(RGB, embedded_depth=own)
    depth = estimate_depth(photo)
    assert (depth.kind, depth.source) == ("metric", "the photo's own depth")
    assert depth.size_hw == photo.size_hw
    np.testing.assert_allclose(depth.depth_m, 2.0, rtol=1e-5)


def test_a_named_model_beats_the_photos_own_depth():
    own = DepthMap.from_depth_m(np.full((6, 8), 2.0))
    photo = Photo.from_array(RGB, embedded_depth=own)
    assert estimate_depth(photo, Rows()).source == "rows"


@needs_embedded
@pytest.mark.parametrize("size_hw", [(480, 640), (90, 40), (1, 1), (8, 700)])
def test_the_embedded_network_answers_at_any_size(size_hw):
    rgb = np.random.default_rng(0).integers(0, 255, (*size_hw, 3), dtype=np.uint8)
    depth = estimate_depth(Photo.from_array(rgb))
    assert depth.size_hw == size_hw
    assert depth.source == EMBEDDED
    assert depth.disparity.min() >= 0
    assert depth.disparity.max() <= 1


def test_missing_embedded_weights_are_said(monkeypatch, tmp_path):
    from pullfocus.depth import registry

    monkeypatch.setattr(registry, "embedded_path", lambda: tmp_path / "compact.onnx")
    registry._opened.cache_clear()
    with pytest.raises(MissingModelError, match="reinstall pullfocus"):
        open_estimator()
    registry._opened.cache_clear()


def test_uncertainty_only_when_asked_and_leaves_the_depth_alone():
    photo = Photo.from_array(RGB)
    plain, asked = (estimate_depth(photo, Rows(), uncertainty=flag) for flag in (False, True))
    assert plain.uncertainty is None
    assert asked.uncertainty is not None
    assert asked.uncertainty.shape == (60, 80)
    np.testing.assert_array_equal(plain.disparity, asked.disparity)


def test_uncertainty_grows_with_disagreement():
    photo = Photo.from_array(np.full((60, 80, 3), 255 * RGB[:1, :1] // 255, np.uint8))
    sure, unsure = (
        estimate_depth(photo, Rows(doubt), uncertainty=True).uncertainty for doubt in (0.0, 0.2)
    )
    assert sure is not None
    assert unsure is not None
    assert (sure >= 0).all()
    assert unsure.mean() > sure.mean() + 0.02


def test_uncertainty_marks_edges_between_like_colours():
    from pullfocus.depth.augmentation_spread import spread_of

    class Step(Rows):
        def estimate(self, rgb: np.ndarray) -> RawDepth:
            step = np.zeros((24, 32), np.float32)
            step[8:16, 8:24] = 1.0  # the same when mirrored
            return RawDepth(step, "relative_disparity")

    raw, _ = to_disparity(Step().estimate(RGB))
    one_colour = np.full((24, 32, 3), 90, np.uint8)
    two_colours = one_colour.copy()
    two_colours[8:16, 8:24] = 220
    doubt = spread_of(Step(), one_colour, raw, "relative")
    less = spread_of(Step(), two_colours, raw, "relative")
    assert doubt[8, 16] > 0.3 > less[8, 16]
    assert doubt[2, 2] == pytest.approx(0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(arrays(np.float32, (7, 9), elements=st.floats(-1000, 1000, width=32)))
def test_normalising_keeps_order_inside_the_unit_range(values):
    unit = normalised(values)
    assert unit.min() >= 0
    assert unit.max() <= 1
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(unit.ravel()[order]) >= -1e-6).all()


def test_one_hot_pixel_does_not_squeeze_the_scene():
    values = np.repeat(np.linspace(0, 1, 100, dtype=np.float32)[:, None], 100, axis=1)
    values[50, 50] = 1e6
    unit = normalised(values)
    assert unit[99, 0] - unit[0, 0] > 0.9
    assert unit[50, 50] == unit.max()


def test_the_tails_are_not_cut_to_a_plateau():
    values = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
    unit = normalised(values)
    top = np.sort(unit.ravel())[-40:]
    assert (np.diff(top) > 0).sum() > 30
    assert np.percentile(unit, 99.5) == pytest.approx(1 - SHOULDER, abs=1e-3)


@pytest.mark.parametrize("kind", OUTPUT_KINDS)
def test_what_a_network_left_open_is_far(kind):
    values = np.linspace(1, 2, 12, dtype=np.float32).reshape(3, 4)
    values[1, 1] = np.nan
    disparity, _ = to_disparity(RawDepth(values, kind))
    assert np.isfinite(disparity).all()
    assert disparity[1, 1] == disparity.min()


def test_convention_metric_depth_is_inverted():
    disparity, kind = to_disparity(RawDepth(np.full((2, 2), 4.0, np.float32), "metric_depth"))
    assert kind == "metric"
    np.testing.assert_allclose(disparity, 0.25)


@pytest.mark.parametrize(
    ("size_hw", "rule", "expected"),
    [
        ((3000, 4000), Preprocessing((384, 384), 32, "long_side"), (288, 384)),
        ((4000, 3000), Preprocessing((384, 384), 32, "long_side"), (384, 288)),
        ((3000, 4000), Preprocessing((384, 384), 32, "fixed"), (384, 384)),
        ((3000, 4000), Preprocessing((518, 518), 14, "short_side"), (518, 686)),
        ((5, 4000), Preprocessing((384, 384), 32, "long_side"), (32, 384)),
    ],
)
def test_network_input_sizes(size_hw, rule, expected):
    assert target_hw(size_hw, rule) == expected


def test_convention_network_input_is_rgb_first_channel_red():
    red = np.zeros((40, 40, 3), np.uint8)
    red[..., 0] = 255
    tensor = prepare(red, Preprocessing((64, 64), 32, mean=(0.5,) * 3, std=(0.5,) * 3)).tensor
    assert tensor.shape == (1, 3, 64, 64)
    np.testing.assert_allclose(tensor[0, :, 3, 3], [1, -1, -1], atol=1e-6)


def test_every_card_is_complete():
    cards = models()
    assert cards[0].id == EMBEDDED
    assert len({card.id for card in cards}) == len(cards)
    for card in cards:
        assert card.licence != "unknown"
        assert card.output in OUTPUT_KINDS


def test_licences_that_forbid_commercial_use_are_said():
    for size in ("Base", "Large"):
        card = find_card(f"depth-anything/Depth-Anything-V2-{size}-hf")
        assert card.licence == "CC-BY-NC-4.0"
        assert "commercial" in card.note
    assert find_card("depth-anything/Depth-Anything-V2-Small-hf").licence == "Apache-2.0"


def test_installed_follows_the_hubs_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    card = find_card("Intel/dpt-large")
    assert not card.installed
    snapshot = tmp_path / "hub" / "models--Intel--dpt-large" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").write_bytes(b"")
    assert card.installed


@pytest.mark.parametrize("name", ["", "nonsense", "a/b/c", "../up", "photo.jpg"])
def test_names_that_are_no_model(name):
    with pytest.raises(UsageError, match="is no depth model"):
        find_card(name)


def test_importing_depth_and_focus_loads_nothing_heavy():
    code = (
        "import sys, pullfocus.depth, pullfocus.focus\n"
        "heavy = {'onnxruntime', 'cv2', 'torch', 'numba', 'transformers', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
