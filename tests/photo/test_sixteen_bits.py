"""16 bits in, 16 bits out, proven by counting levels; float stays float."""

import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile

from pullfocus.errors import UnreadableInputError
from pullfocus.photo import load, save
from pullfocus.photo.codecs import png
from pullfocus.types import Photo


def codes_of(photo: Photo) -> np.ndarray:
    return photo.encode(16)


def levels(array: np.ndarray) -> int:
    return np.unique(array).size


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.ppm"])
def test_convention_16_bits_survive_with_every_level(name, tmp_path, ramp16):
    path = save(Photo.from_array(ramp16), tmp_path / name)
    photo = load(path)
    assert photo.bit_depth == 16
    assert levels(codes_of(photo)) == levels(ramp16) > 10000
    np.testing.assert_array_equal(photo.encoded, ramp16)
    again = load(save(photo, tmp_path / f"b{name}"))
    np.testing.assert_array_equal(again.encoded, ramp16)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_16_bit_grey_survives(name, tmp_path, ramp16):
    photo = load(save(Photo.from_array(ramp16[..., 0]), tmp_path / name))
    assert photo.is_grey
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.encoded[..., 0], ramp16[..., 0])


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_16_bit_alpha_survives(name, grey, tmp_path, ramp16):
    alpha = ramp16[..., 1].astype(np.float32) / 65535
    photo = Photo.from_array(ramp16[..., 0] if grey else ramp16, alpha=alpha)
    back = load(save(photo, tmp_path / name))
    np.testing.assert_array_equal(np.rint(back.alpha * 65535), ramp16[..., 1])
    np.testing.assert_array_equal(back.encoded, photo.encoded)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.bmp"])
def test_formats_of_8_bits_get_8_bits(name, tmp_path, ramp16):
    assert load(save(Photo.from_array(ramp16), tmp_path / name)).bit_depth == 8


def interlaced_free_png(array: np.ndarray, colour_type: int, extra: bytes = b"") -> bytes:
    height, width = array.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = png.chunk(b"IHDR", header) + extra + png.chunk(b"IDAT", zlib.compress(rows))
    return png.SIGNATURE + chunks + png.chunk(b"IEND", b"")


def test_16_bit_png_of_other_programs(ramp16):
    grey_alpha = load(interlaced_free_png(ramp16[..., :2], 4))
    assert grey_alpha.is_grey
    np.testing.assert_array_equal(grey_alpha.encoded[..., 0], ramp16[..., 0])
    key = png.chunk(b"tRNS", ramp16[0, 0].astype(">u2").tobytes())
    keyed = load(interlaced_free_png(ramp16, 2, key))
    np.testing.assert_array_equal(keyed.alpha == 0, (ramp16 == ramp16[0, 0]).all(axis=2))


def tiff(array: np.ndarray, **options) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


@pytest.mark.parametrize("compression", [None, "zlib", "packbits"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_of_other_programs(compression, planar, order, ramp16):
    array = ramp16 if planar == "contig" else np.ascontiguousarray(np.moveaxis(ramp16, 2, 0))
    photo = load(
        tiff(
            array, photometric="rgb", planarconfig=planar, compression=compression, byteorder=order
        )
    )
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.encoded, ramp16)


LZW_WITHOUT_IMAGECODECS = """
import sys
sys.modules["imagecodecs"] = None
import numpy as np
from pullfocus.photo import load
for name in sys.argv[1:-1]:
    photo = load(name)
    assert photo.bit_depth == 16
    assert np.array_equal(photo.encoded, np.load(sys.argv[-1])), name
"""


def test_lzw_tiff_is_read_with_and_without_imagecodecs(tmp_path, ramp16):
    import cv2

    path = tmp_path / "lzw.tif"
    path.write_bytes(cv2.imencode(".tif", ramp16[..., ::-1])[1].tobytes())
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].compression == 5
    np.testing.assert_array_equal(load(path).encoded, ramp16)
    np.save(tmp_path / "expected.npy", ramp16)
    names = [str(path), str(tmp_path / "expected.npy")]
    subprocess.run([sys.executable, "-c", LZW_WITHOUT_IMAGECODECS, *names], check=True)


TURNED_WITHOUT_IMAGECODECS = """
import sys
sys.modules["imagecodecs"] = None
import numpy as np
from pullfocus.errors import UnreadableInputError
from pullfocus.photo import load
expected = np.rot90(np.load(sys.argv[3]), -1)
assert np.array_equal(load(sys.argv[1]).encode(16), expected)
try:
    load(sys.argv[2])
except UnreadableInputError as error:
    assert "imagecodecs" in str(error)
else:
    sys.exit("separate planes were read without a codec")
"""


def test_turned_lzw_tiff_is_turned_once_without_imagecodecs(tmp_path, ramp16):
    pytest.importorskip("imagecodecs", reason="needed to write the compressed test files")
    names = []
    for planar in ("contig", "separate"):
        array = ramp16 if planar == "contig" else np.ascontiguousarray(np.moveaxis(ramp16, 2, 0))
        options = {"planarconfig": planar, "compression": "lzw", "predictor": True}
        tags = [(0x0112, 3, 1, 6, True)]
        names.append(str(tmp_path / f"{planar}.tif"))
        tifffile.imwrite(names[-1], array, photometric="rgb", extratags=tags, **options)
    np.save(tmp_path / "expected.npy", ramp16)
    command = [sys.executable, "-c", TURNED_WITHOUT_IMAGECODECS]
    subprocess.run([*command, *names, str(tmp_path / "expected.npy")], check=True)


