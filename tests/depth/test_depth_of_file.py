"""The photo decides what a depth file does not say: by the embedded network's own order."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.depth import load_depth_of
from pullfocus.depth.depth_of_file import order_seen
from pullfocus.depthmap.meaning import rank_correlation
from pullfocus.errors import TooLargeError, UsageError
from pullfocus.photo import load
from pullfocus.samples import SAMPLES
from pullfocus.types import Photo

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "photo" / "foreign-depth"
DATA = CASES.parents[2] / "data"


@pytest.fixture(scope="module")
def street():
    return load(next(sample.path for sample in SAMPLES if sample.name == "street"))


@pytest.fixture(scope="module")
def seen(street):
    return cv2.resize(order_seen(street), (225, 150), interpolation=cv2.INTER_AREA)


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


@pytest.mark.parametrize("turned", [False, True])
def test_the_networks_order_decides(street, seen, turned):
    unit = (seen - seen.min()) / np.ptp(seen)
    depth = load_depth_of(street, npy(1 - unit if turned else unit))
    assert rank_correlation(depth.disparity, seen) > 0.99
    assert "network sees that order" in depth.notes[0]
    data = cv2.imencode(".png", np.rint((1 - unit if turned else unit) * 65535).astype(np.uint16))
    depth = load_depth_of(street, data[1].tobytes())
    assert rank_correlation(depth.disparity, seen) > 0.99


def test_what_is_told_goes_before_the_network(street, seen):
    unit = (seen - seen.min()) / np.ptp(seen)
    depth = load_depth_of(street, npy(unit), near="dark")
    assert rank_correlation(depth.disparity, seen) < -0.99


def test_a_missing_network_is_no_failure(street, seen, monkeypatch):
    from pullfocus.errors import MissingModelError

    def missing(_):
        raise MissingModelError("not here")

    monkeypatch.setattr("pullfocus.depth.depth_of_file.open_estimator", missing)
    depth = load_depth_of(street, npy((seen - seen.min()) / np.ptp(seen)))
    assert "assumed" in depth.notes[0]


def test_a_map_far_larger_than_its_photo_is_not_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        shape = {"descr": "<f4", "fortran_order": False, "shape": (8000, 8000)}
        np.lib.format.write_array_header_1_0(head, shape)
        archive.writestr("depth.npy", head.getvalue() + bytes(1 << 16))
    with pytest.raises(TooLargeError, match="8000 x 8000"):
        load_depth_of(Photo.from_array(np.zeros((48, 48, 3), np.uint8)), out.getvalue())


def test_another_shape_is_refused(street):
    with pytest.raises(UsageError, match="50x50"):
        load_depth_of(street, npy(np.zeros((50, 50), np.float32)))


def test_the_command_line_says_what_was_decided(tmp_path, monkeypatch, capsys, seen):
    from pullfocus.cli import main

    monkeypatch.chdir(tmp_path)
    shutil.copyfile(next(s.path for s in SAMPLES if s.name == "street"), "p.jpg")
    unit = (seen - seen.min()) / np.ptp(seen)
    cv2.imwrite("d.png", np.rint((1 - unit) * 65535).astype(np.uint16))

    row, column = np.unravel_index(seen.argmax(), seen.shape)
    nearest = f"{(column + 0.5) / 225},{(row + 0.5) / 150}"

    def run(*flags):
        with pytest.raises(SystemExit) as ended:
            main(["p.jpg", "--depth", "d.png", "--at", nearest, *flags])
        assert ended.value.code == 0
        return capsys.readouterr()

    told = run("--json", "--save-settings", "-o", "a.jpg")
    note = "taken as relative depth, dark or small = near"
    assert note in told.err
    result = json.loads(told.out)["results"][0]
    assert any(note in words for words in result["notes"])
    assert any(note in words for words in result["depth"]["notes"])
    near = result["focus"]["disparity"]
    other = run("--json", "--depth-near", "bright", "--save-settings", "--overwrite", "-o", "b.jpg")
    result = json.loads(other.out)["results"][0]
    assert result["focus"]["disparity"] < near
    assert result["settings"]["depth_near"] == "bright"
    replayed = json.loads(run("--json", "--settings", "p.pullfocus.json", "-o", "c.jpg").out)
    assert any("as told" in words for words in replayed["results"][0]["notes"])


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not here")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("blender_V.exr", "metric"),
        ("blender_depthV.exr", "metric"),
        ("da2_raw_depth_meter.npy", "metric"),
        ("depthpro.npz", "metric"),
        ("marigold_16bit.png", "relative"),
        ("moge_depth.exr", "metric"),
    ],
)
def test_files_as_other_programs_write_them(name, kind):
    depth = load_depth_of(load(CASES / "p.jpg"), CASES / name)
    metres = np.load(CASES / "da2_raw_depth_meter.npy").astype(np.float32)
    assert depth.kind == kind
    assert rank_correlation(depth.disparity, 1 / metres) > 0.999
    if kind == "metric":
        known = depth.disparity > 0
        np.testing.assert_allclose(depth.disparity[known], 1 / metres[known], rtol=2e-3)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not here")
def test_lens_blur_of_depthy_is_dark_where_near():
    depth = load_depth_of(load(CASES / "flowers-image.jpg"), CASES / "flowers-depth.jpg")
    grey = cv2.imread(str(CASES / "flowers-depth.jpg"), cv2.IMREAD_GRAYSCALE)
    assert rank_correlation(depth.disparity, 255.0 - grey) > 0.999


PAIRS = {
    "7scenes": ("rgbd/7scenes/frame-000000.color.jpg", "rgbd/7scenes/frame-000000.depth_mm.png"),
    "hololens": ("rgbd/hololens/00147.jpg", "rgbd/hololens/00147_depth_mm.png"),
    "osd": ("rgbd/osd/rgb/learn0", "rgbd/osd/depth_mm/learn0.png"),
    "kitti": ("rgbd/kitti-lidar/rgb/0000000000", "rgbd/kitti-lidar/depth_png256/0000000000.png"),
    "kinect": ("rgbd/kinect-tum/ch5/rgbd/color/1.png", "rgbd/kinect-tum/ch5/rgbd/depth/1.pgm"),
    "tum": ("rgbd/kinect-tum/ch7/1.png", "rgbd/kinect-tum/ch7/1_depth.png"),
}
METRES = {"kitti": 1 / 256, "tum": 1 / 5000}


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")
@pytest.mark.parametrize("name", PAIRS)
def test_depth_of_real_sensors(name, tmp_path):
    photo, file = PAIRS[name]
    place = DATA / photo
    place = place if place.is_file() else next(place.parent.glob(f"{place.name}.*"))
    shutil.copyfile(DATA / file, tmp_path / "d.png")  # a name that says nothing
    depth = load_depth_of(load(place), tmp_path / "d.png")
    codes = cv2.imread(str(DATA / file), cv2.IMREAD_UNCHANGED)
    known = codes > 0
    metres = codes[known] * METRES.get(name, 0.001)
    assert depth.kind == "metric"
    np.testing.assert_allclose(depth.disparity[known], 1 / metres, rtol=1e-4)
    assert depth.disparity[~known].min() > 0.5 / metres.max()
    assert depth.disparity.max() <= 1.001 / metres.min()


def test_flat_photos_leave_the_file_as_most_are():
    photo = Photo.from_array(np.full((48, 64, 3), 90, np.uint8))
    values = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1))
    np.testing.assert_array_equal(load_depth_of(photo, npy(values)).disparity, values)
