"""What a file knows about itself: EXIF, ICC and XMP come out as they went in."""

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pullfocus.photo import load, save
from pullfocus.photo.codecs import png
from pullfocus.photo.codecs.jpeg import read_segments
from pullfocus.photo.metadata import exif, tiff_directories, xmp
from pullfocus.photo.metadata.camera import camera_optics
from pullfocus.photo.metadata.tiff_directories import describe_tiff
from pullfocus.types import CameraOptics, Photo

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
OPTICS = CameraOptics(50.0, 75.0, 24.0, 1.8, "Maker", "Model 7", "Lens 50mm F1.8")
PACKET = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="a title" %s/></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)
HOLDERS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"]


def photo_with(ramp8, block: bytes, profile: bytes | None, to_bytes, **options) -> Photo:
    return load(
        to_bytes(
            Image.fromarray(ramp8), "JPEG", exif=b"Exif\0\0" + block, icc_profile=profile, **options
        )
    )


def resaved(photo: Photo, kind: str) -> Photo:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    out = io.BytesIO()
    save(photo, out, format=kind)
    return load(out.getvalue())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", HOLDERS)
def test_profile_exif_and_xmp_survive(kind, order, ramp8, make_exif, gamma_profile, to_bytes):
    packet = PACKET % b""
    photo = photo_with(ramp8, make_exif(6, order), gamma_profile, to_bytes, xmp=packet)
    assert photo.metadata.optics == OPTICS
    back = resaved(photo, kind)
    assert back.metadata.icc_profile == gamma_profile
    assert back.metadata.xmp == packet
    assert back.metadata.optics == OPTICS
    block = exif.parse(back.metadata.exif)
    assert block.text("exif", 0x9003) == "2024:05:06 07:08:09"
    assert block.numbers("gps", 2) == (48.0, 8.0, 30.0)
    assert block.raw(block.find("exif", 0x927C)) == b"maker\0note\1"
    assert block.numbers("exif", 0xA002) == (3000,)  # sides exchanged with the turn
    if kind not in ("TIFF", "AVIF"):  # laid out anew, by us and by Pillow
        assert back.metadata.exif == photo.metadata.exif


def test_only_orientation_and_sides_change_in_real_exif(shared):
    for name in ("Nikon D40.jpg", "Apple iPhone 4S.jpg", "Samsung SM-J327T1.jpg"):
        path = shared(f"photos/everyday/{name}")
        original = read_segments(path.read_bytes()).exif
        kept = load(path).metadata.exif
        assert len(kept) == len(original)
        changed = sum(a != b for a, b in zip(kept, original, strict=True))
        assert exif.orientation_of(original) == 6
        assert exif.orientation_of(kept) == 1
        assert changed <= 2 + 8, name
        out = io.BytesIO()
        save(load(path), out)
        written = read_segments(out.getvalue()).exif
        note = exif.parse(original).find("exif", 0x927C)
        if note is not None:
            end = note.value_at + note.size
            assert written[note.value_at : end] == original[note.value_at : end]


def thumbnail_of(block: bytes) -> Image.Image | None:
    parsed = exif.parse(block)
    place, size = parsed.numbers("1", 0x0201), parsed.numbers("1", 0x0202)
    if not place:
        return None
    return Image.open(io.BytesIO(block[int(place[0]) : int(place[0] + size[0])]))


def test_the_thumbnail_shows_the_new_picture(ramp8, make_exif, to_bytes):
    old = to_bytes(Image.new("RGB", (160, 120), "red"), "JPEG", quality=95) + bytes(4000)
    photo = photo_with(ramp8, make_exif(6, thumbnail=old), None, to_bytes)
    blue = photo.with_linear(np.broadcast_to(np.float32([0, 0, 1]), photo.linear.shape))
    out = io.BytesIO()
    save(blue, out, format="JPEG")
    written = read_segments(out.getvalue()).exif
    fresh = thumbnail_of(written)
    assert fresh.size == (24, 40)
    assert np.asarray(fresh)[20, 12].tolist() == pytest.approx([0, 0, 255], abs=8)
    assert exif.parse(written).numbers("1", 0x0112) == (1,)


