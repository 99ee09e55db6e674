"""Bad input gets one sentence that says what, which file and what to try; never a traceback."""

import io
import os
import re
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pullfocus.errors import PullfocusError, TooLargeError, UnreadableInputError
from pullfocus.photo import load, save
from pullfocus.photo.codecs import png
from pullfocus.photo.codecs.pillow import open_pillow
from pullfocus.photo.limits import Limits
from pullfocus.photo.source import Source
from pullfocus.types import Photo

KINDS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "BMP", "PPM", "GIF", "JPEG2000"]
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def refused(source, **options) -> UnreadableInputError:
    with pytest.raises(UnreadableInputError) as caught:
        load(source, **options)
    message = str(caught.value)
    assert message.startswith("Cannot read ")
    assert re.search(r"[;,:].+\.$", message), message
    assert "\n" not in message
    return caught.value


@pytest.fixture(scope="session")
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (90, 120, 3)).astype(np.uint8)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_truncated_files_are_refused(kind, share, noise, tmp_path, to_bytes):
    if kind == "JPEG2000":
        pytest.skip("OpenJPEG gives a coarser picture from a truncated file, by design")
    data = to_bytes(Image.fromarray(noise), kind)
    path = tmp_path / "photo.bin"
    path.write_bytes(data[: int(len(data) * share)])
    assert "photo.bin" in str(refused(path))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.ppm"])
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_truncated_16_bit_files_are_refused(name, share, noise, tmp_path):
    path = save(Photo.from_array(noise.astype(np.uint16) * 257), tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    refused(path)


def test_truncated_heic_is_refused(shared, tmp_path):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    data = shared("phone/heic/arrow.heic").read_bytes()
    for share in (0.01, 0.5, 0.99):
        path = tmp_path / "cut.heic"
        path.write_bytes(data[: int(len(data) * share)])
        refused(path)


def test_a_flipped_byte_in_a_png_is_noticed(noise, to_bytes):
    data = bytearray(to_bytes(Image.fromarray(noise), "PNG"))
    data[len(data) // 2] ^= 1
    assert "damaged" in str(refused(bytes(data)))


def test_empty_files(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    assert "'%s': the file is empty" % path in str(refused(path))  # noqa: UP031
    refused(b"")
    refused(io.BytesIO())


def test_files_that_are_no_pictures(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("dear diary")
    assert "not a picture; pullfocus reads JPEG" in str(refused(path))
    assert "PDF" in str(refused(b"%PDF-1.7 ..."))
    assert "camera raw" in str(refused(b"II*\0\x10\0\0\0CR\2\0" + bytes(50)))


def test_text_streams():
    assert "binary mode" in str(refused(io.StringIO("text")))


def test_folders_missing_files_and_devices(tmp_path):
    assert "folder" in str(refused(tmp_path))
    assert "no such file" in str(refused(tmp_path / "absent.jpg"))
    refused("bad\0name.jpg")
    refused(tmp_path / ("x" * 300))
    if os.path.exists("/dev/zero"):
        assert "device" in str(refused("/dev/zero"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_files_without_permission(tmp_path):
    path = tmp_path / "secret.jpg"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "permission" in str(refused(path))


def bomb_png(width: int, height: int, bits: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    body = png.chunk(b"IDAT", zlib.compress(bytes(1000)))
    return png.SIGNATURE + png.chunk(b"IHDR", header) + body + png.chunk(b"IEND", b"")


def bomb_jpeg(width: int, height: int, noise: np.ndarray, to_bytes) -> bytes:
    data = to_bytes(Image.fromarray(noise), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def test_bombs_are_refused_from_their_header(noise, to_bytes):
    for data in (
        bomb_png(30000, 30000),
        bomb_png(30000, 30000, 16),
        bomb_jpeg(60000, 60000, noise, to_bytes),
        b"P6 40000 40000 65535\n",
        b"P6 40000 40000 255\n",
    ):
        with pytest.raises(TooLargeError, match=r"megapixels, over the limit of 200.*max_mega"):
            load(data)


def test_the_limit_can_be_set(noise, to_bytes):
    data = to_bytes(Image.fromarray(noise), "PNG")
    with pytest.raises(TooLargeError):
        load(data, max_megapixels=0.01)
    assert load(data, max_megapixels=0.02).size_hw == (90, 120)


def test_a_large_claim_under_the_limit_is_no_warning(noise, to_bytes):
    data = bomb_jpeg(13000, 14000, noise, to_bytes)  # 182 MP, over Pillow's own limit
    source = Source(data, "it", limits=Limits(pixels_per_byte=1e6))
    assert open_pillow(source, "JPEG").size == (13000, 14000)


def test_webp_bombs(noise, to_bytes):
    data = bytearray(to_bytes(Image.fromarray(noise), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = ((16382 | 16382 << 14) & 0xFFFFFFFF).to_bytes(4, "little")
    with pytest.raises(TooLargeError):
        load(bytes(data))


def test_tiff_bombs(noise):
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(out, noise.astype(np.uint16), photometric="rgb")
    data = bytearray(out.getvalue())
    with tifffile.TiffFile(io.BytesIO(out.getvalue())) as file:
        for code in (256, 257):
            struct.pack_into("<H", data, file.pages[0].tags[code].valueoffset, 60000)
    with pytest.raises(TooLargeError):
        load(bytes(data))


def test_pictures_without_pixels():
    assert "no pixels" in str(refused(bomb_png(0, 10)))
    refused(b"P6 0 10 65535\n")
    refused(b"P5 0 0 255\n")


def test_the_broken_heic_of_the_shared_data_raises_nothing_else(shared):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    try:
        load(shared("phone/heic/invalid_id.heic"))
    except PullfocusError as error:
        assert "invalid_id.heic" in str(error)  # noqa: PT017


@pytest.mark.parametrize("kind", [*KINDS, "TIFF16", "PNG16"])
def test_fuzzed_files_raise_only_our_errors(kind, noise, to_bytes, ramp16):
    small = Image.fromarray(noise[:20, :30])
    if kind.endswith("16"):
        out = io.BytesIO()
        save(Photo.from_array(ramp16[:10, :12]), out, format=kind[:-2])
        sound = out.getvalue()
    else:
        sound = to_bytes(small, kind)

    @FUZZ
    @given(at=st.integers(0, len(sound) - 1), junk=st.binary(min_size=1, max_size=12))
    def check(at: int, junk: bytes) -> None:
        try:
            photo = load(sound[:at] + junk + sound[at + len(junk) :], max_megapixels=4)
        except PullfocusError:
            return
        assert photo.linear.size

    check()
