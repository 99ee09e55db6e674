"""Colour that files say by code points: P3, BT.2020, PQ and HLG are read as they are meant.

Right values are from the standards: BT.2408 (203 cd/m2 is 58 % of PQ and 75 % of HLG), ST 2084,
BT.2100, and the matrices between primaries of BT.709, P3 and BT.2020.
"""

import io
import pickle
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from pullfocus.errors import UnreadableInputError
from pullfocus.photo import load, save
from pullfocus.photo.codecs import jpeg, png
from pullfocus.photo.codecs.av1_sequence import sequence_colour
from pullfocus.photo.codecs.boxes import children, item_facts
from pullfocus.photo.codecs.constant_luminance import from_constant_luminance
from pullfocus.photo.metadata import cicp, icc
from pullfocus.photo.pixels import to_srgb8
from pullfocus.types import Photo

CODES16 = np.repeat(np.arange(65536, dtype=np.uint16).reshape(256, 256, 1), 3, axis=2)
P3_TO_SRGB = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
BT2020_TO_SRGB = [
    [1.6605, -0.5876, -0.0728],
    [-0.1246, 1.1329, -0.0083],
    [-0.0182, -0.1006, 1.1187],
]
PQ_2020, HLG_2020, P3, REC_2020 = (9, 16), (9, 18), (12, 13), (9, 14)


def codes_png(array: np.ndarray, *codes: int, extra: list[bytes] | None = None) -> bytes:
    out = io.BytesIO()
    save(Photo.from_array(array), out, format="PNG")
    return png.with_chunks(out.getvalue(), [png.chunk(b"cICP", bytes(codes)), *(extra or [])])