def test_12_bits_in_16_are_stretched():
    array = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    head = b"P5\n# a comment\n64 64\n4095\n"
    photo = load(head + array.astype(">u2").tobytes())
    assert photo.encoded.max() == 65535
    assert levels(photo.encoded) == 4096


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bits_written_as_text_are_kept(channels, ramp16):
    array = ramp16[:5, :7, :channels]
    numbers = "\n".join(str(value) for value in array.ravel())
    data = f"P{2 if channels == 1 else 3}\n7 5\n65535\n# a comment\n{numbers}\n".encode()
    photo = load(data)
    assert (photo.bit_depth, photo.is_grey) == (16, channels == 1)
    np.testing.assert_array_equal(photo.encoded[..., :channels], array)
    for broken in (data[: len(data) // 2], data.replace(b"\n13\n", b"\nx\n")):
        with pytest.raises(UnreadableInputError, match="cut short"):
            load(broken)


def test_premultiplied_16_bit_alpha_is_divided(ramp16):
    alpha = np.full(ramp16.shape[:2], 32768, np.uint16)
    premultiplied = np.dstack([(ramp16 // 2), alpha])
    photo = load(tiff(premultiplied, photometric="rgb", extrasamples=["assocalpha"]))
    assert np.abs(photo.encoded.astype(int) - ramp16).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_channel_that_is_no_transparency_is_no_alpha(dtype, ramp16):
    """As Photoshop stores a saved selection: ExtraSamples 0, unspecified."""
    selection = np.zeros(ramp16.shape[:2], np.uint16)
    array = np.dstack([ramp16, selection])
    array = array if dtype == np.uint16 else (array >> 8).astype(np.uint8)
    photo = load(tiff(array, photometric="rgb", extrasamples=["unspecified"]))
    assert photo.alpha is None
    np.testing.assert_array_equal(photo.encoded, array[..., :3])
    assert any("transparency" in note for note in photo.metadata.notes)


def test_16_bit_lab_is_not_taken_for_rgb():
    """L 16 bits, a and b signed: the same colours as the 8-bit file, told in the notes."""
    codes = np.zeros((6, 8, 3), np.int32)
    codes[...] = (150, 40, -30)
    codes[:3] = (60, -20, 0)
    small = codes.astype(np.int8).view(np.uint8)
    small[..., 0] = codes[..., 0]
    large = np.dstack([codes[..., 0] * 257, codes[..., 1] * 256, codes[..., 2] * 256])
    given = load(tiff(small, photometric="cielab"))
    photo = load(tiff((large & 0xFFFF).astype(np.uint16), photometric="cielab"))
    np.testing.assert_array_equal(photo.encode(8), given.encode(8))
    assert any("Lab" in note for note in photo.metadata.notes)


def test_the_preview_of_a_camera_raw_file_is_not_its_photo(tmp_path):
    """NEF and ARW: a small RGB page first, the sensor's data in a directory below it."""
    path = tmp_path / "dsc.nef"
    with tifffile.TiffWriter(path) as out:
        preview = np.full((8, 12, 3), 90, np.uint8)
        out.write(preview, photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        pattern = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, bytes([0, 1, 1, 2]), True)]
        sensor = np.zeros((40, 60), np.uint16)
        out.write(sensor, photometric=32803, metadata=None, extratags=pattern)
    with pytest.raises(UnreadableInputError, match="camera raw"):
        load(path)


def test_sound_files_that_are_not_read_are_not_called_damaged():
    """Heights of GIS programs, and palettes where Pillow does not read them."""
    with pytest.raises(UnreadableInputError, match="signed integers"):
        load(tiff(np.ones((5, 7), np.int16), photometric="minisblack"))
    colours = np.zeros((3, 65536), np.uint16)
    with pytest.raises(UnreadableInputError, match="palette"):
        load(tiff(np.ones((5, 7), np.uint16), photometric="palette", colormap=colours))


def test_white_is_zero_is_turned(ramp16):
    photo = load(tiff(ramp16[..., 0], photometric="miniswhite"))
    np.testing.assert_array_equal(photo.encoded[..., 0], 65535 - ramp16[..., 0])


def test_convention_float_tiff_is_linear_and_exact(tmp_path):
    values = np.random.default_rng(0).normal(0.5, 0.6, (20, 30, 3)).astype(np.float32)
    photo = load(tiff(values, photometric="rgb"))
    assert photo.bit_depth == 32
    np.testing.assert_array_equal(photo.linear, values)
    back = load(save(photo, tmp_path / "a.tif"))
    np.testing.assert_array_equal(back.linear, values)
    assert load(save(photo, tmp_path / "a.png")).bit_depth == 16


def test_float_tiff_with_a_profile_follows_it(tmp_path, gamma_profile):
    values = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    data = tiff(
        values, photometric="rgb", extratags=[(34675, 7, len(gamma_profile), gamma_profile, True)]
    )
    photo = load(data)
    np.testing.assert_allclose(photo.linear, values ** (563 / 256), atol=1e-6)
    back = load(save(photo, tmp_path / "a.tif"))
    assert back.metadata.icc_profile == gamma_profile
    np.testing.assert_allclose(back.linear, photo.linear, atol=1e-6)


@pytest.mark.parametrize("broken", [np.nan, np.inf, np.finfo(np.float32).max])
def test_nan_in_a_float_photo_becomes_black_with_a_note(broken):
    values = np.full((4, 4, 3), 0.5, np.float32)
    values[0, 0] = broken
    photo = load(tiff(values, photometric="rgb"))
    np.testing.assert_array_equal(photo.linear[0, 0], 0)
    np.testing.assert_array_equal(photo.linear[1:], 0.5)
    assert any("NaN" in note for note in photo.metadata.notes)


def test_ten_bit_heic_is_read_as_16(shared):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    photo = load(shared("phone/heic/cat.hif"))
    assert photo.bit_depth == 16
    assert 256 < levels(photo.encoded[::4, ::4]) <= 1024
