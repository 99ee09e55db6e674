"""What a Photo is made of: arrays and Pillow images are taken as they are meant, or refused."""

import io

import numpy as np
import pytest
from PIL import Image

from pullfocus import estimate_depth, render
from pullfocus.errors import TooLargeError, UnreadableInputError, UsageError
from pullfocus.frozen_arrays import read_only
from pullfocus.photo import as_photo, load
from pullfocus.photo.metadata.camera import camera_optics
from pullfocus.photo.read import photo_from_pillow
from pullfocus.types import DepthMap, Focus, Photo


@pytest.mark.parametrize("how", ["whole", "view", "memory"])
def test_a_photo_does_not_change_with_its_source(how):
    source = np.full((6, 8, 3), 0.25, np.float32)
    alpha = np.ones((6, 8), np.float32)
    given = source
    if how == "view":
        given = source.view()
        given.flags.writeable = False  # the memory can still be written to, through `source`
    if how == "memory":
        buffer = bytearray(source.tobytes())
        given = np.frombuffer(buffer, np.float32).reshape(6, 8, 3)
        source = given
    photo, depth = Photo(given, alpha=alpha), DepthMap(alpha)
    source[...] = 1.0
    alpha[...] = 0.0
    assert (photo.linear == 0.25).all()
    assert (photo.alpha == 1.0).all()
    assert (depth.disparity == 1.0).all()
    assert not photo.linear.flags.writeable


def test_what_nobody_can_change_is_not_copied():
    locked = read_only(np.zeros((6, 8, 3), np.float32))
    photo = Photo(locked)
    assert np.shares_memory(photo.linear, locked)
    assert np.shares_memory(photo.with_linear(photo.linear[:3]).linear, locked)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 3e38])
def test_one_value_that_is_no_number_is_refused(broken):
    linear = np.zeros((6, 8, 3), np.float32)
    linear[2, 3, 1] = broken
    for make in (
        lambda: Photo(linear),
        lambda: Photo.from_array(linear, encoded=False),
        lambda: Photo.from_array(np.zeros((6, 8, 3))).with_linear(linear),
    ):
        with pytest.raises(
            UsageError, match=r"holds 1 values that are NaN or infinite.*nan_to_num"
        ):
            make()
    with pytest.raises(UsageError, match="The alpha holds 1"):
        Photo(np.zeros((6, 8, 3), np.float32), alpha=linear[..., 1])


def test_values_above_white_are_kept():
    assert Photo.from_array(np.full((2, 2, 3), 3.0), encoded=False).linear.max() == 3.0


def test_floats_of_0_to_255_are_refused():
    array = np.linspace(0, 255, 60).reshape(4, 5, 3)
    with pytest.raises(UsageError, match="up to 255: divide it by 255"):
        Photo.from_array(array)
    np.testing.assert_array_equal(
        Photo.from_array(array / 255).encode(8), np.rint(array).astype(np.uint8)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_arrays_of_one_and_two_channels_are_grey(dtype):
    grey = (np.arange(20).reshape(4, 5, 1) * (1 if np.dtype(dtype).kind == "u" else 0.05)).astype(
        dtype
    )
    photo = Photo.from_array(grey)
    assert photo.is_grey
    np.testing.assert_array_equal(photo.linear, Photo.from_array(grey[..., 0]).linear)
    both = Photo.from_array(np.dstack([grey, grey]))
    top = np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1
    np.testing.assert_allclose(both.alpha, grey[..., 0] / top, rtol=1e-6)
    np.testing.assert_array_equal(both.linear, photo.linear)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 5, 5), np.uint8), "1 to 4 channels"),
        (np.zeros(4, np.uint8), "1 to 4 channels"),
        (np.zeros((0, 5, 3), np.uint8), "1 to 4 channels"),
        (np.zeros((4, 5, 3), np.int64), "uint8, uint16 or float, not int64"),
        (np.zeros((4, 5, 3), bool), "not bool"),
        (Image.new("RGB", (5, 4)), "give it to pullfocus.load"),
    ],
)
def test_other_arrays_get_a_sentence(array, words):
    with pytest.raises(UsageError, match=words):
        Photo.from_array(array)


