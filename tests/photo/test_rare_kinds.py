"""Sound files of rare kinds: 12-bit and lossless JPEG, TIFF of any codec, bit depth and layout."""

import io
import struct

import numpy as np
import pytest
import tifffile

from pullfocus.errors import MissingModelError, UnreadableInputError
from pullfocus.photo import load

codecs = pytest.importorskip("imagecodecs", reason="needed to write the test files")


@pytest.fixture(scope="module")
def codes12() -> np.ndarray:
    y, x = np.mgrid[0:40, 0:64]
    return np.dstack([x * 60 + 9, y * 90 + 5, 4000 - x * 30 - y * 40]).astype(np.uint16)


def of(photo, bits: int = 12) -> np.ndarray:
    return photo.encode(16).astype(int) >> (16 - bits)


@pytest.mark.parametrize("grey", [False, True])
def test_12_bit_jpeg_is_read_as_16(grey, codes12):
    array = np.ascontiguousarray(codes12[..., 0]) if grey else codes12
    photo = load(codecs.jpeg8_encode(array, level=98, bitspersample=12))
    assert photo.bit_depth == 16
    assert photo.is_grey == grey
    wanted = array[..., None] if grey else array
    assert np.abs(of(photo) - wanted).mean() < 12


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_is_read_exactly(bits, codes12):
    array = codes12 if bits == 12 else (codes12 * 16 if bits == 16 else codes12 // 16)
    array = array.astype(np.uint8 if bits == 8 else np.uint16)
    photo = load(codecs.jpeg8_encode(array, lossless=True, bitspersample=bits))
    assert photo.bit_depth == (8 if bits == 8 else 16)
    np.testing.assert_array_equal(of(photo, bits), array)


def test_a_jpeg_of_a_kind_that_nobody_reads_is_not_called_damaged(codes12):
    data = bytearray(codecs.jpeg8_encode((codes12 // 16).astype(np.uint8)))
    data[data.index(b"\xff\xc0") + 1] = 0xC5  # hierarchical
    with pytest.raises(UnreadableInputError, match="of a kind that is not read here") as caught:
        load(bytes(data))
    assert "damaged" not in str(caught.value)
    with pytest.raises(UnreadableInputError, match="of a kind that is not read here"):
        load(codecs.jpegls_encode((codes12 // 16).astype(np.uint8)))


def test_without_the_codecs_it_is_said_what_to_install(codes12, monkeypatch):
    data = codecs.jpeg8_encode(codes12, bitspersample=12)
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(MissingModelError, match="pip install imagecodecs"):
        load(data)


def tiff(array: np.ndarray, **options) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, array, photometric="rgb", **options)
    return out.getvalue()


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("codec", [None, "lzw", "deflate", "lzma", "zstd", "packbits", "jpeg2000"])
def test_planar_and_packed_16_bit_tiff(codec, planes, codes12):
    array = (codes12 * 16).astype(np.uint16)
    given = np.moveaxis(array, -1, 0) if planes else array
    layout = "separate" if planes else "contig"
    photo = load(tiff(given, compression=codec, planarconfig=layout))
    assert photo.bit_depth == 16
    np.testing.assert_array_equal(photo.encoded, array)


@pytest.mark.parametrize("codec", ["webp", "lerc", "jpegxl", "zstd", "lzma", "png"])
def test_8_bit_tiff_of_codecs_that_pillow_lacks(codec, codes12, capfd):
    array = (codes12 // 16).astype(np.uint8)
    photo = load(tiff(array, compression=codec))
    assert photo.bit_depth == 8
    assert np.abs(photo.encoded.astype(int) - array).max() <= (0 if codec != "webp" else 60)


def test_12_bits_packed_and_12_bit_jpeg_in_tiff(codes12):
    photo = load(tiff(codes12, bitspersample=12))
    np.testing.assert_array_equal(of(photo), codes12)
    photo = load(tiff(codes12, bitspersample=12, compression="jpeg"))
    assert photo.bit_depth == 16
    assert np.abs(of(photo) - codes12).mean() < 40


def test_the_shared_files_of_rare_kinds(cases):
    monkey = load(cases("photo/jpeg-12bit/monkey12.jpg"))
    assert (monkey.size_hw, monkey.bit_depth) == ((227, 149), 16)
    assert np.unique(monkey.encoded).size > 1000
    planar = load(cases("photo/tiff-12bit-planar/tiff_strip_planar_16bit_RGB.tiff"))
    assert (planar.size_hw, planar.bit_depth) == ((40, 100), 16)
    assert planar.encoded.max(axis=(0, 1)).tolist() == [39661, 35348, 29903]


def test_a_tag_that_is_no_number_is_damage():
    data = bytearray(tiff(np.zeros((16, 16, 3), np.uint8)))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        at = file.pages[0].tags[256].offset
    struct.pack_into("<H", data, at + 2, 2)  # the width is text
    with pytest.raises(UnreadableInputError):
        load(bytes(data))
