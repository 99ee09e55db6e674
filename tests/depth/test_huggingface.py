"""Hugging Face models with random weights: shape, polarity, metres, and life without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pullfocus.depth import estimate_depth, open_estimator
from pullfocus.depth.normalise import to_disparity
from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.types import Photo

pytestmark = pytest.mark.lab
PROCESSOR = {
    "size": {"height": 64, "width": 64},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
RGB = np.random.default_rng(4).integers(0, 255, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _torch() -> None:
    pytest.importorskip("torch", reason="Hugging Face models need torch")
    pytest.importorskip("transformers", reason="Hugging Face models need transformers")


def dpt(**fields: Any) -> Any:
    from transformers import DPTConfig, DPTForDepthEstimation

    base = {
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "image_size": 64,
        "patch_size": 16,
        "backbone_out_indices": [0, 1, 2, 3],
        "neck_hidden_sizes": [8, 8, 16, 16],
        "fusion_hidden_size": 16,
    }
    return DPTForDepthEstimation(DPTConfig(**{**base, **fields}))


def dpt_hybrid() -> Any:
    backbone = {
        "model_type": "bit",
        "global_padding": "same",
        "layer_type": "bottleneck",
        "depths": [1, 1, 1],
        "out_features": ["stage1", "stage2", "stage3"],
        "embedding_dynamic_padding": True,
        "embedding_size": 8,
        "num_groups": 4,
        "hidden_sizes": [8, 16, 32, 32],
    }
    return dpt(
        is_hybrid=True,
        backbone_config=backbone,
        backbone_featmap_shape=[1, 32, 4, 4],
        neck_ignore_stages=[0, 1],
        neck_hidden_sizes=[8, 16, 16, 16],
        readout_type="project",
    )


def depth_anything(**fields: Any) -> Any:
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    backbone = Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=70,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
        **fields,
    )
    return DepthAnythingForDepthEstimation(config)


def zoedepth() -> Any:
    from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation

    backbone = BeitConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=64,
        patch_size=16,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        use_relative_position_bias=True,
    )
    config = ZoeDepthConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=16,
        num_attractors=[4, 2, 2, 1],
        num_out_features=[8, 8, 8, 8],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.1, "max_depth": 10.0, "name": "nyu"}],
    )
    return ZoeDepthForDepthEstimation(config)


def saved(folder: Path, network: Any, **processor: Any) -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({**PROCESSOR, **processor}))
    return folder


KEEP = {"keep_aspect_ratio": True, "ensure_multiple_of": 32}
MODELS = {
    "dpt": (dpt, KEEP, (64, 64), "relative_disparity"),
    "dpt-hybrid": (dpt_hybrid, {}, (64, 64), "relative_disparity"),
    "anything": (
        depth_anything,
        {"keep_aspect_ratio": True, "ensure_multiple_of": 14},
        (70, 98),
        "relative_disparity",
    ),
    "anything-metric": (
        lambda: depth_anything(depth_estimation_type="metric", max_depth=20),
        {},
        (70, 70),
        "metric_depth",
    ),
    "zoe": (zoedepth, {**KEEP, "do_pad": True}, None, "metric_depth"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_answers(tmp_path: Path, name: str):
    make, processor, expected_hw, kind = MODELS[name]
    estimator = open_estimator(saved(tmp_path / name, make(), **processor))
    raw = estimator.estimate(RGB)
    assert raw.kind == estimator.card.output == kind
    assert raw.values.dtype == np.float32
    assert np.isfinite(raw.values).all()
    if expected_hw is not None:
        assert raw.values.shape == expected_hw
    else:  # ZoeDepth: the reflected border is cut off again, the aspect is the picture's
        assert raw.values.shape[1] / raw.values.shape[0] == pytest.approx(1.5, abs=0.1)


def test_the_network_sees_the_picture_its_processor_describes(tmp_path: Path):
    """A grey picture has one possible preprocessing: compare with the network asked directly."""
    import torch

    network = dpt().eval()
    folder = saved(tmp_path / "dpt", network)
    grey = np.full((50, 50, 3), 204, np.uint8)  # (0.8 - 0.5) / 0.5 = 0.6
    with torch.inference_mode():
        direct = network(pixel_values=torch.full((1, 3, 64, 64), 0.6)).predicted_depth[0].numpy()
    raw = open_estimator(folder).estimate(grey)
    np.testing.assert_allclose(raw.values, direct, atol=1e-5)


def test_convention_dpt_says_larger_is_nearer(tmp_path: Path):
    raw = open_estimator(saved(tmp_path / "dpt", dpt())).estimate(RGB)
    disparity, kind = to_disparity(raw)
    assert kind == "relative"
    by_answer = disparity.ravel()[np.argsort(raw.values, axis=None)]
    assert (np.diff(by_answer) >= 0).all()
    assert by_answer[0] < 0.1
    assert by_answer[-1] > 0.9


def test_convention_metric_models_say_metres(tmp_path: Path):
    network = depth_anything(depth_estimation_type="metric", max_depth=20)
    folder = saved(tmp_path / "metric", network)
    depth = estimate_depth(Photo.from_array(RGB), folder)
    raw = open_estimator(folder).estimate(RGB)
    assert depth.kind == "metric"
    assert depth.depth_m.mean() == pytest.approx(raw.values.mean(), rel=0.02)


def test_another_kind_of_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UnreadableInputError, match="'bert' model"):
        open_estimator(tmp_path)


def test_broken_weights_are_refused(tmp_path: Path):
    folder = saved(tmp_path / "dpt", dpt())
    (folder / "model.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(UnreadableInputError, match="cannot be loaded"):
        open_estimator(folder)


def test_offline_is_one_sentence(tmp_path: Path):
    """In a process of its own, since huggingface_hub reads its environment once."""
    code = (
        "from pullfocus.depth import open_estimator\n"
        "from pullfocus.errors import MissingModelError\n"
        "try: open_estimator('depth-anything/Depth-Anything-V2-Small-hf')\n"
        "except MissingModelError as e: print(e.exit_code, e)"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith("3 The weights of depth-anything/Depth-Anything-V2-Small-hf")
    assert "HF_HUB_OFFLINE is set" in done.stdout
    assert "Traceback" not in done.stderr


def test_no_connection_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    def no_network(*_: Any, **__: Any) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", no_network)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", no_network)
    with pytest.raises(MissingModelError, match="no connection to the hub") as caught:
        open_estimator("somebody/some-model")
    assert caught.value.exit_code == 3


def test_missing_packages_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = saved(tmp_path / "dpt", dpt())
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingModelError, match=r"pip install 'pullfocus\[huggingface\]'"):
        open_estimator(folder)


def test_a_cached_snapshot_is_used_without_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub

    folder = saved(tmp_path / "snapshot", dpt())
    asked: list[dict[str, Any]] = []

    def from_cache(_: str, **how: Any) -> str:
        asked.append(how)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", from_cache)
    estimator = open_estimator("somebody/cached-model")
    assert asked == [{"local_files_only": True}]
    assert estimator.estimate(RGB).values.shape == (64, 64)
