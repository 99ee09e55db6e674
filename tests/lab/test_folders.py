"""Folders of one's own: RGB-D, stereo pairs, frames, videos; on replicas and on shared data."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError
from pullfocus.lab.data.rgbd import RgbdFolder
from pullfocus.lab.data.stereo_folder import StereoFolder
from pullfocus.lab.data.video import FrameFolder, VideoFile

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not on this machine")
HW = (24, 32)


def _write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def _picture(value=0):
    out = np.full((*HW, 3), value, np.uint8)
    out[:, :, 2] = np.arange(HW[1]) * 4  # red, in OpenCV's order
    return out


@pytest.mark.parametrize(
    ("colour", "depth", "unit"),
    [
        ("00003.jpg", "00003_depth_mm.png", 1e-3),
        ("f-0.color.jpg", "f-0.depth_mm.png", 1e-3),
        ("rgb/a1.jpg", "depth_mm/a1.png", 1e-3),
        ("rgb/7.jpg", "depth_png256/7.png", 1 / 256),
        ("seq/color/1.png", "seq/depth/1.pgm", 5e-4),
        ("1.png", "1_depth.png", 5e-4),
    ],
)
def test_rgbd_folders_of_any_layout(tmp_path, colour, depth, unit):
    _write(tmp_path / colour, _picture())
    raw = np.full(HW, 1200, np.uint16)
    raw[0], raw[1] = 0, 65535
    _write(tmp_path / depth, raw)
    _write(tmp_path / "alone.png", _picture())
    (frame,) = RgbdFolder(tmp_path, metres_per_unit=5e-4)
    assert frame.depth_m[5, 5] == pytest.approx(1200 * unit)
    assert not frame.valid[:2].any()
    assert frame.valid[2:].all()
    assert frame.rgb[0, -1, 0] > frame.rgb[0, -1, 2] + 60


def test_depth_of_another_size_is_refused_with_its_name(tmp_path):
    _write(tmp_path / "a.png", _picture())
    _write(tmp_path / "a_depth.png", np.ones((5, 5), np.uint16))
    with pytest.raises(UnreadableInputError, match=r"a_depth\.png"):
        RgbdFolder(tmp_path)[0]


@pytest.mark.parametrize("reader", [RgbdFolder, StereoFolder, FrameFolder, VideoFile])
def test_what_is_not_there_is_named(tmp_path, reader):
    with pytest.raises(UnreadableInputError, match="nothing"):
        reader(tmp_path / "nothing")


@pytest.mark.parametrize("reader", [RgbdFolder, StereoFolder, FrameFolder])
def test_an_empty_folder_is_an_error(tmp_path, reader):
    with pytest.raises(UnreadableInputError, match=str(tmp_path)):
        reader(tmp_path)


def test_stereo_pairs_in_two_folders_with_calibration(tmp_path):
    for side, value in (("left", 10), ("right", 20)):
        _write(tmp_path / side / "a.png", _picture(value))
    first = np.array([[700, 0, 300, 0], [0, 700, 200, 0], [0, 0, 1, 0]], float)
    second = first.copy()
    second[0, 3] = -378
    rows = [" ".join(str(v) for v in m.ravel()) for m in (first, second)]
    (tmp_path / "calib.txt").write_text("\n".join(rows))
    (pair,) = StereoFolder(tmp_path)
    assert pair.left[0, 0, 2] == 10
    assert pair.right[0, 0, 2] == 20
    assert pair.focal_px == 700
    assert pair.baseline_m == pytest.approx(0.54)
    assert pair.disparity_px is None
    (tmp_path / "right/a.png").unlink()
    with pytest.raises(UnreadableInputError, match=r"right/a\.png"):
        StereoFolder(tmp_path)


def test_a_folder_a_pair_as_middlebury_has_them(tmp_path):
    for name in ("view1", "view5"):
        _write(tmp_path / "Cloth" / f"{name}.png", _picture())
    truth = np.full(HW, 30, np.uint8)
    truth[0] = 0
    _write(tmp_path / "Cloth/disp1.png", truth)
    (pair,) = StereoFolder(tmp_path, units_per_px=2)
    assert pair.name == "Cloth"
    assert np.isnan(pair.disparity_px[0]).all()
    assert pair.disparity_px[5, 5] == 15
    assert np.isnan(pair.focal_px)


def test_runs_of_frames_with_intrinsics(tmp_path):
    for n in range(5):
        _write(tmp_path / f"{n:03d}.png", _picture(n))
    np.savetxt(tmp_path / "K.txt", np.diag([500.0, 500, 1]))
    clips = FrameFolder(tmp_path, count=3, step=2, frames_per_second=10)
    assert len(clips) == 1
    assert clips[0].frames[:, 0, 0, 2].tolist() == [0, 2, 4]
    np.testing.assert_allclose(clips[0].times_s, [0, 0.2, 0.4])
    assert clips[0].intrinsics[0, 0] == 500
    with pytest.raises(IndexError):
        clips[1]


@pytest.fixture
def video(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = 32, 48, "yuv420p", 4
        for n in range(9):
            grey = np.full((32, 48, 3), 20 * n + 20, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(stream.encode())
    return path


def test_runs_of_a_video_in_any_order(video):
    clips = VideoFile(video, count=2, step=3)
    assert len(clips) == 6
    for i in (4, 0, 5):
        means = clips[i].frames.mean((1, 2, 3))
        np.testing.assert_allclose(means, [20 * i + 20, 20 * i + 80], atol=6)
        np.testing.assert_allclose(clips[i].times_s, [0, 0.3], atol=1e-6)


def test_a_file_that_is_no_video_is_refused(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "x.mp4").write_bytes(b"nothing to see")
    with pytest.raises(UnreadableInputError, match=r"x\.mp4"):
        VideoFile(tmp_path / "x.mp4")


@needs_data
@pytest.mark.parametrize(
    ("folder", "far_m", "count"),
    [("7scenes", 10, 50), ("osd", 10, 23), ("hololens", 10, 65), ("kitti-lidar", 80, 20)],
)
def test_shared_rgbd_folders(folder, far_m, count):
    frames = RgbdFolder(DATA / "rgbd" / folder, far_m=far_m)
    assert len(frames) == count
    assert 0.3 < np.median(frames[0].depth_m[frames[0].valid]) < 40


@needs_data
def test_shared_stereo_and_video():
    pairs = StereoFolder(DATA / "stereo/kitti-sequence")
    assert len(pairs) == 16
    assert pairs[0].baseline_m == pytest.approx(0.537, abs=1e-3)
    assert len(StereoFolder(DATA / "stereo/middlebury")) == 4
    cones = StereoFolder(DATA / "stereo/middlebury/Cones", units_per_px=4)[0]
    assert 5 < np.nanmin(cones.disparity_px) < np.nanmax(cones.disparity_px) < 64
    assert FrameFolder(DATA / "video/redkitchen")[0].intrinsics[0, 0] == 585
    assert len(FrameFolder(DATA / "video/tennis", count=2)) == 30
