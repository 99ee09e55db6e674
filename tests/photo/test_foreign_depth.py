"""Depth files of other programs, each made as that program writes it: which end, what unit."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile

from pullfocus.depthmap.codecs import encode_exr
from pullfocus.depthmap.files import load_depth
from pullfocus.depthmap.fill import fill_unknown
from pullfocus.depthmap.meaning import rank_correlation
from pullfocus.errors import PullfocusError, TooLargeError, UnreadableInputError, UsageError
from pullfocus.types import DepthMap

H, W = 48, 64
Z = np.broadcast_to(np.linspace(40, 1.5, H, dtype=np.float32)[:, None], (H, W)).copy()
"""Metres: the ground of a street, far above and near below."""
Z[20:30, 30:40] = 2.0
NEAR = 1 / Z


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def png(codes: np.ndarray) -> bytes:
    return cv2.imencode(".png", codes)[1].tobytes()


def exr(tmp_path, channels: dict[str, np.ndarray], parts: bool = False) -> bytes:
    import OpenEXR

    path, head = str(tmp_path / "a.exr"), {"type": OpenEXR.scanlineimage}
    if parts:
        made = [
            OpenEXR.Part({**head, "name": name}, {name: pixels}, name)
            for name, pixels in channels.items()
        ]
        OpenEXR.File(made).write(path)
    else:
        OpenEXR.File(head, channels).write(path)
    return (tmp_path / "a.exr").read_bytes()


def is_metric(depth, z: np.ndarray = Z, rtol: float = 1e-3) -> None:
    assert depth.kind == "metric"
    np.testing.assert_allclose(depth.disparity, 1 / z, rtol=rtol)


@pytest.mark.parametrize(
    "arrays",
    [
        {"depth": Z.astype(np.float16)},  # Depth Pro
        {"depth": Z[None], "conf": Z[None] * 0, "intrinsics": np.eye(3)[None]},  # Depth Anything 3
        {"depths": Z},
        {"metric_depth": Z.astype(np.float64)},
        {"rgb": np.zeros((H, W, 3), np.uint8), "depth_map": np.asfortranarray(Z)},
        {"depth": np.rint(Z * 1000).astype(np.uint16)},
        {"depth_mm": Z * 1000},
        {"depth": np.rint(Z * 1000)},
    ],
    ids=["pro", "da3", "depths", "metric", "columns", "uint16", "mm", "whole"],
)
def test_convention_arrays_called_depth_are_metres(arrays):
    depth = load_depth(npz(**arrays))
    is_metric(depth)
    assert "taken as depth in" in depth.notes[0]
    assert "says" in depth.notes[0]


@pytest.mark.parametrize("name", ["disparity", "disp", "inverse_depth", "inv_depth"])
def test_arrays_called_disparity_are_larger_when_nearer(name):
    depth = load_depth(npz(**{name: NEAR}))
    assert depth.kind == "relative"
    assert rank_correlation(depth.disparity, NEAR) > 0.999


def test_several_maps_are_refused_by_number():
    with pytest.raises(UnreadableInputError, match="2 maps"):
        load_depth(npz(depth=np.stack([Z, Z])))


@pytest.mark.parametrize(
    "names",
    [
        ["Depth.V"],
        ["ViewLayer.Depth.Z"],
        ["View Layer.Depth.V"],
        ["Depth.R", "Depth.G", "Depth.B"],
        ["Z"],
        ["depth.Y"],
        ["V"],
        ["R", "G", "B"],
        ["ViewLayer.Combined.R", "ViewLayer.Depth.Z", "ViewLayer.Normal.Z", "ViewLayer.Mist.Z"],
    ],
    ids=lambda names: names[-1] if len(names) < 4 else "multilayer",
)
def test_convention_exr_of_blender_is_metres_and_its_sky_is_far(names, tmp_path):
    z = Z.copy()
    z[:4] = 1e10
    other = np.zeros((H, W), np.float32)
    made = {
        name: other if "Combined" in name or "Normal" in name or "Mist" in name else z
        for name in names
    }
    depth = load_depth(exr(tmp_path, made), order=lambda: 1 / z)
    assert depth.kind == "metric"
    assert (depth.disparity[:4] == 0).all()
    np.testing.assert_allclose(depth.disparity[4:], NEAR[4:], rtol=1e-5)


def test_exr_in_several_parts(tmp_path):
    is_metric(load_depth(exr(tmp_path, {"A.R": Z * 0, "ViewLayer.Depth.Z": Z}, parts=True)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_convention_exr_of_moge_is_metres_and_infinity_is_far(dtype, tmp_path):
    z = Z.astype(dtype)
    z[:4] = np.inf
    depth = load_depth(exr(tmp_path, {"Y": z}))
    assert depth.kind == "metric"
    assert (depth.disparity[:4] == 0).all()
    assert depth.disparity[-1, 0] == pytest.approx(1 / 1.5, rel=1e-3)
    assert "no end" in depth.notes[0]


def test_the_largest_half_float_has_no_end(tmp_path):
    z = Z.astype(np.float16)
    z[:4] = 65504
    assert (load_depth(exr(tmp_path, {"Depth.V": z})).disparity[:4] == 0).all()


def test_mist_is_relative_depth(tmp_path):
    depth = load_depth(exr(tmp_path, {"ViewLayer.Mist.Z": (Z - 1.5) / 38.5}))
    assert depth.kind == "relative"
    assert rank_correlation(depth.disparity, NEAR) > 0.999


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (Z * 1000, "in mm"),
        (Z * 256, "1/256 m"),  # ZoeDepth: no zeros
    ],
    ids=["nyu", "zoe"],
)
def test_convention_16_bit_codes_with_a_unit(codes, words):
    indoor = np.minimum(codes, 9500 if words == "in mm" else 20000)
    z = indoor / (1000 if words == "in mm" else 256)
    depth = load_depth(png(np.rint(indoor).astype(np.uint16)))
    is_metric(depth, z, rtol=5e-3)
    assert words in depth.notes[0]


def test_convention_zeros_of_a_sensor_are_unknown_and_filled():
    codes = np.rint(np.minimum(Z, 6) * 1000).astype(np.uint16)
    codes[10:14, 10:20] = 0
    codes[:, -3:] = 0
    depth = load_depth(png(codes))
    assert depth.kind == "metric"
    known = codes > 0
    np.testing.assert_allclose(depth.disparity[known], 1000 / codes[known], rtol=1e-5)
    np.testing.assert_allclose(depth.disparity[10:14, 10:20], 1 / 6, rtol=0.05)
    assert depth.disparity.min() > 0.15
    assert "unknown and was filled" in depth.notes[-1]


def test_convention_sparse_codes_are_kitti():
    rng = np.random.default_rng(0)
    codes = np.where(rng.random((H, W)) < 0.06, np.rint(Z * 256), 0).astype(np.uint16)
    depth = load_depth(png(codes))
    assert "1/256 m" in depth.notes[0]
    assert rank_correlation(depth.disparity, NEAR) > 0.9
    assert depth.disparity.min() > 0.9 / 40


@pytest.mark.parametrize("white", [9000, 65535])
def test_pgm_in_mm_whatever_it_calls_white(white):
    z = np.minimum(Z, 9)
    data = f"P5 {W} {H} {white}\n".encode() + np.rint(z * 1000).astype(">u2").tobytes()
    is_metric(load_depth(data), z)


def test_the_nearest_of_a_lens_blur_map_may_be_black():
    grey = np.rint(255 * (1 - NEAR / NEAR.max())).astype(np.uint8)
    grey[-6:] = 0
    depth = load_depth(png(grey), order=lambda: NEAR)
    assert (depth.disparity[-6:] == 1).all()
    assert len(depth.notes) == 1


def test_tum_counts_5000_a_metre():
    codes = np.rint(np.minimum(Z, 8) * 5000).astype(np.uint16)
    codes[:6] = 0
    assert load_depth(png(codes)).disparity[-1, 0] == pytest.approx(1 / 1.5, rel=1e-3)


@pytest.mark.parametrize("suffix", [".npy", ".png", ".png8", ".tiff", ".pfm", ".exr"])
@pytest.mark.parametrize("dark", [False, True], ids=["bright", "dark"])
def test_the_photo_decides_where_the_file_is_silent(suffix, dark, tmp_path):
    """Marigold (depth 0..1), MiDaS (disparity), in every format; the picture is upside down."""
    z = Z[::-1]
    unit = (z - z.min()) / np.ptp(z) if dark else (1 / z - 1 / z.max()) * 1.5
    unit = unit.astype(np.float32)
    if suffix == ".npy":
        data = npy(unit)
    elif suffix == ".png":
        data = png(np.rint(unit / unit.max() * 65535).astype(np.uint16))
    elif suffix == ".png8":
        data = png(np.rint(unit / unit.max() * 255).astype(np.uint8))
    elif suffix == ".pfm":
        data = f"Pf\n{W} {H}\n-1.0\n".encode() + unit[::-1].tobytes()
    elif suffix == ".exr":
        data = exr(tmp_path, {"Y": unit})
    else:
        out = io.BytesIO()
        tifffile.imwrite(out, unit)
        data = out.getvalue()
    depth = load_depth(data, order=lambda: 1 / z)
    assert depth.kind == "relative"
    assert rank_correlation(depth.disparity, 1 / z) > 0.99
    assert "rank correlation" in depth.notes[0]
    assert "--depth-near" in depth.notes[0]


@pytest.mark.parametrize("suffix", [".npy", ".tiff", ".pfm"])
def test_floats_that_the_photo_turns_are_metres(suffix):
    out = io.BytesIO()
    tifffile.imwrite(out, Z)
    data = {
        ".npy": npy(Z),
        ".tiff": out.getvalue(),
        ".pfm": f"Pf\n{W} {H}\n-1.0\n".encode() + Z[::-1].tobytes(),
    }[suffix]
    is_metric(load_depth(data, order=lambda: NEAR), rtol=1e-5)


def test_a_photo_that_does_not_tell_leaves_what_most_files_are():
    noise = np.random.default_rng(1).random((H, W)).astype(np.float32)
    depth = load_depth(npy(NEAR), order=lambda: noise)
    np.testing.assert_array_equal(depth.disparity, NEAR)
    assert "assumed" in depth.notes[0]


def test_a_map_of_a_few_flat_levels_is_not_turned_round():
    drawn = np.full((H, W), 0.2, np.float32)
    drawn[:10] = 0.9
    np.testing.assert_array_equal(load_depth(npy(drawn), order=lambda: NEAR).disparity, drawn)


def test_names_of_files_say_what_they_hold(tmp_path):
    path = tmp_path / "a_raw_depth_meter.npy"  # Depth Anything V2, metric
    path.write_bytes(npy(Z))
    is_metric(load_depth(path))
    (tmp_path / "b_disp.npy").write_bytes(npy(Z / 40))
    assert load_depth(tmp_path / "b_disp.npy").disparity[0, 0] == 1
    is_metric(load_depth(npy(np.rint(Z * 1000)), name="c.depth_mm.npy"))


def test_infinity_in_pfm_is_unknown_as_in_middlebury():
    disparity = NEAR * 100
    disparity[5:8, 5:8] = np.inf
    data = f"Pf\n{W} {H}\n-1.0\n".encode() + disparity[::-1].tobytes()
    depth = load_depth(data, order=lambda: NEAR)
    assert depth.disparity[6, 6] == pytest.approx(depth.disparity[6, 20], abs=0.02)


def test_convention_colmap_is_columns_first_and_zero_is_unknown():
    z = Z.copy()
    z[:5, :5] = 0
    data = f"{W}&{H}&1&".encode() + z.tobytes()  # column order of (w, h): rows of the picture
    depth = load_depth(data)
    assert depth.kind == "relative"
    assert depth.disparity.shape == (H, W)
    np.testing.assert_allclose(depth.disparity[10:], (1.5 / Z)[10:], rtol=1e-4)
    assert depth.disparity[2, 2] > 0.02
    is_metric(load_depth(f"{W}&{H}&1&".encode() + Z.tobytes(), unit="m"))
    with pytest.raises(UnreadableInputError, match="cut short"):
        load_depth(data[:-9])
    with pytest.raises(UnreadableInputError, match="normal map"):
        load_depth(f"{W}&{H}&3&".encode() + Z.tobytes() * 3)
    with pytest.raises(TooLargeError):
        load_depth(b"999999&999999&1&" + bytes(60))


@pytest.mark.parametrize("name", ["depth", "depths", "rawDepths"])
def test_convention_matlab_5(name):
    scipy_io = pytest.importorskip("scipy.io")
    out = io.BytesIO()
    scipy_io.savemat(out, {name: Z, "images": np.zeros((H, W, 3))}, do_compression=True)
    is_metric(load_depth(out.getvalue()))
    plain = io.BytesIO()
    codes = np.rint(np.minimum(Z, 9) * 1000).astype(np.uint16)
    scipy_io.savemat(plain, {"a": np.eye(2), "text": "words", "cell": [1], name: codes})
    is_metric(load_depth(plain.getvalue()), codes / 1000)
    with pytest.raises(TooLargeError):
        load_depth(out.getvalue(), max_megapixels=0.001)
    with pytest.raises(UnreadableInputError, match="cut short"):
        load_depth(plain.getvalue()[:-300])


def _hdf5(write) -> bytes:
    h5py = pytest.importorskip("h5py")
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        write(h5py, file)
    return out.getvalue()


def test_hdf5_opens_no_other_file(tmp_path):
    """External storage, virtual datasets and external links name files of this machine."""
    (tmp_path / "raw").write_bytes(Z.tobytes())
    other = tmp_path / "other.h5"
    other.write_bytes(_hdf5(lambda _, file: file.create_dataset("depth", data=Z)))

    def virtual(h5py, file):
        layout = h5py.VirtualLayout((H, W), "f4")
        layout[:] = h5py.VirtualSource(str(other), "depth", shape=(H, W))
        file.create_virtual_dataset("depth", layout)

    raw = [(str(tmp_path / "raw"), 0, Z.nbytes)]
    for write in (
        virtual,
        lambda _, file: file.create_dataset("depth", (H, W), "f4", external=raw),
        lambda h5py, file: file.__setitem__("depth", h5py.ExternalLink(str(other), "depth")),
    ):
        with pytest.raises(UnreadableInputError, match=r"other files|none is called depth"):
            load_depth(_hdf5(write))


def test_hdf5_chunks_unpack_to_what_they_say():
    for packing in ({"compression": "gzip", "shuffle": True, "fletcher32": True}, {"chunks": True}):
        is_metric(load_depth(_hdf5(lambda _, f, p=packing: f.create_dataset("depth", data=Z, **p))))

    def bomb(_, file):
        made = file.create_dataset("depth", (H, W), "f4", chunks=(H, W), compression="gzip")
        made.id.write_direct_chunk((0, 0), zlib.compress(bytes(100_000_000), 9))

    with pytest.raises(UnreadableInputError, match="cut short"):
        load_depth(_hdf5(bomb))


def test_convention_matlab_7_3_comes_columns_first():
    h5py = pytest.importorskip("h5py")
    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        file["depths"] = Z.T
        file["images"] = np.zeros((3, W, H), np.uint8)
    data = b"MATLAB 7.3 MAT-file".ljust(512) + out.getvalue()[512:]
    is_metric(load_depth(data))
    plain = io.BytesIO()
    with h5py.File(plain, "w") as file:
        file["depth"] = Z
    is_metric(load_depth(plain.getvalue()))
    with pytest.raises(UnreadableInputError, match="cut short"):
        load_depth(plain.getvalue()[:200])


TOLD = [
    ({"unit": "m"}, Z, 1 / Z, "metric"),
    ({"unit": "mm"}, Z * 1000, 1 / Z, "metric"),
    ({"unit": "inverse_m"}, NEAR, NEAR, "metric"),
    ({"unit": "m", "scale": 1 / 256}, Z * 256, 1 / Z, "metric"),
    ({"unit": "inverse_m", "scale": 0.5}, NEAR * 2, NEAR, "metric"),
    ({"near": "dark"}, Z, 1 / Z, "metric"),
    ({"near": "dark", "scale": 0.1}, Z * 10, 1 / Z, "metric"),
    ({"unit": "disparity", "near": "dark"}, 1 - NEAR, NEAR, "relative"),
    ({"near": "bright"}, NEAR, NEAR, "relative"),
    ({"kind": "metric"}, NEAR * 3, NEAR * 3, "metric"),
]


@pytest.mark.parametrize(("told", "values", "disparity", "kind"), TOLD)
def test_what_a_person_says_settles_it(told, values, disparity, kind):
    wrong = lambda: -disparity  # noqa: E731 - the photo would say the contrary
    depth = load_depth(npy(values.astype(np.float32)), order=wrong, **told)
    assert depth.kind == kind
    np.testing.assert_allclose(depth.disparity, disparity, rtol=1e-4)
    assert "as told" in depth.notes[0]


def test_codes_of_a_picture_in_a_unit_that_is_told():
    codes = np.rint(np.minimum(Z, 9) * 25).astype(np.uint8)  # DenseDepth: 255 = 10 m
    depth = load_depth(png(codes), unit="m", scale=0.04)
    is_metric(depth, codes / 25.0)


@pytest.mark.parametrize(
    "told",
    [
        {"near": "white"}, {"near": ""}, {"unit": "feet"}, {"scale": 0}, {"scale": float("nan")},
        {"kind": "absolute"}, {"near": "bright", "unit": "mm"}, {"scale": 2.0},
        {"near": "dark", "unit": "inverse_m"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(told):
    with pytest.raises(UsageError):
        load_depth(npy(NEAR), **told)


def test_own_files_need_nothing_told(tmp_path):
    from pullfocus.depthmap.files import save_depth

    path = save_depth(DepthMap(NEAR, "metric"), tmp_path / "d.exr")
    depth = load_depth(path, near="dark", order=lambda: -NEAR)
    np.testing.assert_array_equal(depth.disparity, NEAR)
    assert "not needed" in depth.notes[0]


def test_zero_in_disparity_is_sky_unless_the_photo_says_near():
    """Depth Anything's ReLU leaves exact zeros; Middlebury's 8-bit maps write 0 for unknown."""
    codes = np.full((H, W), 120, np.uint8)
    codes[H // 2 :] = 200
    codes[:8] = 0
    assert (load_depth(png(codes), order=lambda: NEAR).disparity[:8] == 0).all()
    codes[:8] = 100
    codes[40:44, 10:30] = 0
    filled = load_depth(png(codes), order=lambda: NEAR).disparity
    np.testing.assert_allclose(filled[40:44, 10:30], 200 / 255, rtol=0.02)


def test_filled_surfaces_are_smooth_and_keep_what_is_known():
    disparity = NEAR.astype(np.float32)
    known = np.random.default_rng(2).random((H, W)) < 0.05
    filled = fill_unknown(np.where(known, disparity, 0), known)
    np.testing.assert_array_equal(filled[known], disparity[known])
    assert filled.min() >= disparity[known].min() - 1e-6
    assert filled.max() <= disparity[known].max() + 1e-6
    one = np.zeros((H, W), bool)
    one[3, 5] = True
    np.testing.assert_allclose(fill_unknown(disparity, one), disparity[3, 5], rtol=1e-6)


def test_an_archive_that_claims_too_much_is_refused_before_it_is_unpacked():
    head = npy(np.zeros((1, 1), np.float32))[:128]
    wide = head.replace(b"(1, 1), }      ", b"(30000, 30000),")[:128]
    with pytest.raises((TooLargeError, UnreadableInputError)):
        load_depth(wide)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        bomb = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            bomb, {"descr": "<f8", "fortran_order": False, "shape": (20000, 20000)}
        )
        archive.writestr("depth.npy", bomb.getvalue() + bytes(1 << 20))
    with pytest.raises(TooLargeError, match="20000 x 20000"):
        load_depth(out.getvalue())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("depth.npy", npy(Z)[:-40])
    with pytest.raises(UnreadableInputError, match="cut short"):
        load_depth(out.getvalue())


def test_an_exr_with_too_many_channels_is_refused_by_its_header(tmp_path):
    data = exr(tmp_path, {f"layer.{i}": Z for i in range(40)} | {"Depth.V": Z})
    is_metric(load_depth(data))
    with pytest.raises(UnreadableInputError, match="too many to decode"):
        load_depth(data, max_megapixels=H * W / 1e6)


def test_a_damaged_exr_prints_nothing_for_programs(tmp_path, capsys):
    data = bytearray(exr(tmp_path, {"Depth.V": Z}))
    data[-60:-20] = bytes(255 - code for code in data[-60:-20])
    with pytest.raises(UnreadableInputError, match="cut short or damaged"):
        load_depth(bytes(data))
    assert capsys.readouterr().out == ""


def test_distances_too_small_for_any_camera_are_unknown():
    z = Z.copy()
    z[5, 5] = 1e-40
    depth = load_depth(npy(z), unit="m")
    assert np.isfinite(depth.disparity).all()
    assert depth.disparity[5, 5] == pytest.approx(NEAR[5, 5], rel=0.1)


@pytest.mark.parametrize("kind", ["relative", "metric"])
def test_own_files_hold_no_wild_numbers(kind, tmp_path):
    """A bit flipped in a float makes 1e30: no disparity, and the renderer cannot add it up."""
    sound = DepthMap(NEAR, kind, uncertainty=NEAR / 9)
    wild = NEAR.copy()
    wild[5, 5], wild[6, 6] = 3e38, 2000
    path = tmp_path / "own.exr"
    _write_exr(sound, path, disparity=wild)
    found = load_depth(path)
    assert found.disparity[5, 5] == pytest.approx(NEAR[5, 5], rel=0.1)
    assert found.disparity[6, 6] == pytest.approx(NEAR[6, 6], rel=0.1)
    assert "unknown" in found.notes[0]
    wild[5, 5] = -0.1
    _write_exr(sound, path, disparity=wild)
    with pytest.raises(UnreadableInputError, match="negative disparity"):
        load_depth(path)


@pytest.mark.parametrize("sigma", [np.nan, -1.0, np.inf])
def test_damaged_uncertainty_is_left_out(sigma, tmp_path):
    sound = DepthMap(NEAR, uncertainty=NEAR / 9)
    uncertainty = NEAR / 9
    uncertainty[3, 3] = sigma
    path = tmp_path / "own.exr"
    _write_exr(sound, path, uncertainty=uncertainty)
    found = load_depth(path)
    assert found.uncertainty is None
    assert "uncertainty" in found.notes[0]
    np.testing.assert_array_equal(found.disparity, NEAR)


def _write_exr(depth: DepthMap, path, **fields: np.ndarray) -> None:
    """Write a file of ours with numbers that no DepthMap takes."""
    damaged = replace(depth)
    for name, values in fields.items():
        object.__setattr__(damaged, name, values)
    path.write_bytes(encode_exr(damaged))


def test_disparity_that_is_no_distance_is_refused():
    for wild in (1e7, 3e38, -1e9):
        with pytest.raises(UsageError, match="no distance"):
            DepthMap(np.where(NEAR > 0.5, np.float32(wild), NEAR), "metric")


def test_negative_distances_without_a_unit_are_unknown():
    z = Z.copy()
    z[4, 4], z[5, 5] = -3e38, -1
    depth = load_depth(f"{W}&{H}&1&".encode() + z.tobytes())
    assert depth.disparity.min() > 0
    assert depth.disparity[5, 5] == pytest.approx(depth.disparity[5, 7], rel=0.1)


DAMAGE = np.random.default_rng(7)


@pytest.mark.parametrize("kind", ["npz", "mat", "h5", "exr", "tiff", "bin"])
def test_damaged_files_raise_only_our_errors(kind, tmp_path):
    out = io.BytesIO()
    if kind == "mat":
        pytest.importorskip("scipy.io").savemat(out, {"depths": Z}, do_compression=True)
    elif kind == "h5":
        with pytest.importorskip("h5py").File(out, "w") as file:
            file.create_dataset("depth", data=Z, compression="gzip")
    elif kind == "tiff":
        tifffile.imwrite(out, Z, compression="zlib", predictor=True)
    elif kind == "bin":
        out.write(f"{W}&{H}&1&".encode() + Z.tobytes())
    else:
        out.write(npz(depth=Z) if kind == "npz" else exr(tmp_path, {"Depth.V": Z}))
    sound = out.getvalue()
    with pytest.raises(UnreadableInputError):
        load_depth(sound[: len(sound) * 2 // 3])
    for _ in range(40):
        data = np.frombuffer(sound, np.uint8).copy()
        at = DAMAGE.integers(0, min(data.size, 1024), 4)
        data[at] = DAMAGE.integers(0, 256, 4)
        with contextlib.suppress(PullfocusError):
            assert np.isfinite(load_depth(data.tobytes()).disparity).all()


def test_gdal_says_which_number_is_no_data():
    z = Z.copy()
    z[10:14, 10:20] = -9999
    out = io.BytesIO()
    tifffile.imwrite(out, z, extratags=[(42113, "s", 0, "-9999", True)])
    depth = load_depth(out.getvalue(), unit="m")
    assert depth.disparity[12, 15] == pytest.approx(NEAR[12, 0], rel=0.1)


def test_signed_16_bit_tiff_in_mm():
    out = io.BytesIO()
    tifffile.imwrite(out, np.rint(np.minimum(Z, 9) * 1000).astype(np.int16))
    is_metric(load_depth(out.getvalue()), np.minimum(Z, 9))


def test_a_pfm_header_that_claims_a_world(tmp_path):
    with pytest.raises(TooLargeError):
        load_depth(b"Pf\n99999 99999\n-1.0\n" + struct.pack("<f", 1.0))
