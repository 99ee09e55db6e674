"""Packs and views: what is written is read, picture and disparity stay together."""

import numpy as np
import pytest

from pullfocus.lab.data.crops import CropConfig, batches, recolour, view
from pullfocus.lab.data.pack import Item, Pack, write_pack
from pullfocus.lab.data.photos import fitted_hw, shrink


def _item(source="photo"):
    ramp = np.linspace(0, 255, 80).astype(np.uint8)
    rgb = np.repeat(np.repeat(ramp[None, :, None], 60, 0), 3, 2)
    return Item("ramp", source, rgb, rgb[::2, ::2, 0] / np.float32(255))


@pytest.fixture
def pack(tmp_path):
    assert write_pack(tmp_path / "p", [_item(), _item("sensor")]) == 2
    return Pack(tmp_path / "p")


def test_a_pack_gives_back_what_was_written(pack):
    assert len(pack) == 2
    assert [i.source for i in pack] == ["photo", "sensor"]
    np.testing.assert_array_equal(pack[1].rgb, _item().rgb)
    np.testing.assert_allclose(pack[0].disparity, _item().disparity, atol=1e-3)


def test_an_unfinished_pack_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Pack(tmp_path)


def test_views_move_picture_and_disparity_alike(pack, monkeypatch):
    monkeypatch.setattr("pullfocus.lab.data.crops.recolour", lambda rgb, rng: rgb)
    rng = np.random.default_rng(0)
    for _ in range(8):
        rgb, disparity = view(pack[0], (32, 48), CropConfig(), rng)
        assert rgb.shape == (32, 48, 3)
        assert disparity.shape == (16, 24)
        half = rgb[::2, ::2, 0] / 255
        assert np.abs(half - disparity).max() < 0.06


def test_batches_are_deterministic_by_seed_and_say_what_is_truth(pack):
    config = CropConfig(sizes=((32, 32), (32, 64)))
    first, second = (next(batches(pack, [(pack, 1)], 3, lambda: config, 5)) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)
    assert first.is_truth.tolist() == [False, False, False, True]


def test_recolour_keeps_type_and_size():
    rng = np.random.default_rng(1)
    for _ in range(30):
        out = recolour(_item().rgb, rng)
        assert out.shape == (60, 80, 3)
        assert out.dtype == np.uint8


def test_sizes_are_multiples_near_the_aspect():
    assert fitted_hw((480, 640), 320) == (256, 320) or fitted_hw((480, 640), 320) == (224, 320)
    assert fitted_hw((10, 1000), 320) == (32, 320)
    assert shrink(np.zeros((50, 800, 3), np.uint8)).shape == (25, 400, 3)
