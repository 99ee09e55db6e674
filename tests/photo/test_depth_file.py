"""Depth files: lossless where the format is, 16 bits where it says 16, kind and units said."""

import io
import os
import struct

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pullfocus.depthmap.files import (
    fit_depth,
    load_depth,
    preview,
    preview_uncertainty,
    save_depth,
)
from pullfocus.errors import (
    CannotWriteError,
    PullfocusError,
    TooLargeError,
    UnreadableInputError,
    UsageError,
)
from pullfocus.photo.codecs import png
from pullfocus.types import DepthMap

RNG = np.random.default_rng(5)
RELATIVE = DepthMap(RNG.random((120, 160)).astype(np.float32), source="a network", licence="MIT")
METRIC = DepthMap(
    (RNG.random((120, 160)) * 4 + 0.2).astype(np.float32),
    "metric",
    uncertainty=RNG.random((120, 160)).astype(np.float32),
    source="the café's depth — 漢",
)


@pytest.mark.parametrize("depth", [RELATIVE, METRIC], ids=["relative", "metric"])
@pytest.mark.parametrize("suffix", [".png", ".exr", ".tiff", ".npy", ".pfm"])
def test_convention_depth_files_come_back(suffix, depth, tmp_path):
    path = save_depth(depth, tmp_path / f"d{suffix}")
    says_kind = suffix in (".png", ".exr", ".tiff")
    back = load_depth(path, kind=None if says_kind else depth.kind)
    assert back.kind == depth.kind
    span = float(np.ptp(depth.disparity))
    tolerance = span / 65535 if suffix == ".png" else 0
    assert np.abs(back.disparity - depth.disparity).max() <= tolerance
    if says_kind:
        assert (back.source, back.licence) == (depth.source, depth.licence)
    if suffix == ".exr" and depth.uncertainty is not None:
        np.testing.assert_array_equal(back.uncertainty, depth.uncertainty)


def test_convention_png_depth_really_has_16_bits(tmp_path):
    ramp = np.linspace(0, 1, 65534, dtype=np.float32).reshape(-1, 2)
    path = save_depth(DepthMap(ramp), tmp_path / "d.png")
    codes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert codes.dtype == np.uint16
    assert np.unique(codes).size > 60000
    assert codes.min() == 1  # 0 is kept for unknown
    assert codes.max() == 65535


def test_png_says_kind_near_far_and_units(tmp_path):
    text = png.read_info(save_depth(METRIC, tmp_path / "d.png").read_bytes()).text
    assert text["pullfocus:kind"] == "metric"
    assert text["pullfocus:units"] == "1/m"
    assert float(text["pullfocus:near"]) == pytest.approx(METRIC.disparity.max())
    assert float(text["pullfocus:far"]) == pytest.approx(METRIC.disparity.min())
    assert "larger = nearer" in text["pullfocus:quantity"]


def test_convention_unknown_png_codes_are_farthest(tmp_path):
    path = save_depth(METRIC, tmp_path / "d.png")
    codes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    codes[:10] = 0
    info = png.read_info(path.read_bytes())
    chunks = [png.text_chunk(name, value) for name, value in info.text.items()]
    data = png.with_chunks(cv2.imencode(".png", codes)[1].tobytes(), chunks)
    assert load_depth(data).disparity[:10].max() == pytest.approx(METRIC.disparity.min())


@pytest.mark.parametrize("suffix", [".png", ".exr", ".tiff"])
def test_a_source_whose_name_is_no_utf_8_can_be_written(suffix, tmp_path):
    depth = DepthMap(RELATIVE.disparity, source="'caf\udce9.npy'")
    assert load_depth(save_depth(depth, tmp_path / f"d{suffix}")).source == "'caf?.npy'"


def test_uncertainty_is_scaled_with_its_disparity():
    codes, sigma = np.array([[0.0, 255.0]]), np.array([[2.55, 5.1]])
    depth = DepthMap.from_disparity(codes, uncertainty=sigma)
    np.testing.assert_allclose(depth.uncertainty, [[0.01, 0.02]], rtol=1e-6)
    metric = DepthMap.from_disparity(codes, "metric", uncertainty=sigma)
    np.testing.assert_allclose(metric.uncertainty, sigma, rtol=1e-6)


