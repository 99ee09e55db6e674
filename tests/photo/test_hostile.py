"""Small files that ask for much: refused from their headers, or read in time that grows with size.

Sizes are chosen so that work that grew with their square would run into the suite's timeout.
"""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, JpegImagePlugin

from pullfocus.errors import TooLargeError, UnreadableInputError, UsageError
from pullfocus.photo import load, save
from pullfocus.photo.codecs import jpeg, pillow, png
from pullfocus.photo.codecs.decoded import decoding
from pullfocus.photo.metadata import exif, icc, tiff_directories, xmp
from pullfocus.photo.source import Source
from pullfocus.types import Photo

GREY = np.full((16, 16, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def tiny(to_bytes) -> dict[str, bytes]:
    return {kind: to_bytes(Image.fromarray(GREY), kind) for kind in ("PNG", "JPEG")}


def png_with_xmp(data: bytes, packet: bytes) -> bytes:
    body = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet, 9)
    return png.with_chunks(data, [png.chunk(b"iTXt", body)])


NAMESPACES = b" ".join(b'xmlns:p%d="%s"' % (i, xmp.GDEPTH.encode()) for i in range(30000))
OPEN = b'<a xmlns:G="' + xmp.GDEPTH.encode() + b'">'
PACKETS = {
    "namespaces": b"<a " + NAMESPACES + b' p7:Near="1" b="2"/>',
    "white space": OPEN[:-1] + b" " * 2_000_000 + b"/>",
    "one word": OPEN + b"a" * 2_000_000 + b"</a>",
    "open elements": OPEN + b"<G:a>" * 400_000 + b"</a>",
    "elements": OPEN + b"<G:a></G:a>" * 200_000 + b"</a>",
    "quotes": OPEN + b' a:b="' * 400_000 + b"</a>",
    "declarations": OPEN + b"xmlns:a" * 400_000 + b"</a>",
    "orientations": OPEN + b"a:Orientation " * 200_000 + b":Orientation" * 100_000 + b"</a>",
}


@pytest.mark.parametrize("name", PACKETS)
def test_xmp_is_cleaned_in_one_pass(name, tiny):
    photo = load(png_with_xmp(tiny["PNG"], PACKETS[name]))
    np.testing.assert_array_equal(photo.encode(8), GREY)
    assert xmp.properties(PACKETS[name], xmp.GDEPTH) in ({}, {"Near": "1"})


def test_every_prefix_of_a_stale_namespace_is_cut(tiny):
    photo = load(png_with_xmp(tiny["PNG"], PACKETS["namespaces"]))
    assert b"p7:Near" not in photo.metadata.xmp
    assert b'b="2"' in photo.metadata.xmp


def test_extended_xmp_of_many_parts_is_joined(tiny):
    whole = bytes(range(32, 127)) * 170
    digest = hashlib.md5(whole).hexdigest().upper().encode()
    parts = [
        (
            0xE1,
            jpeg.XMP_EXTENSION + digest + struct.pack(">II", len(whole), at) + whole[at : at + 1],
        )
        for at in reversed(range(len(whole)))
    ]
    assert jpeg.read_segments(jpeg.with_segments(tiny["JPEG"], parts)).extended_xmp == whole


def test_a_header_of_endless_segments_is_refused(tiny):
    data = jpeg.with_segments(tiny["JPEG"], [(0xEE, b"")] * 30_000)
    with pytest.raises(UnreadableInputError, match="more segments"):
        load(data)


@pytest.fixture(scope="module")
def many_scans() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.zeros((400, 600), np.uint8)).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 400 + data[-2:]


def test_a_jpeg_of_hundreds_of_scans_is_refused(many_scans, monkeypatch):
    assert 400 < jpeg.count_scans(many_scans, 1000) < 420
    with pytest.raises(UnreadableInputError, match="more than 100 scans"):
        load(many_scans)
    monkeypatch.setenv("PULLFOCUS_MAX_JPEG_SCANS", "1000")
    assert load(many_scans).size_hw == (400, 600)


def test_ordinary_progressive_jpegs_are_read(to_bytes, shared):
    data = to_bytes(Image.fromarray(GREY), "JPEG", progressive=True)
    assert 6 <= jpeg.count_scans(data, 100) <= 12
    np.testing.assert_allclose(load(data).encode(8), GREY, atol=2)


