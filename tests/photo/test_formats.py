"""Every format in and out: modes, alpha, palettes, grey, CMYK, animations, quality."""

import io
import sys

import numpy as np
import pytest
from PIL import Image, ImageCms

from pullfocus.errors import MissingModelError, UsageError
from pullfocus.photo import load, save
from pullfocus.types import DepthMap, Photo

LOSSLESS = ["PNG", "TIFF", "BMP", "PPM"]
LOSSY = ["JPEG", "WEBP", "AVIF", "HEIF"]


def saved(photo: Photo, kind: str, **options) -> Photo:
    out = io.BytesIO()
    save(photo, out, format=kind, **options)
    return load(out.getvalue())


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_give_the_same_codes(kind, ramp8):
    back = saved(Photo.from_array(ramp8), kind)
    assert back.metadata.format == kind
    assert back.bit_depth == 8
    np.testing.assert_array_equal(back.encoded, ramp8)


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_stay_close(kind, ramp8):
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    smooth = ramp8[6:]
    back = saved(Photo.from_array(smooth), kind, quality=95)
    assert back.metadata.format == kind
    assert np.abs(back.encoded.astype(int) - smooth).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "JPEG"])
def test_grey_stays_grey(kind, ramp8):
    grey = ramp8[..., 0]
    back = saved(Photo.from_array(grey), kind, quality=100)
    assert back.is_grey
    difference = np.abs(back.encoded[..., 0].astype(int) - grey)
    assert difference.max() <= (3 if kind == "JPEG" else 0)


def test_grey_that_became_coloured_is_saved_in_colour(ramp8):
    photo = Photo.from_array(ramp8[..., 0])
    tinted = photo.with_linear(photo.linear * np.array([1, 0.9, 0.8], np.float32))
    back = saved(tinted, "PNG")
    assert not back.is_grey
    np.testing.assert_array_equal(back.encoded, tinted.encoded)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_alpha_is_straight_and_kept(kind, channels, ramp8, to_bytes):
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    stored = np.dstack([ramp8[..., :channels], alpha])
    image = Image.fromarray(stored, "LA" if channels == 1 else "RGBA")
    photo = load(to_bytes(image, "PNG"))
    assert photo.is_grey == (channels == 1)
    back = saved(photo, kind, quality=100)
    np.testing.assert_array_equal(np.rint(back.alpha * 255).astype(np.uint8), alpha)
    expected = np.repeat(stored[..., :1], 3, 2) if channels == 1 else ramp8
    np.testing.assert_array_equal(back.encoded, expected)


def test_alpha_is_laid_over_white_where_there_is_none():
    photo = Photo.from_array(np.zeros((8, 8, 4), np.uint8))
    assert saved(photo, "JPEG").encoded.min() >= 254
    assert saved(photo, "BMP").alpha is None


def test_palette_with_and_without_transparency(ramp8, to_bytes):
    palette = Image.fromarray(ramp8).quantize(32)
    rgb = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(load(to_bytes(palette, "PNG")).encoded, rgb)
    photo = load(to_bytes(palette, "PNG", transparency=0))
    np.testing.assert_array_equal(photo.alpha == 0, np.asarray(palette) == 0)


def test_one_bit_pictures(ramp8, to_bytes):
    bits = Image.fromarray(ramp8[..., 0]).convert("1")
    for kind in ("PNG", "TIFF", "BMP", "PPM"):
        photo = load(to_bytes(bits, kind))
        np.testing.assert_array_equal(photo.encoded[..., 0] > 0, np.asarray(bits))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_srgb_with_a_note(kind, ramp8, to_bytes):
    image = Image.fromarray(ramp8[8:]).convert("CMYK")
    photo = load(to_bytes(image, kind))
    assert any("CMYK" in note for note in photo.metadata.notes)
    assert np.abs(photo.encoded.astype(int) - np.asarray(image.convert("RGB"))).mean() < 4


