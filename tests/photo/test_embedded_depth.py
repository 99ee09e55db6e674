"""Depth that photos carry: polarity, units, orientation; and XMP that nobody should trust."""

import base64
import hashlib
import io
import struct

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pullfocus.photo import load, save
from pullfocus.photo.codecs import jpeg
from pullfocus.photo.codecs.heif import heif_depth_map
from pullfocus.photo.codecs.jpeg import read_segments
from pullfocus.photo.embedded.gdepth import gdepth_to_depth_map, read_gdepth
from pullfocus.photo.metadata import xmp
from pullfocus.photo.pixels import upright

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
UNIT = np.linspace(0, 1, 12 * 20).reshape(12, 20)


def depth_png(unit: np.ndarray = UNIT, bits: int = 16) -> bytes:
    codes = np.rint(unit * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8)
    return cv2.imencode(".png", codes)[1].tobytes()


def packet(inner: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" {inner}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def gdepth(
    data: bytes, form: str = "RangeInverse", near: str = "0.5", far: str = "8", units: str = "m"
) -> bytes:
    said = f'GDepth:Format="{form}" GDepth:Near="{near}" GDepth:Far="{far}" '
    said += f'GDepth:Units="{units}" ' if units else ""
    return packet(said + f'GDepth:Mime="image/png" GDepth:Data="{base64.b64encode(data).decode()}"')


def photo_bytes(ramp8, to_bytes, block: bytes, exif: bytes = b"") -> bytes:
    options = {"exif": b"Exif\0\0" + exif} if exif else {}
    data = to_bytes(Image.fromarray(ramp8), "JPEG", quality=95, **options)
    return jpeg.with_segments(data, [(0xE1, jpeg.XMP + block)])


def test_convention_range_inverse_is_metric_with_near_at_zero(ramp8, to_bytes):
    depth = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png()))).embedded_depth
    assert depth.kind == "metric"
    assert depth.source == "the photo's own depth (GDepth)"
    np.testing.assert_allclose(depth.disparity, 2.0 - UNIT * (2.0 - 0.125), atol=1e-4)


def test_convention_range_linear_is_linear_in_distance(ramp8, to_bytes):
    depth = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png(), "RangeLinear"))).embedded_depth
    np.testing.assert_allclose(depth.depth_m, 0.5 + UNIT * 7.5, rtol=1e-3)


def test_millimetres_are_metric_and_unitless_is_relative(ramp8, to_bytes):
    block = gdepth(depth_png(), near="500", far="8000", units="mm")
    depth = load(photo_bytes(ramp8, to_bytes, block)).embedded_depth
    assert depth.kind == "metric"
    assert depth.disparity.max() == pytest.approx(2.0, abs=1e-3)
    relative = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png(), units=""))).embedded_depth
    assert relative.kind == "relative"
    assert relative.disparity[0, 0] == pytest.approx(1.0)
    assert relative.disparity[-1, -1] == pytest.approx(0.5 / 8)


def test_infinity_may_be_the_far_end(ramp8, to_bytes):
    depth = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png(), far="inf"))).embedded_depth
    assert depth.disparity.min() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_convention_depth_is_turned_like_the_pixels(orientation, ramp8, make_exif, to_bytes):
    photo = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png()), make_exif(orientation)))
    expected = upright((2.0 - UNIT * 1.875).astype(np.float32), orientation)
    assert photo.size_hw == upright(ramp8, orientation).shape[:2]
    np.testing.assert_allclose(photo.embedded_depth.disparity, expected, atol=1e-4)


@pytest.mark.parametrize("digest", ["right", "wrong"])
def test_extended_xmp_is_joined_in_any_order(digest, ramp8, to_bytes):
    noise = np.random.default_rng(0).random((240, 400))
    body = gdepth(depth_png(noise))
    assert len(body) > 2 * 65000
    guid = hashlib.md5(body).hexdigest().upper().encode() if digest == "right" else b"0" * 32
    note = packet(
        f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid.decode()}"'
    )
    parts = [
        (
            0xE1,
            jpeg.XMP_EXTENSION + guid + struct.pack(">II", len(body), at) + body[at : at + 65000],
        )
        for at in range(0, len(body), 65000)
    ]
    data = jpeg.with_segments(
        to_bytes(Image.fromarray(ramp8), "JPEG"), [(0xE1, jpeg.XMP + note), *parts[::-1]]
    )
    photo = load(data)
    np.testing.assert_allclose(photo.embedded_depth.disparity, 2 - noise * 1.875, atol=1e-4)
    assert photo.metadata.xmp is not None
    assert b"HasExtendedXMP" not in photo.metadata.xmp
    missing = jpeg.with_segments(
        to_bytes(Image.fromarray(ramp8), "JPEG"), [(0xE1, jpeg.XMP + note), *parts[1:]]
    )
    assert load(missing).embedded_depth is None


def test_the_depth_is_not_saved_again(ramp8, to_bytes):
    photo = load(photo_bytes(ramp8, to_bytes, gdepth(depth_png())))
    assert any("not saved again" in note for note in photo.metadata.notes)
    out = io.BytesIO()
    save(photo, out, format="JPEG")
    assert load(out.getvalue()).embedded_depth is None
    assert b"GDepth:Data" not in out.getvalue()


