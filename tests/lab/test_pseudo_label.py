"""Pseudo-labels: merged, sure where answers agree, resumable, read as they were written."""

import tarfile
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest

from pullfocus.depth.card import ModelCard, Preprocessing
from pullfocus.depth.estimator import RawDepth
from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.cli import main
from pullfocus.lab.pseudo_label import label_folder, label_photo, read_shards, shard_paths


@dataclass
class Ramp:
    """Says that lower is nearer, in another unit every time; noise where the photo is bright."""

    noise: float = 0.0
    card: ModelCard = field(
        default_factory=lambda: ModelCard("ramp", "MIT", "relative_disparity", "embedded")
    )
    asked: list = field(default_factory=list)
    id = "ramp"

    def estimate(self, rgb):
        self.asked.append(self.card.preprocessing.size_hw)
        calls, (h, w) = len(self.asked), rgb.shape[:2]
        ramp = np.tile(np.linspace(0, 1, h, dtype=np.float32)[:, None], (1, w))
        noise = np.random.default_rng(calls).normal(0, self.noise, (h, w))
        noise[rgb[:, :, 0] < 128] = 0
        return RawDepth((calls * (ramp + noise) + 3).astype(np.float32), self.card.output)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    left_is_bright = np.zeros((60, 80, 3), np.uint8)
    left_is_bright[:, :40] = 255
    for name in ("a.png", "b.jpg", "more/a.png", "more/c.png"):
        cv2.imwrite(str(folder / name), left_is_bright)
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def test_answers_in_different_units_merge_into_one():
    model = Ramp()
    label = label_photo(np.zeros((60, 80, 3), np.uint8), model)
    assert [hw[0] for hw in model.asked] == [384, 384, 307, 307, 480, 480]
    assert np.median(label.disparity) == pytest.approx(0, abs=1e-3)
    assert np.abs(label.disparity).mean() == pytest.approx(1, abs=1e-2)
    assert label.disparity[50, 40] > label.disparity[10, 40] + 1
    assert label.confidence.min() > 0.9


def test_networks_of_a_fixed_size_are_asked_at_that_size_only():
    fixed = replace(Ramp().card, preprocessing=Preprocessing(rule="fixed"))
    model = Ramp(card=fixed)
    label_photo(np.zeros((60, 80, 3), np.uint8), model)
    assert len(model.asked) == 2


def test_confidence_is_low_where_answers_differ(photos):
    rgb = cv2.imread(str(photos / "a.png"))
    label = label_photo(rgb, Ramp(noise=0.3), long_side=40)
    assert label.disparity.shape == (30, 40)
    assert label.confidence[:, :18].mean() < 0.3
    assert label.confidence[:, 22:].mean() > 2 * label.confidence[:, :18].mean()


def test_a_stopped_run_goes_on_and_broken_photos_are_passed_over(photos, tmp_path):
    out = tmp_path / "labels"

    class Tired(Ramp):
        def estimate(self, rgb):
            if len(self.asked) == 12:  # three photos take 18
                raise KeyboardInterrupt
            return super().estimate(rgb)

    with pytest.raises(KeyboardInterrupt):
        label_folder(photos, out, Tired(), per_shard=1)
    assert len(shard_paths(out)) == 2
    model, heard = Ramp(), {}
    count = label_folder(photos, out, model, per_shard=1, told=heard.__setitem__)
    assert count == 4
    assert len(model.asked) == 2 * 6
    assert heard["broken.jpg"] is None
    assert 0 < heard["more/a.png"] <= 1
    names = [photo.name for photo in read_shards(shard_paths(out))]
    assert sorted(names) == ["a.png", "b.jpg", "more/a.png", "more/c.png"]


def test_what_is_written_is_read(photos, tmp_path):
    out = tmp_path / "labels"
    label_folder(photos, out, Ramp(), long_side=40)
    expected = label_photo(cv2.imread(str(photos / "a.png")), Ramp(), long_side=40)
    first = next(read_shards(shard_paths(out)))
    assert first.rgb.shape == (30, 40, 3)
    np.testing.assert_allclose(first.disparity, expected.disparity, atol=1e-3)
    np.testing.assert_allclose(first.confidence, expected.confidence, atol=1e-2)
    assert first.score == pytest.approx(expected.score, abs=1e-6)
    with tarfile.open(shard_paths(out)[0]) as tar:
        endings = [name.split(".", 1)[1] for name in tar.getnames()[:4]]
    assert endings == ["jpg", "disparity.png", "confidence.png", "json"]


def test_shards_are_shuffled_by_seed_and_shared_by_workers(photos, tmp_path):
    out = tmp_path / "labels"
    label_folder(photos, out, Ramp(), long_side=40, per_shard=1)
    paths = shard_paths(out)
    orders = {tuple(p.name for p in read_shards(paths, seed)) for seed in range(8)}
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1
    shares = [[p.name for p in read_shards(paths, 3, worker, 2)] for worker in (0, 1)]
    assert sorted(shares[0] + shares[1]) == sorted(next(iter(orders)))


def test_reading_can_be_left_off_early(photos, tmp_path):
    out = tmp_path / "labels"
    label_folder(photos, out, Ramp(), long_side=40)
    reader = read_shards(shard_paths(out) * 30)
    next(reader)
    reader.close()
    with pytest.raises(StopIteration):
        next(reader)


def test_damaged_or_missing_shards_are_named(photos, tmp_path):
    with pytest.raises(UnreadableInputError, match="pseudo-label"):
        shard_paths(tmp_path)
    out = tmp_path / "labels"
    label_folder(photos, out, Ramp(), long_side=40)
    (path,) = shard_paths(out)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(UnreadableInputError, match=r"shard-000000\.tar"):
        list(read_shards([path]))


def test_labels_of_another_model_are_not_mixed_in(photos, tmp_path):
    out = tmp_path / "labels"
    label_folder(photos, out, Ramp(), long_side=40)
    with pytest.raises(UsageError, match="another folder"):
        label_folder(photos, out, Ramp(), long_side=50)


def test_from_the_command_line_with_a_registered_model(photos, tmp_path, capsys):
    out = tmp_path / "labels"
    arguments = [str(photos), "-o", str(out), "--model", "lower-row", "--long-side", "40"]
    assert main(["pseudo-label", *arguments]) == 0
    said = capsys.readouterr().out
    assert "broken.jpg: not readable" in said
    assert "4 photos labelled by lower-row" in said
