"""Packs and views: what is written is read, picture and disparity stay together."""

import pickle

import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError
from pullfocus.lab.data.crops import CropConfig, recolour, view
from pullfocus.lab.data.pack import Item, Pack, write_pack
from pullfocus.lab.data.people import cut_out, put_into, with_people
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
        rgb, disparity, _ = view(pack[0], (32, 48), CropConfig(), rng)
        assert rgb.shape == (32, 48, 3)
        assert disparity.shape == (16, 24)
        half = rgb[::2, ::2, 0] / 255
        assert np.abs(half - disparity).max() < 0.06


def test_an_empty_pack_is_refused(tmp_path):
    write_pack(tmp_path / "none", [])
    with pytest.raises(UnreadableInputError, match="none holds no pictures"):
        Pack(tmp_path / "none")


def test_a_pack_travels_to_another_process_by_its_folder(pack):
    sent = pickle.dumps(pack)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent)[0].rgb, pack[0].rgb)


def _portrait():
    """Return a red square person before grey."""
    item = _item()
    person = np.zeros(item.disparity.shape, np.float32)
    person[10:20, 15:25] = 1
    rgb = np.full_like(item.rgb, 128)
    rgb[20:40, 30:50] = (200, 0, 0)
    return Item("portrait", "photo", rgb, item.disparity, person)


def test_a_guest_is_seen_where_the_mask_says_and_has_no_known_depth(tmp_path):
    write_pack(tmp_path / "p", [_item(), _portrait()])
    photos = Pack(tmp_path / "p")
    assert with_people(photos).tolist() == [1]
    cut = cut_out(photos[1])
    assert cut.shape[:2] == (20, 20)
    for seed in range(12):
        rgb = np.full((64, 96, 3), 30, np.uint8)
        disparity, person = np.ones((32, 48), np.float32), np.zeros((32, 48), np.float32)
        put_into(rgb, disparity, person, cut, np.random.default_rng(seed))
        inside = person > 0.99
        assert inside.any()
        assert np.isnan(disparity[inside]).all()
        assert (rgb[::2, ::2][inside][:, 0] > 150).all()
        assert (rgb[::2, ::2][np.isfinite(disparity)] == 30).all()


@pytest.mark.parametrize("cut_hw", [(40, 300), (300, 4), (1, 1), (64, 96)])
def test_a_guest_of_any_shape_finds_a_place(cut_hw):
    cut = np.full((*cut_hw, 4), 255, np.uint8)
    for seed in range(20):
        rgb = np.zeros((64, 96, 3), np.uint8)
        disparity, person = np.ones((32, 48), np.float32), np.zeros((32, 48), np.float32)
        put_into(rgb, disparity, person, cut, np.random.default_rng(seed))
        assert rgb.max() == 255
        assert person.max() > 0


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