def test_google_lens_blur(shared):
    photo = load(shared("phone/android_gdepth/Android Depth Map.jpg"))
    depth = photo.embedded_depth
    assert depth.kind == "relative"  # the file gives no units
    assert depth.size_hw == photo.size_hw == (1024, 768)
    truth = cv2.imread(str(shared("phone/android_gdepth/GDepth_Data.png")), cv2.IMREAD_GRAYSCALE)
    expected = 1.0 - truth / 255.0 * (1.0 - 12.425121 / 390.5)
    assert np.abs(depth.disparity - expected).max() < 0.01
    assert any("GImage" in note for note in photo.metadata.notes)
    out = io.BytesIO()
    save(photo, out, format="JPEG")
    assert read_segments(out.getvalue()).extended_xmp is None


def test_the_pug(shared):
    pytest.importorskip("pillow_heif", reason="pillow-heif is an extra")
    depth = load(shared("phone/heic/pug.heic")).embedded_depth
    assert depth.kind == "metric"
    assert depth.size_hw == (576, 768)
    assert depth.disparity.min() == pytest.approx(1.498, abs=1e-3)
    assert depth.disparity.max() == pytest.approx(4.383, abs=1e-3)
    truth = cv2.imread(str(shared("phone/heic/pug.heic__depth0.png")), cv2.IMREAD_UNCHANGED)
    assert np.corrcoef(truth.ravel(), depth.disparity.ravel())[0, 1] > 0.999


def test_convention_heic_representation_types():
    samples = UNIT.astype(np.float32)
    inverse = heif_depth_map(samples, {"representation_type": 0, "z_near": 0.5, "z_far": 4.0})
    assert inverse.kind == "metric"
    np.testing.assert_allclose(inverse.disparity, 0.25 + UNIT * 1.75, atol=1e-6)
    disparity = heif_depth_map(samples, {"representation_type": 1, "d_min": 1.0, "d_max": 3.0})
    np.testing.assert_allclose(disparity.disparity, 1 + UNIT * 2, atol=1e-6)
    depth = heif_depth_map(samples, {"representation_type": 2, "z_near": 0.5, "z_far": 4.0})
    np.testing.assert_allclose(depth.depth_m, 0.5 + UNIT * 3.5, rtol=1e-5)
    unranged = heif_depth_map(samples, {"representation_type": 2})
    assert unranged.kind == "relative"
    np.testing.assert_allclose(unranged.disparity, 1 - UNIT, atol=1e-6)
    near = {"representation_type": 2, "z_near": 1e-30, "z_far": 4.0}
    for broken in ({"d_min": 3, "d_max": 1}, {"d_min": float("nan"), "d_max": 2.0}, {}, near):
        assert heif_depth_map(samples, broken).kind == "relative"


@pytest.mark.parametrize(
    "block",
    [
        gdepth(b"not a picture"),
        gdepth(depth_png()[:60]),
        gdepth(depth_png(), near="8", far="0.5"),
        gdepth(depth_png(), near="nan"),
        gdepth(depth_png(), near="-1"),
        gdepth(depth_png(), near="1e-30", units="m"),
        gdepth(depth_png(), form="Other"),
        packet('GDepth:Near="1" GDepth:Far="2" GDepth:Data="!!!"'),
        packet('GDepth:Near="1"'),
        gdepth(depth_png())[:-40],
    ],
)
def test_unusable_depth_is_a_note(block, ramp8, to_bytes):
    photo = load(photo_bytes(ramp8, to_bytes, block))
    assert photo.embedded_depth is None
    assert any("could not be read" in note for note in photo.metadata.notes)
    assert photo.size_hw == (24, 40)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_depth_of_a_picture_cropped_since_is_not_used(orientation, ramp8, make_exif, to_bytes):
    """Editors that crop leave GDepth as it was: stretched over the rest it would be wrong."""
    block = make_exif(orientation)
    photo = load(photo_bytes(ramp8[:, :24], to_bytes, gdepth(depth_png()), block))
    assert photo.embedded_depth is None
    assert any("another shape" in note for note in photo.metadata.notes)


def test_entities_are_never_expanded():
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + gdepth(depth_png())
    assert xmp.properties(laughs, xmp.GDEPTH) == {}
    assert xmp.properties(gdepth(depth_png()).decode().encode("utf-16"), xmp.GDEPTH) == {}


def test_a_depth_map_that_claims_to_be_huge_is_left_alone():
    huge = bytearray(depth_png())
    huge[16:24] = struct.pack(">II", 100000, 100000)
    found = read_gdepth(gdepth(bytes(huge)))
    assert gdepth_to_depth_map(found) is None


@QUICK
@given(data=st.binary(max_size=200), at=st.integers(0, 900), text=st.text(max_size=40))
def test_fuzzed_xmp_gives_depth_or_nothing(data, at, text):
    sound = gdepth(depth_png(UNIT[:3, :3]))
    for block in (
        data,
        sound[:at] + data + sound[at + len(data) :],
        packet(f'GDepth:Near="{text}" GDepth:Far="9" GDepth:Data="{text}"'),
        gdepth(data),
    ):
        for found in (read_gdepth(block), read_gdepth(None, block)):
            if found is not None:
                depth = gdepth_to_depth_map(found)
                assert depth is None or np.isfinite(depth.disparity).all()
        xmp.without_stale(block)
        xmp.without_stale_extension(block)


def test_dynamic_depth_is_noted_and_its_lists_are_not_saved_again(ramp8, to_bytes):
    block = packet(
        'xmlns:Item="http://ns.google.com/photos/dd/1.0/item/" Item:Length="123" Item:Mime="a/b"'
    )
    photo = load(photo_bytes(ramp8, to_bytes, block))
    assert photo.embedded_depth is None
    assert any("dynamic depth" in note for note in photo.metadata.notes)
    assert b"Item:Length" not in photo.metadata.xmp