def gif_of(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    return b"GIF89a" + size + b"\0\0\0,\0\0\0\0" + size + b"\0\2\2\x44\1\0;"


def webp_of(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + canvas


@pytest.mark.parametrize("data", [gif_of(13800, 13900), webp_of(13800, 13900)])
def test_a_claim_that_no_file_of_this_size_can_hold_is_refused(data, monkeypatch):
    with pytest.raises(TooLargeError, match="more than a photo can be compressed to"):
        load(data)
    monkeypatch.setenv("PULLFOCUS_MAX_PIXELS_PER_BYTE", "1e9")
    monkeypatch.setenv("PULLFOCUS_MAX_MEMORY_GB", "1")
    with pytest.raises(TooLargeError, match="over the limit of 1"):
        load(data)


def test_memory_is_bounded_before_decoding(to_bytes, monkeypatch):
    data = to_bytes(Image.fromarray(np.zeros((2400, 2500), np.uint8)), "PNG")
    assert load(data).size_hw == (2400, 2500)
    monkeypatch.setattr("pullfocus.photo.source.free_bytes", lambda: 10_000_000)
    with pytest.raises(TooLargeError, match="close programs or make it smaller"):
        load(data)


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused(text, tiny, monkeypatch):
    monkeypatch.setenv("PULLFOCUS_MAX_MEMORY_GB", text)
    with pytest.raises(UsageError, match="PULLFOCUS_MAX_MEMORY_GB must be a positive number"):
        load(tiny["PNG"])


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_texts_that_unpack_to_much_are_refused(kind, tiny, monkeypatch):
    body = b"k\0\0" + zlib.compress(bytes(3_000_000))
    data = png.with_chunks(tiny["PNG"], [png.chunk(kind, body)] * 3)
    np.testing.assert_array_equal(load(data).encode(8), GREY)
    monkeypatch.setenv("PULLFOCUS_MAX_METADATA_MB", "5")
    with pytest.raises(UnreadableInputError, match="PULLFOCUS_MAX_METADATA_MB"):
        load(data)


def test_tags_of_a_profile_may_not_be_counted_many_times():
    profile = bytearray(128)
    profile[16:20], profile[36:40] = b"RGB ", b"acsp"
    rows = (struct.pack(">4sII", b"%04d" % i, 0, 4_000_000) for i in range(200))
    profile += struct.pack(">I", 200) + b"".join(rows) + bytes(4_000_000)
    assert icc.tone_curve(bytes(profile)) is None
    assert icc.matrix_to_srgb(bytes(profile)) is None


def test_exif_values_that_overlap_are_not_copied_thousandfold():
    count, size = 1900, 50_000
    values_at = 8 + 2 + count * 12 + 4
    rows = (struct.pack("<HHII", 0x9000 + i, 7, size, values_at) for i in range(count))
    block = b"II*\0" + struct.pack("<IH", 8, count) + b"".join(rows) + bytes(4 + size)
    laid_out = tiff_directories.lay_out(*tiff_directories.read_directories(block))
    assert len(laid_out) <= len(block)


def test_directories_that_point_to_the_next_one_end():
    block = bytearray(b"II*\0" + struct.pack("<I", 8))
    for _ in range(1900):
        block += struct.pack("<HHHII", 1, 0x8769, 4, 1, len(block) + 18) + bytes(4)
    assert len(exif.parse(bytes(block)).entries) < 30


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiles_of_billions_are_refused(dtype):
    out = io.BytesIO()
    tifffile.imwrite(out, GREY.astype(dtype), photometric="rgb", tile=(16, 16))
    data = bytearray(out.getvalue())
    with tifffile.TiffFile(io.BytesIO(out.getvalue())) as file:
        for code in (322, 323):
            struct.pack_into("<H", data, file.pages[0].tags[code].valueoffset, 65520)
    with pytest.raises(TooLargeError):
        load(bytes(data))


def written_in(path: str, text: str):
    """Compile a function as if it stood in a file of that name."""
    names: dict = {}
    exec(compile(text, path, "exec"), names)
    return names["function"]


def test_a_bug_of_ours_is_not_called_a_damaged_file(tiny, monkeypatch):
    buggy = written_in(pillow.__file__, "def function(image, out):\n    None + 1")
    monkeypatch.setattr(pillow, "fill_pixels", buggy)
    with pytest.raises(TypeError):
        load(tiny["JPEG"])


@pytest.mark.parametrize("stumble", ["TypeError", "AttributeError", "AssertionError", "ValueError"])
def test_a_library_that_stumbles_over_a_file_is_told(stumble, tiny, monkeypatch):
    stumbling = written_in("/lib/PIL/Image.py", f"def function(self):\n    raise {stumble}('odd')")
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", stumbling)
    with pytest.raises(UnreadableInputError, match="cut short or damaged"):
        load(tiny["JPEG"])


def test_too_little_memory_is_not_called_damage():
    source = Source(b"x", "'a.jpg'")
    told = pytest.raises(TooLargeError, match="more memory than is free")
    with told, decoding(source, "damaged"):
        raise MemoryError


@pytest.mark.parametrize("block", ["many", "unreadable", "one"])
def test_odd_exif_too_large_for_a_jpeg_stops_no_photo(block):
    rows = b"".join(struct.pack("<HHII", 0x9000 + i, 3, 2, i) for i in range(1900))
    many = b"II*\0" + struct.pack("<IH", 8, 1900) + rows + bytes(70_000)
    values_at = 8 + 2 + 12 + 4
    one = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x9286, 7, 70_000, values_at) + bytes(70_004)
    blocks = {"many": many, "unreadable": b"II*\0" + bytes(70_000), "one": one}
    photo = Photo.from_array(GREY)
    info = photo.metadata.__class__(exif=blocks[block])
    out = io.BytesIO()
    save(photo.with_linear(photo.linear, metadata=info), out, format="JPEG")
    back = load(out.getvalue())
    np.testing.assert_allclose(back.encode(8), GREY, atol=2)
    assert back.metadata.exif is None or len(back.metadata.exif) < 65536


def test_fill_bytes_of_a_jpeg_are_passed_at_once(tiny):
    """Any number of 0xFF may stand before a marker; Pillow reads them one by one."""
    data = tiny["JPEG"]
    filled = data[:2] + b"\xff" * 30_000_000 + data[2:]
    np.testing.assert_array_equal(load(filled).encode(8), load(data).encode(8))
    assert jpeg.without_fill(filled) == data
    assert jpeg.without_fill(data) == data
    assert jpeg.count_scans(filled, 9) == jpeg.count_scans(data, 9) == 1


def test_text_pictures_are_read_in_one_pass():
    """Comments and gaps of a PPM written as text; Pillow copies a megabyte for each comment."""
    rows = b"".join(b"%d # a\n" % number for number in range(48))
    picture = load(b"P3 # some\n4 4 255\n" + rows)
    np.testing.assert_array_equal(picture.encode(8).ravel(), np.arange(48))
    with pytest.raises(UnreadableInputError, match="comments"):
        load(b"P3 4 4 255\n" + b"#\n" * 4_000_000 + rows)
    with pytest.raises(UnreadableInputError, match="header is damaged"):
        load(b"P6" + b" " * 20_000_000 + b"4 4 255\n" + bytes(48))
    with pytest.raises(UnreadableInputError, match="cut short"):
        load(b"P3 5000 5000 255\n" + b"1 " * 12_000_000)


def test_convention_text_bits_are_black_with_or_without_gaps():
    for text in (b"0 1 1\n0 0 1", b"011001", b"01\n1# a 1\n001"):
        grey = load(b"P1\n3 2\n" + text).encode(8)[..., 0]
        np.testing.assert_array_equal(grey, [[255, 0, 0], [255, 255, 0]])
    for text in (b"01100", b"012001", b"01100x"):
        with pytest.raises(UnreadableInputError):
            load(b"P1\n3 2\n" + text)


@pytest.mark.parametrize("top", [1, 15, 100, 255])
def test_text_greys_are_scaled_to_white(top):
    codes = np.linspace(0, top, 12).round().astype(int)
    grey = load(b"P2 4 3 %d\n" % top + b" ".join(b"%d" % code for code in codes))
    assert grey.bit_depth == 8
    np.testing.assert_array_equal(grey.encode(8)[..., 0].ravel(), np.rint(codes * 255 / top))