def test_the_limit_on_pixels_is_the_callers(tmp_path):
    path = save_depth(RELATIVE, tmp_path / "d.npy")
    with pytest.raises(TooLargeError):
        load_depth(path, max_megapixels=RELATIVE.disparity.size / 2e6)
    assert load_depth(path, max_megapixels=RELATIVE.disparity.size / 1e6).kind == "relative"


def test_constant_depth_comes_back(tmp_path):
    flat = DepthMap(np.full((4, 5), 0.25, np.float32), "metric")
    for suffix in (".png", ".exr"):
        assert (load_depth(save_depth(flat, tmp_path / f"d{suffix}")).disparity == 0.25).all()


def test_convention_pfm_rows_run_from_the_bottom_up(tmp_path):
    path = save_depth(RELATIVE, tmp_path / "d.pfm")
    data = path.read_bytes()
    first = np.frombuffer(data, "<f4", 160, data.index(b"-1.0\n") + 5)
    np.testing.assert_array_equal(first, RELATIVE.disparity[-1])
    big = b"PF\n2 1\n1.0\n" + struct.pack(">6f", 0.5, 9, 9, 0.25, 9, 9)
    np.testing.assert_array_equal(load_depth(big).disparity, [[0.5, 0.25]])


@pytest.mark.parametrize("bits", [8, 16])
def test_convention_grey_pictures_are_relative_and_bright_is_near(bits):
    codes = np.linspace(0, 2**bits - 1, 200).reshape(10, 20)
    codes = codes.astype(np.uint16 if bits == 16 else np.uint8)
    data = cv2.imencode(".png", codes)[1].tobytes()
    depth = load_depth(data)
    assert depth.kind == "relative"
    assert "bright or large = near" in depth.source
    assert "assumed" in depth.notes[0]
    unit = codes / (2**bits - 1)
    np.testing.assert_allclose(depth.disparity, unit, atol=1e-6)
    dark = load_depth(data, near="dark")
    if bits == 8:  # Lens Blur: disparity turned round
        np.testing.assert_allclose(dark.disparity, 1 - unit, atol=1e-6)
    else:  # Marigold: depth up to scale and shift
        inner = unit[(unit > 0.01) & (unit < 0.99)]
        low, high = np.percentile(unit, (0.5, 99.5))
        z = 0.1 + 0.9 * (inner - low) / (high - low)
        expected = (1 / z - 1) / 9
        np.testing.assert_allclose(
            dark.disparity[(unit > 0.01) & (unit < 0.99)], expected, atol=1e-3
        )
    turned = load_depth(data, near="dark", unit="disparity")
    np.testing.assert_allclose(turned.disparity, 1 - unit, atol=1e-6)


def test_depth_of_other_programs(tmp_path, shared):
    distances = np.array([[0.5, 2.0], [np.inf, 4.0]], np.float32)
    np.savez(tmp_path / "a.npz", depth_m=distances)
    np.testing.assert_allclose(load_depth(tmp_path / "a.npz").disparity, [[2, 0.5], [0, 0.25]])
    np.savez_compressed(tmp_path / "b.npz", disparity=distances[:1] / 4, other=[1])
    assert load_depth(tmp_path / "b.npz").kind == "relative"
    np.save(tmp_path / "c.npy", np.arange(6.0).reshape(1, 2, 3))  # (1, h, w), outside 0..1
    np.testing.assert_allclose(load_depth(tmp_path / "c.npy").disparity.max(), 1.0)
    out = io.BytesIO()
    tifffile.imwrite(out, RELATIVE.disparity)
    np.testing.assert_array_equal(load_depth(out.getvalue()).disparity, RELATIVE.disparity)
    assert load_depth(shared("phone/depthy/flowers-depth.jpg"), near="dark").size_hw == (1200, 680)


def test_an_exr_channel_z_is_metres(tmp_path):
    import OpenEXR

    z = np.full((4, 6), 2.0, np.float32)
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"Z": z}).write(str(tmp_path / "z.exr"))
    depth = load_depth(tmp_path / "z.exr")
    assert depth.kind == "metric"
    assert (depth.disparity == 0.5).all()
    assert "metres" in depth.source