def written(photo: Photo, kind: str, **options) -> bytes:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    out = io.BytesIO()
    save(photo, out, format=kind, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """A (48, 64, 3) uint16 picture of slow ramps."""
    y, x = np.mgrid[0:48, 0:64]
    rgb = np.dstack([x * 900 + 4000, y * 1200 + 2000, 60000 - x * 400 - y * 500])
    return rgb.astype(np.uint16)


def test_convention_pq_is_light_with_203_nits_as_1():
    nits = cicp.pq_to_linear(np.array([0.0, 0.508078, 0.580689, 0.751827, 1.0])) * 203
    np.testing.assert_allclose(nits, [0, 100, 203, 1000, 10000], rtol=1e-3)


def test_convention_hlg_is_the_light_of_the_scene_with_75_percent_as_1():
    light = cicp.hlg_to_linear(np.array([0.0, 0.5, 0.75, 1.0]))
    np.testing.assert_allclose(light, [0, 1 / 12 / 0.26496, 1, 1 / 0.26496], rtol=1e-4)


@pytest.mark.parametrize("transfer", [cicp.PQ, cicp.HLG, 1, 4, 5, 7, 8, 13])
def test_convention_round_trip_is_exact_for_every_code(transfer):
    curve = cicp.curve_of(transfer)
    np.testing.assert_array_equal(curve.encode(curve.decode(CODES16), 16), CODES16)
    codes = (CODES16[0] >> 0).astype(np.uint8)
    np.testing.assert_array_equal(curve.encode(curve.decode(codes), 8), codes)
    assert pickle.loads(pickle.dumps(curve)).name == curve.name


@pytest.mark.parametrize(
    ("primaries", "matrix"), [(12, P3_TO_SRGB), (9, BT2020_TO_SRGB), (1, np.eye(3))]
)
def test_convention_profiles_of_code_points_have_their_primaries(primaries, matrix):
    profile = cicp.profile_of(primaries, 8)
    np.testing.assert_allclose(icc.matrix_to_srgb(profile), matrix, atol=2e-3)
    ImageCms.ImageCmsProfile(io.BytesIO(profile))  # littleCMS takes it


@pytest.mark.parametrize("transfer", [1, 4, 5, 7, 8, 13])
def test_profiles_of_code_points_have_their_curve(transfer):
    curve, wanted = icc.tone_curve(cicp.profile_of(9, transfer)), cicp.curve_of(transfer)
    np.testing.assert_allclose(curve.decode(CODES16), wanted.decode(CODES16), atol=2e-4)


def test_littlecms_agrees_on_a_generated_profile():
    codes = np.random.default_rng(0).integers(40, 200, (8, 8, 3)).astype(np.uint8)
    profile = cicp.profile_of(12, 13)
    theirs = ImageCms.profileToProfile(
        Image.fromarray(codes), io.BytesIO(profile), ImageCms.createProfile("sRGB")
    )
    ours = to_srgb8(load(codes_png(codes, 12, 13, 0, 1)))
    assert np.abs(ours.astype(int) - np.asarray(theirs)).max() <= 2


def test_srgb_needs_no_profile(smooth):
    photo = load(codes_png(smooth, 1, 13, 0, 1))
    assert photo.metadata.icc_profile is None
    assert "cicp" not in photo.metadata.extra
    np.testing.assert_array_equal(photo.encoded, smooth)


@pytest.mark.parametrize("codes", [P3, REC_2020, PQ_2020, HLG_2020, (1, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cicp_of_a_png_is_read_and_written_back(codes, dtype, smooth):
    array = smooth if dtype == np.uint16 else (smooth >> 8).astype(np.uint8)
    photo = load(codes_png(array, *codes, 0, 1))
    np.testing.assert_array_equal(photo.encoded, array)
    np.testing.assert_allclose(
        photo.linear, cicp.curve_of(codes[1]).decode(array), atol=3e-4, rtol=1e-3
    )
    data = written(photo, "PNG")
    assert png.read_info(data).cicp == (*codes, 0, 1)
    back = load(data)
    np.testing.assert_array_equal(back.encoded, array)
    assert back.metadata.icc_profile == photo.metadata.icc_profile


def test_narrow_range_is_stretched():
    array = np.full((4, 5, 3), 235 * 256, np.uint16)
    array[0], array[1] = 16 * 256, 126 * 256
    photo = load(codes_png(array, 9, 16, 0, 0))
    np.testing.assert_allclose(photo.linear[2:], 10000 / 203, rtol=1e-4)
    np.testing.assert_allclose(photo.linear[0], 0, atol=1e-6)
    np.testing.assert_allclose(photo.linear[1], cicp.pq_to_linear(110 / 219), rtol=1e-3)


def test_codes_that_are_unknown_are_told(smooth):
    for codes, words in (((99, 13, 0, 1), "primaries"), ((1, 17, 0, 1), "transfer function")):
        photo = load(codes_png(smooth, *codes))
        np.testing.assert_array_equal(photo.encoded, smooth)
        assert any(words in note for note in photo.metadata.notes)
    photo = load(codes_png(smooth, 9, 16, 9, 1))
    assert any("matrix" in note for note in photo.metadata.notes)
    assert photo.tone_curve.peak == 1


def chrm(*values: float) -> bytes:
    return png.chunk(b"cHRM", struct.pack(">8I", *(round(v * 100000) for v in values)))


def plain_png(array: np.ndarray, *chunks: bytes) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return png.with_chunks(out.getvalue(), list(chunks))


ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


def test_chromaticities_and_gamma_of_a_png_are_followed(ramp8):
    gamma = png.chunk(b"gAMA", struct.pack(">I", 45470))
    photo = load(plain_png(ramp8, chrm(*ADOBE), gamma))
    np.testing.assert_allclose(photo.linear, (ramp8 / 255) ** (1 / 0.4547), atol=1e-4)
    np.testing.assert_allclose(
        icc.matrix_to_srgb(photo.metadata.icc_profile) @ [0, 1, 0], [-0.398, 1, -0.043], atol=3e-3
    )
    for kind in ("PNG", "JPEG", "TIFF"):
        assert load(written(photo, kind)).metadata.icc_profile == photo.metadata.icc_profile


def test_chromaticities_of_srgb_change_nothing(ramp8):
    srgb = png.chunk(b"sRGB", b"\0")
    gamma = png.chunk(b"gAMA", struct.pack(">I", 45455))
    for chunks in ((chrm(*SRGB), gamma), (srgb, chrm(*ADOBE)), (chrm(*SRGB),), (chrm(*[0] * 8),)):
        photo = load(plain_png(ramp8, *chunks))
        assert photo.metadata.icc_profile is None
        np.testing.assert_array_equal(photo.encode(8), ramp8)


@pytest.mark.parametrize("codes", [P3, REC_2020, PQ_2020, HLG_2020, None])
@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_ten_bits_and_codes_survive(kind, codes, smooth):
    photo = load(codes_png(smooth, *codes, 0, 1) if codes else codes_png(smooth, 1, 13, 0, 1))
    back = load(written(photo, kind, quality=100))
    assert back.bit_depth == 16
    assert np.abs(back.encoded.astype(int) - smooth).max() < 65535 * 6 / 1023
    assert np.unique(back.encoded).size > 300  # 8 bits have 256
    assert back.tone_curve.peak == photo.tone_curve.peak
    np.testing.assert_allclose(back.linear, photo.linear, rtol=0.06, atol=0.02)
    wide = photo.metadata.icc_profile
    if wide is not None:
        np.testing.assert_allclose(
            icc.matrix_to_srgb(back.metadata.icc_profile), icc.matrix_to_srgb(wide), atol=1e-3
        )


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_hdr_of_8_bits_gets_10(kind, smooth):
    photo = load(codes_png((smooth >> 8).astype(np.uint8), 9, 16, 0, 1))
    back = load(written(photo, kind, quality=100))
    assert (back.bit_depth, back.tone_curve.name) == (16, "PQ")
    np.testing.assert_allclose(back.linear, photo.linear, rtol=0.06, atol=0.02)


def test_cameras_that_say_adobe_rgb_in_exif_alone_are_followed(ramp8, make_exif):
    from pullfocus.photo.metadata.tiff_directories import Tag, lay_out, read_directories

    out = io.BytesIO()
    Image.fromarray(ramp8).save(out, "JPEG", quality=98)
    for index, wide in ((b"R03\0", True), (b"R98\0", False)):
        order, directories = read_directories(make_exif())
        directories["interop"] = [Tag(1, 2, 4, index)]
        exif = b"Exif\0\0" + lay_out(order, directories)
        photo = load(jpeg.with_segments(out.getvalue(), [(0xE1, exif)]))
        assert (photo.metadata.icc_profile is not None) == wide
        if wide:
            matrix = icc.matrix_to_srgb(photo.metadata.icc_profile)
            np.testing.assert_allclose(matrix @ [0, 1, 0], [-0.398, 1, -0.043], atol=3e-3)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_ten_bit_files_keep_their_metadata_and_alpha(kind, smooth, make_exif, gamma_profile):
    alpha = smooth[..., 0].astype(np.float32) / 65535
    plain = Photo.from_array(smooth, alpha=alpha)
    info = plain.metadata.__class__(
        exif=make_exif(), xmp=b"<x:xmpmeta/>", icc_profile=gamma_profile
    )
    photo = plain.with_linear(plain.linear, metadata=info, tone_curve=icc.tone_curve(gamma_profile))
    back = load(written(photo, kind, quality=100))
    assert back.metadata.icc_profile == gamma_profile
    assert back.metadata.xmp == b"<x:xmpmeta/>"
    assert back.metadata.optics.lens_model == "Lens 50mm F1.8"
    np.testing.assert_allclose(back.alpha, alpha, atol=6 / 1023)
    assert np.abs(back.encoded.astype(int) - photo.encoded).max() < 65535 * 6 / 1023


def test_a_ten_bit_avif_is_whole_for_others(smooth, make_exif):
    """Pillow finds the same blocks, and every box ends where the next one begins."""
    plain = Photo.from_array(smooth)
    info = plain.metadata.__class__(exif=make_exif(), xmp=b"<x:xmpmeta/>")
    data = written(plain.with_linear(plain.linear, metadata=info), "AVIF")
    boxes = list(children(data))
    assert [kind for kind, _, _ in boxes] == [b"ftyp", b"meta", b"mdat", b"mdat"]
    assert boxes[-1][2] == len(data)
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.info["xmp"] == b"<x:xmpmeta/>"
    assert b"Lens 50mm F1.8" in image.info["exif"]
    assert item_facts(data).bits == 10
    assert item_facts(data).cicp == (1, 13, 6)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_avif_of_more_than_8_bits_is_read_as_16(bits, channels):
    codecs = pytest.importorskip("imagecodecs")
    ramp = np.tile(np.linspace(0, (1 << bits) - 1, 64).astype(np.uint16), (48, 1))
    array = ramp if channels == 1 else np.dstack([ramp] * channels)
    data = codecs.avif_encode(array, level=100, bitspersample=bits, pixelformat="444")
    photo = load(data)
    assert photo.bit_depth == 16
    assert photo.is_grey == (channels < 3)
    assert (photo.alpha is not None) == (channels in (2, 4))
    wanted = np.rint(ramp * (65535 / ((1 << bits) - 1)))
    assert np.abs(photo.encoded[..., 0].astype(int) - wanted).max() <= 65535 * 2 / ((1 << bits) - 1)


def test_a_clean_aperture_is_cropped(smooth):
    codecs = pytest.importorskip("imagecodecs")
    data = codecs.avif_encode((smooth >> 6), level=100, bitspersample=10, pixelformat="444")
    clap = struct.pack(">IIIIiIiI", 40, 1, 30, 1, 2, 1, -1, 1)
    photo = load(with_property(data, b"clap", clap))
    assert photo.size_hw == (30, 40)
    wanted = load(data).encoded[9 - 1 : 9 - 1 + 30, 12 + 2 : 12 + 2 + 40]
    np.testing.assert_array_equal(photo.encoded, wanted)


def with_property(data: bytes, kind: bytes, body: bytes) -> bytes:
    """Add an essential property to the picture, by way of the one that adds profiles."""
    from pullfocus.photo.codecs.avif_items import with_items

    marked = bytearray(with_items(data, icc_profile=body[4:]))
    at = marked.index(b"colrprof" + body[4:])
    marked[at : at + 4 + len(body)] = kind + body
    at = marked.index(b"ipma") - 4
    marked[at + struct.unpack_from(">I", marked, at)[0] - 1] |= 0x80  # essential
    return bytes(marked)


def test_a_matrix_that_is_not_read_is_not_called_damage(smooth):
    data = written(load(codes_png(smooth, 9, 16, 0, 1)), "AVIF")
    ictcp = data.replace(b"nclx\0\x09\0\x10\0\x09", b"nclx\0\x09\0\x10\0\x0e")
    with pytest.raises(UnreadableInputError, match=r"colour matrix .* is not read"):
        load(ictcp)


def test_colour_in_the_sequence_header_is_found_where_the_boxes_are_silent(cases):
    """The header of fox10.avif, whose colour stands on byte boundaries."""
    header = bytes.fromhex("0a0a196a659e3fc5010d0904")
    assert sequence_colour(header) == (1, 13, 9)
    assert sequence_colour(header[:6]) is sequence_colour(b"") is None
    data = cases("photo/hdr-and-cicp/fox10.avif").read_bytes()
    assert item_facts(data).cicp == (1, 13, 9)
    marked = data.replace(header, header.replace(b"\x01\x0d\x09", b"\x09\x10\x09"), 1)
    assert load(marked).metadata.extra["cicp"] == (9, 16)


def constant_luminance(rgb_linear: np.ndarray) -> np.ndarray:
    """Encode as BT.2020-2, table 4, says, and decode by the non-constant matrix: what comes in."""
    curve = cicp.curve_of(14)
    kr, kb = 0.2627, 0.0593
    luma = curve.to_encoded(rgb_linear @ [kr, 1 - kr - kb, kb])
    red, _, blue = np.moveaxis(curve.to_encoded(rgb_linear), -1, 0)
    cb = (blue - luma) / np.where(blue <= luma, 2 * 0.9702, 2 * 0.7910)
    cr = (red - luma) / np.where(red <= luma, 2 * 0.8591, 2 * 0.4969)
    r, b = luma + 2 * (1 - kr) * cr, luma + 2 * (1 - kb) * cb
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return np.stack([r, g, b], axis=-1)


def test_constant_luminance_is_undone():
    linear = np.random.default_rng(0).uniform(0.2, 0.6, (20, 30, 3))
    given = constant_luminance(linear)
    assert 0 < given.min() < given.max() < 1
    codes = from_constant_luminance(np.rint(given * 65535).astype(np.uint16), 14)
    np.testing.assert_allclose(cicp.curve_of(14).to_linear(codes / 65535), linear, atol=1e-3)


@pytest.fixture(scope="module")
def hdr() -> Photo:
    """A photo from black to 2000 cd/m2 in BT.2020, PQ."""
    light = np.tile(np.linspace(0, 2000 / 203, 64, dtype=np.float32), (48, 1))
    codes = cicp.curve_of(16).encode(np.dstack([light, light * 0.5, light * 0.2]), 16)
    return load(codes_png(codes, 9, 16, 0, 1))


def test_hdr_goes_into_tiff_as_linear_floats(hdr):
    back = load(written(hdr, "TIFF"))
    assert back.bit_depth == 32
    np.testing.assert_allclose(back.linear, hdr.linear, rtol=1e-6)
    assert back.linear.max() > 9
    np.testing.assert_allclose(
        icc.matrix_to_srgb(back.metadata.icc_profile), BT2020_TO_SRGB, atol=2e-3
    )


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "PPM"])
def test_hdr_is_compressed_for_formats_without_it(kind, hdr):
    assert any("HDR (PQ)" in note for note in hdr.metadata.notes)
    back = load(written(hdr, kind))
    assert back.tone_curve.peak == 1
    red = back.linear[24, :, 0]
    assert (np.diff(red[2:]) >= -0.01).all()  # no step and no flat white
    assert red[40] < red[60] <= 1
    if kind == "JPEG":
        dark = hdr.linear[24, 1:3]  # below the knee nothing changes
        np.testing.assert_allclose(back.linear[24, 1:3], dark, atol=0.05)
        assert icc.colour_space(back.metadata.icc_profile) == "RGB"


def test_convention_compression_keeps_what_lies_below_the_knee_and_all_hues():
    linear = np.random.default_rng(0).uniform(0, 4, (30, 40, 3)).astype(np.float32)
    out = cicp.to_sdr(linear, 10.0)
    assert out.max() <= 1
    below = linear.max(axis=2) <= 0.5
    np.testing.assert_array_equal(out[below], linear[below])
    np.testing.assert_allclose(
        out / out.max(axis=2, keepdims=True), linear / linear.max(axis=2, keepdims=True), rtol=1e-4
    )
    np.testing.assert_allclose(cicp.to_sdr(np.full((1, 1, 3), 10.0), 10.0), 1.0, rtol=1e-6)


def test_a_preview_of_hdr_shows_its_lights(hdr):
    shown = to_srgb8(hdr)[24, :, 0].astype(int)
    assert shown[-1] > shown[20] > shown[5]


def test_the_shared_files_of_wide_colour(cases):
    p3 = load(cases("photo/hdr-and-cicp/cicp_p3.png"))
    np.testing.assert_allclose(icc.matrix_to_srgb(p3.metadata.icc_profile), P3_TO_SRGB, atol=2e-3)
    hdr = load(cases("photo/hdr-and-cicp/cicp_pq_hdr.png"))
    assert (hdr.tone_curve.name, hdr.metadata.extra["cicp"]) == ("PQ", (9, 16))
    chimera = load(cases("photo/hdr-and-cicp/chimera_hdr.avif"))
    assert chimera.size_hw == (1008, 1920)  # its clean aperture
    assert chimera.linear.max() > 10
    red, green, blue = chimera.linear[100:200, 100:300].mean(axis=(0, 1))
    assert blue > green > red  # the sky
    fox = load(cases("photo/hdr-and-cicp/fox10.avif"))
    assert fox.bit_depth == 16
    assert np.unique(fox.encoded).size > 900
