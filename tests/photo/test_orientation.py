"""All eight EXIF orientations, in every format that can carry them."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from pullfocus.photo import load, save
from pullfocus.photo.metadata import exif
from pullfocus.photo.pixels import upright
from pullfocus.types import Photo


def seen(stored: np.ndarray, orientation: int) -> np.ndarray:
    """What Pillow's own transposition shows."""
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_convention_upright_agrees_with_pillow(orientation, ramp8):
    np.testing.assert_array_equal(upright(ramp8, orientation), seen(ramp8, orientation))
    np.testing.assert_array_equal(
        upright(ramp8[..., 0], orientation), seen(ramp8, orientation)[..., 0]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF", "HEIF"])
def test_8_bit_files_load_upright(kind, orientation, ramp8, make_exif, to_bytes):
    block = make_exif(orientation)
    options = {"exif": b"Exif\0\0" + block}
    if kind == "HEIF":
        pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
        heif = pillow_heif.from_pillow(Image.fromarray(ramp8))
        heif.info["exif"] = options["exif"]
        out = io.BytesIO()
        heif.save(out, quality=-1)
        data = out.getvalue()
    elif kind == "TIFF":
        image = Image.fromarray(ramp8)
        data = to_bytes(image, "TIFF", tiffinfo={0x0112: orientation})
    else:
        data = to_bytes(Image.fromarray(ramp8), kind, quality=98, **options)
    photo = load(data)
    expected = seen(ramp8, orientation)
    assert photo.size_hw == expected.shape[:2]
    assert np.abs(photo.encoded.astype(int) - expected).mean() < (
        0.01 if kind in ("PNG", "TIFF") else 6
    )
    assert exif.orientation_of(photo.metadata.exif) == 1
    assert_upright_after_saving(photo)


def assert_upright_after_saving(photo: Photo) -> None:
    for kind in ("PNG", "TIFF", "JPEG"):
        out = io.BytesIO()
        save(photo, out, format=kind)
        again = load(out.getvalue())
        assert again.size_hw == photo.size_hw
        assert exif.orientation_of(again.metadata.exif) == 1
        with Image.open(io.BytesIO(out.getvalue())) as image:
            assert ImageOps.exif_transpose(image).size == (photo.width, photo.height)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_16_bit_tiff_loads_upright(orientation, compression, ramp16):
    if compression:
        pytest.importorskip("imagecodecs", reason="needed to write the compressed test file")
    out = io.BytesIO()
    tags = [(0x0112, 3, 1, orientation, True)]
    tifffile.imwrite(out, ramp16, photometric="rgb", compression=compression, extratags=tags)
    np.testing.assert_array_equal(load(out.getvalue()).encoded, upright(ramp16, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bit_png_loads_upright(orientation, ramp16, make_exif):
    from pullfocus.photo.codecs import png

    out = io.BytesIO()
    save(Photo.from_array(ramp16), out, format="PNG")
    data = png.with_chunks(out.getvalue(), [png.chunk(b"eXIf", make_exif(orientation))])
    np.testing.assert_array_equal(load(data).encoded, upright(ramp16, orientation))


def test_a_turned_heic_is_turned_once(shared):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    photo = load(shared("phone/heic/arrow.heic"))
    assert photo.size_hw == (4032, 3024)
    assert exif.orientation_of(photo.metadata.exif) == 1


@pytest.mark.parametrize("noted", [(40, 24), (24, 40)])
def test_the_sides_noted_in_a_turned_heic_are_the_picture_s(noted, ramp8, make_exif):
    """pillow-heif and iPhones turn by a property of the file and say so in EXIF, too."""
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    block = make_exif(6, "<")
    for tag, old, new in ((0xA002, 4000, noted[0]), (0xA003, 3000, noted[1])):
        head = struct.pack("<HHI", tag, 4, 1)
        assert head + struct.pack("<I", old) in block
        block = block.replace(head + struct.pack("<I", old), head + struct.pack("<I", new))
    out = io.BytesIO()
    image = heif.from_pillow(Image.fromarray(ramp8))
    image.info["exif"] = b"Exif\0\0" + block
    image.save(out, quality=90)
    photo = load(out.getvalue())
    found = exif.parse(photo.metadata.exif)
    assert photo.size_hw == (40, 24)
    assert found.numbers("exif", 0xA002) + found.numbers("exif", 0xA003) == (24, 40)


@pytest.mark.parametrize("kind", [1, 3, 4, 5, 6, 8, 9])
def test_an_orientation_of_an_odd_type_is_applied_once_or_never(kind, to_bytes):
    """Whatever turns the pixels must be reset in the block: a second turn would undo the first."""
    value = struct.pack("<II", 6, 1) if kind == 5 else b"\6\0\0\0"
    stored = struct.pack("<I", 26) if kind == 5 else value
    block = b"II*\0" + struct.pack("<IHHHI", 8, 1, 0x0112, kind, 1) + stored + bytes(4)
    block += value if kind == 5 else b""
    data = to_bytes(Image.new("RGB", (8, 4)), "JPEG", exif=b"Exif\0\0" + block)
    photo = load(data)
    assert photo.size_hw == ((4, 8) if kind == 5 else (8, 4))
    assert exif.orientation_of(photo.metadata.exif) == 1