def test_depth_is_brought_to_the_size_of_the_photo(tmp_path):
    path = save_depth(METRIC, tmp_path / "d.exr")
    large = load_depth(path, size_hw=(240, 320))
    assert large.size_hw == (240, 320)
    assert large.kind == "metric"
    assert large.uncertainty.shape == (240, 320)
    assert fit_depth(METRIC, (120, 160)) is METRIC
    assert fit_depth(METRIC, (60, 80)).disparity.mean() == pytest.approx(
        METRIC.disparity.mean(), abs=1e-3
    )
    fit_depth(DepthMap(np.ones((192, 320), np.float32)), (2400, 4001))


def test_another_aspect_is_one_sentence():
    with pytest.raises(UsageError, match=r"160x120 and the photo 120x160.*turn it"):
        fit_depth(METRIC, (160, 120))
    with pytest.raises(UsageError, match=r"another shape; use the map that was made from this"):
        fit_depth(METRIC, (100, 200))
    fit_depth(DepthMap(np.ones((98, 126), np.float32)), (768, 1000))  # sides of whole patches


def test_a_fitted_map_keeps_all_that_belongs_to_it():
    person = np.full((6, 8), 0.5, np.float32)
    depth = DepthMap(
        METRIC.disparity, "metric", METRIC.uncertainty, "a", "MIT", person, person + 0.1, ("n",)
    )
    fitted = fit_depth(depth, (60, 80))
    np.testing.assert_array_equal(fitted.person, person)
    np.testing.assert_array_equal(fitted.salient, depth.salient)
    assert (fitted.source, fitted.licence, fitted.notes) == ("a", "MIT", ("n",))
    assert fitted.uncertainty.shape == (60, 80)


def refused(source) -> str:
    with pytest.raises(UnreadableInputError) as caught:
        load_depth(source)
    message = str(caught.value)
    assert message.startswith("Cannot read ")
    assert message.endswith(".")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("suffix", [".npy", ".pfm", ".exr", ".tiff"])
def test_nan_is_unknown_and_filled(suffix, tmp_path):
    values = np.full((120, 160), 0.5, np.float32)
    values[60:] = 0.75
    path = save_depth(RELATIVE, tmp_path / f"d{suffix}")
    values[0, :7] = np.nan
    if suffix == ".npy":
        np.save(path, values)
    elif suffix == ".pfm":
        head = path.read_bytes().split(b"-1.0\n")[0] + b"-1.0\n"
        path.write_bytes(head + values[::-1].tobytes())
    elif suffix == ".tiff":
        tifffile.imwrite(path, values)
    else:
        import OpenEXR

        OpenEXR.File({"type": OpenEXR.scanlineimage}, {"Y": values}).write(str(path))
    depth = load_depth(path, unit="disparity")
    np.testing.assert_allclose(depth.disparity[0, :7], 0.5, atol=0.02)
    np.testing.assert_array_equal(depth.disparity[1:], values[1:])
    assert "less than 1 % of it is unknown" in depth.notes[-1]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_convention_a_turned_depth_picture_is_upright(kind):
    """As an editor leaves it that notes the turn in EXIF instead of turning the pixels."""
    stored = np.tile(np.arange(8, dtype=np.uint8) * 30, (4, 1))
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(stored).save(out, kind, exif=exif)
    disparity = load_depth(out.getvalue()).disparity
    np.testing.assert_allclose(disparity, np.rot90(stored, -1) / 255, atol=1e-6)


def test_a_picture_in_exr_is_no_depth_either(tmp_path):
    import OpenEXR

    path = tmp_path / "a.exr"
    red = np.random.default_rng(0).random((4, 5), np.float32)
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"R": red, "G": red / 2, "B": red}).write(
        str(path)
    )
    assert "no order" in refused(path)
    OpenEXR.File({"type": OpenEXR.scanlineimage}, {"R": red, "G": red, "B": red}).write(str(path))
    np.testing.assert_array_equal(load_depth(path).disparity, red)