def test_a_thumbnail_without_room_is_taken_out(ramp8, make_exif, to_bytes):
    old = to_bytes(Image.new("RGB", (8, 8), "red"), "JPEG", quality=20)[:200]
    photo = photo_with(ramp8, make_exif(thumbnail=old), None, to_bytes)
    noisy = np.random.default_rng(0).random((400, 600, 3)).astype(np.float32)
    out = io.BytesIO()
    save(photo.with_linear(noisy), out, format="JPEG")
    written = read_segments(out.getvalue()).exif
    assert thumbnail_of(written) is None
    assert old[:100] not in written


def test_exif_too_large_for_jpeg_loses_its_thumbnail_not_its_words(ramp8, make_exif):
    from dataclasses import replace

    block = make_exif(thumbnail=bytes(70000))
    photo = Photo.from_array(ramp8)
    photo = replace(photo, metadata=replace(photo.metadata, exif=block))
    back = resaved(photo, "JPEG")
    assert back.metadata.optics == OPTICS


def test_exif_too_large_for_jpeg_loses_its_largest_tag_only(ramp8, make_exif):
    """From a TIFF, whose tags may be of any size."""
    from dataclasses import replace

    order, directories = tiff_directories.read_directories(make_exif())
    directories["0"].append(tiff_directories.Tag(0xC000, 7, 70000, bytes(70000)))
    photo = Photo.from_array(ramp8)
    block = tiff_directories.lay_out(order, directories)
    back = resaved(replace(photo, metadata=replace(photo.metadata, exif=block)), "JPEG")
    assert back.metadata.optics == OPTICS
    found = exif.parse(back.metadata.exif)
    assert found.find("exif", 0x927C) is not None
    assert found.find("0", 0xC000) is None


@pytest.mark.parametrize("kind", HOLDERS)
def test_damaged_exif_stops_no_format(kind, ramp8, make_exif, to_bytes):
    from dataclasses import replace

    photo = Photo.from_array(ramp8)
    sound = make_exif(1, "<")
    texts = sound.replace(b"Maker\0", b"\xff\xfe\0\0\0\0")
    types = sound.replace(struct.pack("<HH", 0x0112, 3), struct.pack("<HH", 0x0112, 2))
    for block in (b"no TIFF header at all", texts, types):
        damaged = replace(photo, metadata=replace(photo.metadata, exif=block))
        assert resaved(damaged, kind).size_hw == photo.size_hw


def test_captions_and_comments_of_jpeg_survive(ramp8, to_bytes):
    from pullfocus.photo.codecs import jpeg

    iptc = jpeg.PHOTOSHOP + b"8BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x78\0\x03cap\0"
    data = jpeg.with_segments(
        to_bytes(Image.fromarray(ramp8), "JPEG"), [(0xED, iptc), (0xFE, b"hello")]
    )
    out = io.BytesIO()
    save(load(data), out)
    segments = read_segments(out.getvalue())
    assert segments.photoshop == [iptc]
    assert segments.comments == [b"hello"]


