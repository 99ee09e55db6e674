"""Training: the tiny recipe learns in seconds and goes on after a kill."""

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pullfocus.lab.data.crops import Batch, batches  # noqa: E402
from pullfocus.lab.data.pack import Item, Pack, write_pack  # noqa: E402
from pullfocus.lab.recipes import RECIPES  # noqa: E402
from pullfocus.lab.train import Trainer, crop_config, hint_weight, learning_rate, run  # noqa: E402

TINY = RECIPES["compact-tiny"]


def _pictures(count=6):
    rng = np.random.default_rng(0)
    for n in range(count):
        rgb = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (160, 120))
        slope = np.repeat(np.linspace(0, 1, 60, dtype=np.float32)[:, None], 80, 1)
        rgb[60:, :, n % 3] //= 2
        yield Item(str(n), "photo", rgb, slope)


@pytest.fixture
def pack(tmp_path):
    write_pack(tmp_path / "photos", _pictures())
    return Pack(tmp_path / "photos")


def test_the_tiny_recipe_learns_and_logs(pack, tmp_path):
    torch.set_num_threads(1)
    trainer = Trainer(TINY, None, tmp_path / "run")
    run(trainer, batches(pack, [], TINY.photos_per_batch, lambda: TINY.crops, 0), log_every=5)
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert rows[-1]["ssi_photo"] < 0.6 * rows[0]["ssi_photo"]
    assert trainer.crops == TINY.total_crops


def test_a_killed_run_goes_on_where_it_stood(pack, tmp_path):
    torch.set_num_threads(1)
    short = TINY.but(total_crops=24)
    stream = batches(pack, [], TINY.photos_per_batch, lambda: TINY.crops, 0)
    first = Trainer(short, None, tmp_path / "run")
    run(first, stream)
    second = Trainer(TINY, None, tmp_path / "run")
    assert second.crops == 24
    for a, b in zip(first.net.parameters(), second.net.parameters(), strict=True):
        torch.testing.assert_close(a, b)
    batch = next(stream)
    assert first.step(batch) == pytest.approx(second.step(batch))


def test_a_leg_may_train_the_person_mask_alone(pack, tmp_path):
    torch.set_num_threads(1)
    only = ("p3", "p2", "p1", "person")
    trainer = Trainer(TINY.but(only=only), None, tmp_path / "run")
    before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    rgb = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), np.uint8)
    person = np.zeros((2, 32, 48), np.float32)
    person[:, 8:, 10:30] = 1
    disparity = np.full((2, 32, 48), np.nan, np.float32)
    trainer.step(Batch(rgb, disparity, person, np.array([False, False])))
    changed = {n for n, v in trainer.net.state_dict().items() if not torch.equal(v, before[n])}
    assert "person.weight" in changed
    assert {name.split(".")[0] for name in changed} <= set(only)


def test_rates_warm_up_and_fall():
    config = RECIPES["compact"]
    assert learning_rate(config, 0) < 0.01 * config.rate
    assert learning_rate(config, config.warmup_crops) > 0.9 * config.rate
    assert learning_rate(config, config.total_crops) == pytest.approx(config.final_rate)
    assert crop_config(config, 0) == config.crops
    assert crop_config(config, config.total_crops) == config.late_crops
    assert hint_weight(config, 0) == config.hint_weight
    assert hint_weight(config, config.total_crops) == pytest.approx(0.1 * config.hint_weight)


def test_a_run_begins_with_an_exported_network(pack, tmp_path):
    from pullfocus.lab.export import export_checkpoint

    torch.set_num_threads(1)
    stream = batches(pack, [], TINY.photos_per_batch, lambda: TINY.crops, 0)
    first = Trainer(TINY, None, tmp_path / "first")
    run(first, stream)
    export_checkpoint(tmp_path / "first/checkpoint.pt", tmp_path / "a.onnx", {})
    second, third = (Trainer(TINY, None, tmp_path / name) for name in ("second", "third"))
    second.start_from(tmp_path / "a.onnx", next(stream))
    batch = next(stream)
    assert second.step(batch)["ssi_photo"] < 0.7 * third.step(batch)["ssi_photo"]


def test_unknown_depth_everywhere_is_survived(tmp_path):
    trainer = Trainer(TINY, None, tmp_path)
    rgb = np.zeros((2, 64, 96, 3), np.uint8)
    unknown = np.full((2, 32, 48), np.nan, np.float32)
    losses = trainer.step(Batch(rgb, unknown, unknown, np.array([False, True])))
    assert all(np.isfinite(v) for v in losses.values())
