"""Sides that no power of two divides: what is estimated on cells does not change at the border."""

import numpy as np
import pytest

from pullfocus.render.layered.highlight_recovery import _clipped_share, cell_places, find_lights
from pullfocus.render.layered.renderer import render_linear
from pullfocus.types import Lens

SIZES = [(64, 96), (61, 83), (9, 100), (101, 107), (7, 5), (1, 1), (3, 70), (130, 65)]
LIT = Lens(highlights=1.0)


def _spots(size_hw, seed=0):
    """Dim noise with clipped spots, many of them at the border."""
    rng = np.random.default_rng(seed)
    picture = rng.random((*size_hw, 3), np.float32) * 0.2
    rows, columns = rng.integers(0, size_hw[0], 14), rng.integers(0, size_hw[1], 14)
    for row, column in zip(rows, columns, strict=True):
        picture[row : row + 3, column : column + 3] = 1.0
    picture[size_hw[0] // 2 :, -3:] = 1.0
    picture[-2:, : size_hw[1] // 3] = 1.0
    return picture


@pytest.mark.parametrize("size_hw", SIZES)
@pytest.mark.parametrize("radius", [-5.0, 12.0])
def test_white_stays_white(size_hw, radius):
    picture = np.ones((*size_hw, 3), np.float32)
    out = render_linear(picture, np.full(size_hw, radius, np.float32), LIT)
    assert np.abs(out - 1).max() < 1e-4


@pytest.mark.parametrize("size_hw", SIZES)
def test_a_cell_holds_the_mean_of_its_part_of_the_picture(size_hw):
    """Oracle: every pixel cut into so many squares that all cells hold whole ones."""
    picture = _spots(size_hw)
    share, light, brightest = _clipped_share(picture)
    rows, columns = share.shape
    top = picture.max(axis=2).astype(np.float64)

    def means(values):
        squares = values.repeat(rows, axis=0).repeat(columns, axis=1)
        return squares.reshape(rows, size_hw[0], columns, size_hw[1]).mean(axis=(1, 3))

    assert rows == -(-size_hw[0] // 8)
    assert np.allclose(share, means(top >= 0.97), atol=1e-5)
    assert np.allclose(light, means(top), atol=1e-5)
    assert brightest == picture.max()


@pytest.mark.parametrize("side", [1, 5, 8, 9, 63, 64, 100])
def test_convention_places_lie_between_the_centres_of_cells(side):
    cells = -(-side // 8)
    places = cell_places(np.arange(side), side, cells)
    assert places.min() >= 0
    assert places.max() <= cells - 1
    assert np.allclose(places + places[::-1], cells - 1, atol=1e-5)
    if side == 64:
        assert np.allclose(places[12:20], np.arange(12.5, 20) / 8 - 0.5)


@pytest.mark.parametrize("size_hw", [(64, 96), (61, 83), (101, 107), (9, 100), (130, 65)])
@pytest.mark.parametrize("flip", [np.flipud, np.fliplr, lambda p: p.transpose(1, 0, 2)])
def test_a_flipped_picture_gets_the_same_gain(size_hw, flip):
    picture = _spots(size_hw)
    lights, flipped = find_lights(picture, 1.0), find_lights(flip(picture), 1.0)
    assert lights is not None
    assert flipped is not None
    assert np.allclose(flip(lights.gain[..., None])[..., 0], flipped.gain, atol=1e-3)
    assert lights.gain.max() > 2


@pytest.mark.parametrize("size_hw", [(61, 83), (101, 107), (9, 100)])
@pytest.mark.parametrize("flip", [np.flipud, np.fliplr])
def test_a_flipped_picture_is_rendered_flipped(size_hw, flip):
    """At full size; reduced bands are sampled from the first row and column on."""
    picture = _spots(size_hw)
    radius = np.full(size_hw, -6.0, np.float32)
    out, flipped = (render_linear(p, radius, LIT) for p in (picture, flip(picture)))
    assert np.abs(flip(out) - flipped).max() < 1e-3


@pytest.mark.parametrize("radius", [-6.0, -14.0, 30.0])
def test_the_border_is_as_bright_as_where_the_picture_goes_on(radius):
    """Oracle: the same picture with its mirrored surroundings, whose borders lie elsewhere."""
    h, w = 61, 83
    picture = np.random.default_rng(2).random((h, w, 3)).astype(np.float32)
    wide = np.concatenate([picture, picture[::-1]])
    wide = np.concatenate([wide, wide[:, ::-1]], axis=1)
    plain = Lens(highlights=0.0)
    out = render_linear(picture, np.full((h, w), radius, np.float32), plain)
    whole = render_linear(wide, np.full((2 * h, 2 * w), radius, np.float32), plain)[:h, :w]
    assert np.abs(out - whole).max() < 1e-4


@pytest.mark.parametrize("size_hw", [(61, 83), (101, 107)])
def test_the_tensors_do_the_same(size_hw):
    pytest.importorskip("torch")
    from pullfocus.render.layered.torch_backend import render_on_device, upload_scene

    radius = np.full(size_hw, -6.0, np.float32)
    for picture in (np.ones((*size_hw, 3), np.float32), _spots(size_hw)):
        scene = upload_scene(picture, radius, 1.0, 6.0, highlights=1.0, device="cpu")
        out = render_on_device(scene, 1.0, 0.0, 0.0, LIT).numpy().transpose(1, 2, 0)
        assert np.abs(out - render_linear(picture, radius, LIT)).max() < 2e-3