def test_the_small_picture_of_photoshop_is_not_kept():
    from pullfocus.photo.codecs import jpeg

    def block(code: int, body: bytes, name: bytes = b"") -> bytes:
        title = bytes([len(name)]) + name
        parts = (title + bytes(len(title) % 2), struct.pack(">I", len(body)), body)
        return b"8BIM" + struct.pack(">H", code) + b"".join(parts) + bytes(len(body) % 2)

    caption, other = block(1028, b"\x1c\x02\x78\0\3cap"), block(1005, b"12345", b"named")
    old = block(1036, b"old picture"), block(1033, b"older", b"ab")
    whole = jpeg.PHOTOSHOP + caption + old[0] + other + old[1]
    assert jpeg.without_old_thumbnail(whole) == jpeg.PHOTOSHOP + caption + other
    for odd in (whole[:-9], jpeg.PHOTOSHOP + b"PHUT" + whole[18:], jpeg.PHOTOSHOP + b"8BIM"):
        assert jpeg.without_old_thumbnail(odd) == odd


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_texts_of_png_survive(dtype, ramp8):
    texts = {"Author": "M\u00fcller", "Description": "\u6df1\u3055"}
    out = io.BytesIO()
    save(Photo.from_array(ramp8.astype(dtype)), out, format="PNG")
    extra = {**texts, "Raw profile type exif": "old"}
    chunks = [png.text_chunk(key, text) for key, text in extra.items()]
    photo = load(png.with_chunks(out.getvalue(), chunks))
    again = io.BytesIO()
    save(photo, again, format="PNG")
    assert png.read_info(again.getvalue()).text == texts


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_resolution_survives(kind, ramp8, to_bytes):
    photo = load(to_bytes(Image.fromarray(ramp8), "JPEG", dpi=(300, 300)))
    assert resaved(photo, kind).metadata.dpi == pytest.approx((300, 300), abs=0.5)


def test_large_xmp_goes_into_an_extension_and_comes_back(ramp8):
    from dataclasses import replace

    packet = PACKET % (b'dc:description="' + b"long " * 20000 + b'"')
    photo = Photo.from_array(ramp8)
    photo = replace(photo, metadata=replace(photo.metadata, xmp=packet))
    out = io.BytesIO()
    save(photo, out, format="JPEG")
    assert read_segments(out.getvalue()).extended_xmp == packet
    assert load(out.getvalue()).metadata.extra["extended_xmp"] == packet


def test_xmp_is_made_upright_and_loses_what_became_untrue():
    stale = (
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
        b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0" '
        b'xmlns:G="http://ns.google.com/photos/1.0/depthmap/" G:Data="AAAA" '
        b'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123"'
    )
    cleaned = xmp.without_stale(PACKET % stale)
    assert b'tiff:Orientation="1"' in cleaned
    assert b'dc:title="a title"' in cleaned
    for gone in (b"hdrgm:Version", b"G:Data", b"HasExtendedXMP", b"AAAA"):
        assert gone not in cleaned


def test_elements_are_cut_as_whole():
    packet = (
        b'<a xmlns:Container="http://ns.google.com/photos/1.0/container/"><Container:Directory>'
        b"<b>x</b></Container:Directory><Container:Empty/><tiff:Orientation>8</tiff:Orientation></a>"
    )
    assert xmp.without_stale(packet) == (
        b'<a xmlns:Container="http://ns.google.com/photos/1.0/container/">'
        b"<tiff:Orientation>1</tiff:Orientation></a>"
    )