def test_lab_becomes_srgb_with_a_note(ramp8, to_bytes):
    rgb = Image.fromarray(ramp8)
    lab = ImageCms.profileToProfile(
        rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    photo = load(to_bytes(lab, "TIFF"))
    assert any("Lab" in note for note in photo.metadata.notes)
    assert np.abs(photo.encoded.astype(int) - ramp8).mean() < 3  # 8-bit Lab is coarse


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_animated_files_give_the_first_frame_and_say_so(kind, ramp8, to_bytes):
    frames = [Image.fromarray(ramp8), Image.fromarray(ramp8[::-1].copy())]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    if kind == "WEBP":
        options["lossless"] = True
    photo = load(to_bytes(frames[0], kind, **options))
    assert any("first frame" in note for note in photo.metadata.notes)
    assert np.abs(photo.encoded.astype(int) - ramp8).mean() < 6


def test_several_pages_give_the_first_and_say_so(ramp8, to_bytes):
    pages = [Image.fromarray(ramp8), Image.fromarray(ramp8[::-1].copy())]
    photo = load(to_bytes(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert any("2 pages" in note for note in photo.metadata.notes)
    np.testing.assert_array_equal(photo.encoded, ramp8)


def test_the_suffix_is_not_believed(tmp_path, ramp8, to_bytes):
    path = tmp_path / "really-a.jpg"
    path.write_bytes(to_bytes(Image.fromarray(ramp8), "PNG"))
    assert load(path).metadata.format == "PNG"


@pytest.mark.parametrize("quality", [50, 75, 88, 92, 97])
def test_the_quality_of_the_source_is_found_and_kept(quality, ramp8, to_bytes):
    photo = load(to_bytes(Image.fromarray(ramp8), "JPEG", quality=quality))
    assert photo.metadata.extra["jpeg_quality"] == pytest.approx(quality, abs=1)
    again = saved(photo, "JPEG").metadata.extra["jpeg_quality"]
    assert again == pytest.approx(max(quality, 75), abs=1)


@pytest.mark.parametrize(
    ("quality", "expected"), [(95, [(1, 1)] * 3), (80, [(2, 2), (1, 1), (1, 1)])]
)
def test_high_quality_keeps_full_colour_resolution(quality, expected, ramp8):
    out = io.BytesIO()
    save(Photo.from_array(ramp8), out, format="jpg", quality=quality)
    with Image.open(out) as image:
        assert [layer[1:3] for layer in image.layer] == expected


def test_open_files_in_and_out(ramp8):
    stream = io.BytesIO()
    assert save(Photo.from_array(ramp8), stream) is None  # without a hint: PNG
    stream.seek(0)
    photo = load(stream)
    assert photo.metadata.path is None
    np.testing.assert_array_equal(photo.encoded, ramp8)


@pytest.mark.parametrize("name", ["x.gif", "x", "x.txt"])
def test_names_that_tell_no_format_are_refused(name, tmp_path, ramp8):
    with pytest.raises(UsageError, match=r"\.jpg"):
        save(Photo.from_array(ramp8), tmp_path / name)


def test_unknown_formats_and_qualities_are_refused(ramp8):
    with pytest.raises(UsageError, match="No format"):
        save(Photo.from_array(ramp8), io.BytesIO(), format="XYZ")
    with pytest.raises(UsageError, match="between 1 and 100"):
        save(Photo.from_array(ramp8), io.BytesIO(), format="JPEG", quality=0)


def test_heic_without_the_extra_says_what_to_install(shared, monkeypatch, ramp8):
    path = shared("phone/heic/arrow.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(MissingModelError, match=r"pullfocus\[heic\]"):
        load(path)
    with pytest.raises(MissingModelError, match=r"pullfocus\[heic\]"):
        save(Photo.from_array(ramp8), io.BytesIO(), format="HEIC")


def test_a_linear_png_is_read_by_its_gamma(ramp8):
    from pullfocus.photo.codecs import png

    out = io.BytesIO()
    save(Photo.from_array(ramp8), out)
    gamma = png.chunk(b"gAMA", (100000).to_bytes(4, "big"))
    photo = load(png.with_chunks(out.getvalue(), [gamma]))
    np.testing.assert_allclose(photo.linear, ramp8 / 255.0, atol=1e-6)
    np.testing.assert_array_equal(saved(photo, "PNG").linear, photo.linear)
    difference = saved(photo, "TIFF").linear - photo.linear  # written as sRGB
    assert np.abs(difference).max() < 0.005


def test_all_the_ordinary_photos_load(shared):
    pictures = sorted(shared("photos/everyday").iterdir())
    for path in pictures[::3]:
        photo = load(path)
        assert photo.linear.shape[2] == 3
        assert photo.metadata.format == "JPEG"


def test_planes_of_another_size_are_refused_at_once(ramp8):
    with pytest.raises(UsageError, match=r"alpha has shape \(3, 4\)"):
        Photo.from_array(ramp8, alpha=np.ones((3, 4), np.float32))
    with pytest.raises(UsageError, match="uncertainty"):
        DepthMap(np.ones((5, 6), np.float32), uncertainty=np.ones((6, 5), np.float32))


def test_a_name_of_one_format_is_not_given_to_another(tmp_path, ramp8):
    with pytest.raises(UsageError, match=r"x\.jpg' is no name for PNG"):
        save(Photo.from_array(ramp8), tmp_path / "x.jpg", format="PNG")
    assert not list(tmp_path.iterdir())
    save(Photo.from_array(ramp8), tmp_path / "x", format="PNG")
    assert load(tmp_path / "x").metadata.format == "PNG"