def test_load_takes_arrays_and_pillow_images(ramp8, make_exif, gamma_profile, to_bytes):
    np.testing.assert_array_equal(load(ramp8).encode(8), ramp8)
    data = to_bytes(
        Image.fromarray(ramp8), "PNG", exif=b"Exif\0\0" + make_exif(6), icc_profile=gamma_profile
    )
    from_file, opened = load(data), load(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(opened.linear, from_file.linear)  # turned, by its profile
    assert opened.metadata.icc_profile == gamma_profile
    assert opened.metadata.optics == from_file.metadata.optics


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16"]
)
def test_pillow_images_of_every_mode_are_taken(mode):
    image = Image.new(mode, (5, 4))
    assert load(image).size_hw == (4, 5)


def test_float_pillow_images_are_linear():
    assert load(Image.new("F", (5, 4), 1.5)).linear.max() == 1.5


def test_a_damaged_pillow_image_is_refused(ramp8, to_bytes):
    data = to_bytes(Image.fromarray(ramp8), "PNG")
    with pytest.raises(UnreadableInputError, match="the given Pillow image"):
        load(Image.open(io.BytesIO(data[: len(data) // 2])))
    with pytest.raises(TooLargeError):
        photo_from_pillow(Image.new("L", (2000, 2000)), max_megapixels=1)


@pytest.mark.parametrize("given", [None, 7, [1, 2], {"a": 1}])
def test_load_refuses_what_it_cannot_read(given):
    with pytest.raises(UsageError, match="A photo is given as a path"):
        load(given)


def test_depth_and_render_take_arrays_and_pillow_images():
    rgb = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    depth = DepthMap(np.tile(np.linspace(0, 1, 60, dtype=np.float32), (40, 1)))
    expected = render(Photo.from_array(rgb), depth, Focus(1.0)).linear
    np.testing.assert_array_equal(render(rgb, depth, Focus(1.0)).linear, expected)
    np.testing.assert_array_equal(render(Image.fromarray(rgb), depth, Focus(1.0)).linear, expected)
    with pytest.raises(UsageError, match="given as a DepthMap, not as ndarray"):
        render(rgb, depth.disparity, Focus(1.0))
    with pytest.raises(UsageError, match="A photo is given as a path"):
        render(None, depth, Focus(1.0))
    with pytest.raises(UsageError, match="A photo is given as a path"):
        estimate_depth(None)
    photo = Photo.from_array(rgb, embedded_depth=depth)
    assert as_photo(photo) is photo


def test_focal_lengths_that_no_lens_has_are_ignored_with_a_note(make_exif):
    block = make_exif()
    assert camera_optics(block).focal_length_35mm == 75
    odd = block.replace(
        b"\xa4\x05\0\3\0\0\0\1\0\x4b", b"\xa4\x05\0\3\0\0\0\1" + (14279).to_bytes(2, "big")
    )
    notes: list[str] = []
    optics = camera_optics(odd, notes)
    assert optics.focal_length_35mm is None
    assert optics.focal_length_mm == 50
    assert notes == [
        "Its EXIF says a full-frame focal length of 14279 mm, which no lens has: ignored."
    ]
    unknown = block.replace(b"\xa4\x05\0\3\0\0\0\1\0\x4b", b"\xa4\x05\0\3\0\0\0\1\0\0")
    assert camera_optics(unknown, notes).focal_length_35mm is None
    assert len(notes) == 1


def test_the_emulators_focal_length_is_ignored(cases):
    photo = load(cases("photo/exif-focal-14279/emulator.jpg"))
    assert photo.metadata.optics.focal_length_35mm is None
    assert any("14279 mm" in note for note in photo.metadata.notes)