@pytest.mark.parametrize("suffix", [".npy", ".tiff"])
def test_no_data_is_filled_like_nan(suffix, tmp_path):
    """GIS programs write -3.4e38 where they know nothing: scaled to 0..1, all else would be 1."""
    values = np.array(RELATIVE.disparity)
    values[0, :7] = np.finfo(np.float32).min
    path = tmp_path / f"d{suffix}"
    np.save(path, values) if suffix == ".npy" else tifffile.imwrite(path, values)
    depth = load_depth(path)
    np.testing.assert_array_equal(depth.disparity[1:], values[1:])
    assert depth.disparity[0, :7].min() > 0.1


def test_what_is_no_depth_map(tmp_path, ramp8):
    np.save(tmp_path / "a.npy", np.array(["text"]))
    assert "not numbers" in refused(tmp_path / "a.npy")
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(tmp_path / "o.npy")
    np.save(tmp_path / "b.npy", np.zeros((3, 4, 5)))
    assert "shape (h, w)" in refused(tmp_path / "b.npy")
    np.savez(tmp_path / "c.npz", other=[1], more=[2])
    assert "called depth or disparity" in refused(tmp_path / "c.npz")
    assert "no order" in refused(cv2.imencode(".png", ramp8)[1].tobytes())
    np.save(tmp_path / "n.npy", np.full((4, 5), np.nan, np.float32))
    assert "nothing in it is known" in refused(tmp_path / "n.npy")
    assert "black all over" in refused(
        cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
    )
    assert "not a depth map" in refused(b"some text")
    np.savez(tmp_path / "d.npz", depth_m=np.array([[-1.0, 2.0]]))
    assert "negative distances" in refused(tmp_path / "d.npz")
    np.save(tmp_path / "e.npy", np.array([[-1.0, 2.0]]))
    with pytest.raises(UnreadableInputError, match="negative disparity"):
        load_depth(tmp_path / "e.npy", kind="metric")
    refused(tmp_path / "absent.npy")


@pytest.mark.parametrize("suffix", [".png", ".exr", ".tiff", ".npy", ".pfm"])
def test_truncated_and_fuzzed_files_raise_only_our_errors(suffix, tmp_path):
    small = DepthMap(RELATIVE.disparity[:8, :9].copy())
    sound = save_depth(small, tmp_path / f"d{suffix}").read_bytes()
    refused(sound[: len(sound) * 2 // 3])

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(at=st.integers(0, len(sound) - 1), junk=st.binary(min_size=1, max_size=8))
    def check(at: int, junk: bytes) -> None:
        try:
            depth = load_depth(sound[:at] + junk + sound[at + len(junk) :])
        except PullfocusError:
            return
        assert np.isfinite(depth.disparity).all()

    check()


def test_writing_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"\.png, \.exr"):
        save_depth(RELATIVE, tmp_path / "d.jpg")
    path = save_depth(RELATIVE, tmp_path / "d.npy")
    with pytest.raises(CannotWriteError, match="exists already"):
        save_depth(RELATIVE, path, overwrite=False)
    with pytest.raises(CannotWriteError, match="does not exist"):
        save_depth(RELATIVE, tmp_path / "no" / "d.npy")
    if os.path.exists("/dev/full"):
        (tmp_path / "full.npy").symlink_to("/dev/full")
        with pytest.raises(CannotWriteError, match="no space"):
            save_depth(RELATIVE, tmp_path / "full.npy")


def test_previews_are_magma_with_bright_near():
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
    depth = DepthMap(ramp, uncertainty=ramp[:, ::-1])
    shown = preview(depth)
    assert shown.dtype == np.uint8
    assert shown.shape == (1, 256, 3)
    assert (np.diff(shown.astype(float) @ [0.2126, 0.7152, 0.0722]) > -0.8).all()
    assert shown[0, 0].tolist() == pytest.approx([0, 0, 4], abs=1)
    assert shown[0, -1].tolist() == pytest.approx([252, 253, 191], abs=1)
    np.testing.assert_array_equal(preview_uncertainty(depth), shown[:, ::-1])
    assert preview_uncertainty(RELATIVE) is None
    assert preview(DepthMap(np.ones((2, 2), np.float32))).shape == (2, 2, 3)