def test_gain_maps_and_second_pictures_are_noted(ramp8, shared, to_bytes):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    assert any("gain map" in note for note in load(shared("phone/heic/pug.heic")).metadata.notes)
    frames = [Image.fromarray(ramp8), Image.fromarray(ramp8)]
    data = to_bytes(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert any("more pictures" in note for note in load(data).metadata.notes)


def test_a_profile_that_does_not_fit_is_dropped_with_a_note(ramp8, make_profile, to_bytes):
    grey = make_profile([b"curv\0\0\0\0\0\0\0\0"], space=b"GRAY")
    photo = load(to_bytes(Image.fromarray(ramp8), "PNG", icc_profile=grey))
    assert photo.metadata.icc_profile is None
    assert any("does not fit" in note for note in photo.metadata.notes)


def test_grey_profiles_are_kept_with_grey_and_left_with_colour(ramp8, make_profile, to_bytes):
    profile = make_profile([b"curv\0\0\0\0\0\0\0\1\1\x80"], space=b"GRAY")  # gamma 1.5
    photo = load(to_bytes(Image.fromarray(ramp8[..., 0]), "PNG", icc_profile=profile))
    np.testing.assert_allclose(photo.linear[..., 0], (ramp8[..., 0] / 255) ** 1.5, atol=1e-6)
    assert resaved(photo, "TIFF").metadata.icc_profile == profile
    webp = resaved(photo, "WEBP")  # has no grey: becomes sRGB
    assert webp.metadata.icc_profile is None
    assert np.abs(webp.linear - photo.linear).mean() < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_with_alpha_stays_grey_under_its_grey_profile(dtype, ramp8, make_profile):
    """A grey profile in a PNG of colour type 6 is none: the tones would change."""
    profile = make_profile([b"curv\0\0\0\0\0\0\0\1\1\x80"], space=b"GRAY")
    top = np.iinfo(dtype).max
    codes = np.dstack([ramp8[..., 0], ramp8[..., 1]]).astype(dtype) * (top // 255)
    out = io.BytesIO()
    alpha = codes[..., 1].astype(np.float32) / top
    save(Photo.from_array(codes[..., 0], alpha=alpha), out, format="PNG")
    photo = load(png.with_chunks(out.getvalue(), png.metadata_chunks(None, profile, None, None)))
    back = resaved(photo, "PNG")
    assert back.is_grey
    assert (back.metadata.icc_profile, back.metadata.notes) == (profile, ())
    np.testing.assert_array_equal(back.encoded, photo.encoded)
    np.testing.assert_array_equal(back.alpha, photo.alpha)


def test_a_grey_png_carries_no_colour_profile(ramp8, gamma_profile, to_bytes):
    """libpng: "RGB color space not permitted on grayscale PNG"; the tones would be another's."""
    photo = load(to_bytes(Image.fromarray(ramp8[..., 0]), "JPEG", icc_profile=gamma_profile))
    assert photo.is_grey
    out = io.BytesIO()
    save(photo, out, format="PNG")
    assert Image.open(out).mode == "RGB"
    back = load(out.getvalue())
    assert back.metadata.icc_profile == gamma_profile
    np.testing.assert_array_equal(back.encoded, photo.encoded)


def test_formats_without_profiles_get_srgb(ramp8, gamma_profile, to_bytes):
    neutral = np.repeat(ramp8[..., :1], 3, axis=2)
    photo = load(to_bytes(Image.fromarray(neutral), "PNG", icc_profile=gamma_profile))
    back = resaved(photo, "PPM")
    np.testing.assert_allclose(back.linear, photo.linear, atol=0.006)


def test_real_sensor_widths(shared):
    optics = load(shared("photos/everyday/Canon EOS 5D.jpg")).metadata.optics
    assert optics.make == "Canon"
    assert optics.sensor_width_mm == pytest.approx(36, abs=1)


def test_exif_of_a_tiff_is_its_own(ramp16, tmp_path, make_exif):
    from dataclasses import replace

    photo = Photo.from_array(ramp16)
    photo = replace(photo, metadata=replace(photo.metadata, exif=make_exif(order="<")))
    path = save(photo, tmp_path / "a.tif")
    assert load(path).metadata.optics == OPTICS
    with Image.open(save(replace(photo, bit_depth=8), tmp_path / "b.tif")) as image:
        assert image.getexif()[0x0110] == "Model 7"
        assert image.getexif().get_ifd(0x8769)[0xA434] == "Lens 50mm F1.8"


@QUICK
@given(data=st.binary(max_size=400), at=st.integers(0, 500))
def test_damaged_exif_never_raises(make_exif, data, at):
    sound = make_exif(3, thumbnail=b"\xff\xd8" + bytes(40))
    for block in (data, sound[:at], b"MM\0*" + data, sound[:at] + data + sound[at + len(data) :]):
        camera_optics(block)
        exif.orientation_of(block)
        exif.with_orientation_reset(block)
        exif.with_sides_swapped(block)
        exif.with_thumbnail(block, lambda room: b"x" * min(room, 10))
        exif.with_thumbnail(block, lambda room: None)
        describe_tiff(block)


@QUICK
@given(middle=st.binary(max_size=300))
def test_damaged_segments_never_raise(middle, ramp8, to_bytes):
    data = to_bytes(Image.fromarray(ramp8), "JPEG")
    read_segments(data[:2] + middle + data[2:])
    read_segments(b"\xff\xd8\xff\xe1" + middle)
