"""Readers of public sets on miniature replicas: what their users have on disk, a few pixels big."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.data import kitti
from pullfocus.lab.data.cityscapes import CityscapesStereo, cityscapes_clips, waymo_clips
from pullfocus.lab.data.kitti_laser import Kitti2015, laser_depth
from pullfocus.lab.data.make3d import Make3d
from pullfocus.lab.data.nyu import NyuCsv, NyuLabelled

HW = (20, 30)


def _write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def _grey(value, hw=HW):
    return np.full((*hw, 3), value, np.uint8)


def _calibrate(day):
    projection = np.array([[10, 0, 15, 0], [0, 10, 10, 0], [0, 0, 1, 0]], float)
    third = projection.copy()
    projection[0, 3], third[0, 3] = 0.5, -4.9
    turn = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0]], float)  # forward, left, up -> x, y, z
    rows = {"R_rect_00": np.eye(3), "P_rect_02": projection, "P_rect_03": third}
    lines = [f"{k}: " + " ".join(map(str, v.ravel())) for k, v in rows.items()]
    day.mkdir(parents=True, exist_ok=True)
    (day / "calib_cam_to_cam.txt").write_text("calib_time: 09-Jan-2012\n" + "\n".join(lines))
    turned = " ".join(map(str, turn.ravel()))
    (day / "calib_velo_to_cam.txt").write_text(f"R: {turned}\nT: 0 0 0\n")


@pytest.fixture
def raw(tmp_path):
    """Two drives: 0002 is Eigen's, 0001 trains."""
    day = tmp_path / "2011_09_26"
    _calibrate(day)
    for drive in (1, 2):
        folder = day / f"2011_09_26_drive_{drive:04d}_sync"
        for n in range(4):
            for camera, ending in ((2, "png"), (3, "jpg")):
                _write(folder / f"image_0{camera}/data/{n:010d}.{ending}", _grey(10 * n + camera))
        points = np.array([[5, 0, 0, 1], [4, 0, 0, 1], [8, 2, 1, 1], [-3, 0, 0, 1]], np.float32)
        (folder / "velodyne_points/data").mkdir(parents=True)
        points.tofile(folder / "velodyne_points/data/0000000001.bin")
    return tmp_path


def test_kitti_splits_keep_test_drives_out(raw, tmp_path):
    assert len(kitti.shots_of(raw)) == 8
    assert {s.drive for s in kitti.shots_of(raw, "eigen")} == {"2011_09_26_drive_0001_sync"}
    mapping = tmp_path / "train_mapping.txt"
    mapping.write_text("2011_09_26 2011_09_26_drive_0001_sync 0000000109\n\n")
    assert {s.drive for s in kitti.shots_of(raw, mapping)} == {"2011_09_26_drive_0002_sync"}
    with pytest.raises(UsageError, match="another"):
        kitti.drives(raw, "another")
    assert sum(map(len, kitti.EIGEN_TEST_DRIVES.values())) == 28


def test_kitti_pairs_know_their_rig(raw):
    pairs = kitti.KittiStereo(raw, kitti.shots_of(raw, "eigen"))
    assert len(pairs) == 4
    assert pairs[1].left[0, 0, 0] == 12
    assert abs(int(pairs[1].right[0, 0, 0]) - 13) <= 1
    assert pairs[1].baseline_m == pytest.approx(0.54)


def test_kitti_laser_is_forward_depth_and_the_nearest_point_wins(raw):
    shot = kitti.Shot("2011_09_26", "2011_09_26_drive_0001_sync", 1)
    (frame,) = kitti.KittiLaser(raw, [shot])
    # straight ahead: u = 15 + .5 / 4 -> column 14; v = 10 -> row 9
    assert frame.depth_m[9, 14] == 4
    # 8 m ahead, 2 left, 1 up: u = 15 - 2.5 + .0625 -> 12.56 -> column 12; v = 8.75 -> row 8
    assert frame.depth_m[8, 12] == 8
    assert frame.valid.sum() == 2


def test_laser_points_outside_the_picture_are_dropped():
    to_pixels = np.array([[0.0, -10, 0, 0], [0, 0, -10, 0], [1, 0, 0, 0]])
    assert not laser_depth(np.array([[5, 50, 0, 1]], np.float32), to_pixels, HW).any()


def test_kitti_lists_in_both_notations(tmp_path):
    lines = (
        "2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.jpg "
        "2011_09_26/2011_09_26_drive_0002_sync/image_03/data/0000000069.jpg\n"
        "2011_09_26/2011_09_26_drive_0009_sync 0000000012 l\n\n"
    )
    (tmp_path / "list.txt").write_text(lines)
    first, second = kitti.read_split(tmp_path / "list.txt")
    assert first == kitti.Shot("2011_09_26", "2011_09_26_drive_0002_sync", 69)
    assert (second.drive, second.number) == ("2011_09_26_drive_0009_sync", 12)
    (tmp_path / "bad.txt").write_text("nonsense\n")
    with pytest.raises(UnreadableInputError, match="nonsense"):
        kitti.read_split(tmp_path / "bad.txt")


def test_kitti_clips_stay_within_a_drive(raw):
    clips = kitti.kitti_clips(raw, "all", count=3)
    assert len(clips) == 4
    assert clips[2].frames[:, 0, 0, 0].tolist() == [2, 12, 22]
    assert clips[0].intrinsics[0].tolist() == [10, 0, 15.5]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("2011_09_26/calib_cam_to_cam.txt", "calib_cam_to_cam"),
        ("2011_09_26/2011_09_26_drive_0001_sync/image_03/data/0000000001.jpg", "image_03"),
    ],
)
def test_a_half_downloaded_kitti_names_the_file_and_where_to_get_it(raw, missing, named):
    (raw / missing).unlink()
    shot = kitti.Shot("2011_09_26", "2011_09_26_drive_0001_sync", 1)
    with pytest.raises(UnreadableInputError, match=rf"{named}.*cvlibs\.net"):
        kitti.KittiStereo(raw, [shot])[0]


def test_kitti_2015_disparity_and_focal(tmp_path):
    for n in (2, 3):
        _write(tmp_path / f"training/image_{n}/000000_10.png", _grey(n, (4, 1242)))
    truth = np.full((4, 1242), 256 * 30, np.uint16)
    truth[0] = 0
    with pytest.raises(UnreadableInputError, match=r"disp_occ_0.*benchmark=stereo"):
        Kitti2015(tmp_path)[0]
    _write(tmp_path / "training/disp_occ_0/000000_10.png", truth)
    (pair,) = Kitti2015(tmp_path)
    assert np.isnan(pair.disparity_px[0]).all()
    assert pair.disparity_px[1, 1] == 30
    assert pair.focal_px == 721.5377


@pytest.fixture
def cityscapes(tmp_path):
    stem = "ulm_000001_000019"
    for side in ("left", "right"):
        _write(tmp_path / f"{side}Img8bit/train/ulm/{stem}_{side}Img8bit.png", _grey(5))
    for n in (18, 19, 20, 40):
        name = f"leftImg8bit_sequence/train/ulm/ulm_000001_{n:06d}_leftImg8bit.png"
        _write(tmp_path / name, _grey(n))
    said = {
        "extrinsic": {"baseline": 0.209, "pitch": 0.1},
        "intrinsic": {"fx": 2262.5, "fy": 2265.3, "u0": 1096.9, "v0": 513.1},
    }
    camera = tmp_path / f"camera/train/ulm/{stem}_camera.json"
    camera.parent.mkdir(parents=True)
    camera.write_text(json.dumps(said))
    return tmp_path


def test_cityscapes_pairs_with_and_without_disparity(cityscapes):
    (pair,) = CityscapesStereo(cityscapes)
    assert pair.disparity_px is None
    assert (pair.focal_px, pair.baseline_m) == (2262.5, 0.209)
    codes = np.full(HW, 2561, np.uint16)
    codes[0] = 0
    name = "disparity/train/ulm/ulm_000001_000019_disparity.png"
    _write(cityscapes / name, codes)
    (pair,) = CityscapesStereo(cityscapes)
    assert pair.disparity_px[3, 3] == 10
    assert np.isnan(pair.disparity_px[0, 0])


def test_cityscapes_sequences_break_where_a_frame_is_missing(cityscapes):
    clips = cityscapes_clips(cityscapes, count=2)
    assert [c.frames[:, 0, 0, 0].tolist() for c in clips] == [[18, 19], [19, 20]]
    assert clips[0].intrinsics[0, 2] == pytest.approx(1097.4)


def test_cityscapes_without_cameras_says_so(cityscapes):
    camera = next(cityscapes.rglob("*_camera.json"))
    camera.write_text("{}")
    with pytest.raises(UnreadableInputError, match=r"_camera\.json is damaged"):
        CityscapesStereo(cityscapes)[0]
    with pytest.raises(UnreadableInputError, match="val is missing"):
        CityscapesStereo(cityscapes, "val")


@pytest.fixture
def labelled(tmp_path):
    h5py = pytest.importorskip("h5py")
    scipy_io = pytest.importorskip("scipy.io")
    path = tmp_path / "nyu_depth_v2_labeled.mat"
    images = np.zeros((3, 3, 30, 20), np.uint8)
    images[1, 0, 7, 4] = 200  # red at column 7, row 4
    depths = np.full((3, 30, 20), 3, np.float32)
    depths[1, 7, 4] = 5
    with h5py.File(path, "w") as out:
        out["images"], out["depths"], out["rawDepths"] = images, depths, np.zeros_like(depths)
    scipy_io.savemat(tmp_path / "splits.mat", {"testNdxs": [[2]], "trainNdxs": [[1], [3]]})
    return path


def test_convention_nyu_axes_are_turned_upright(labelled):
    (frame,) = NyuLabelled(labelled, "test")
    assert frame.rgb.shape == (20, 30, 3)
    assert frame.rgb[4, 7].tolist() == [200, 0, 0]
    assert frame.depth_m[4, 7] == 5
    assert len(NyuLabelled(labelled, "train")) == 2
    assert not NyuLabelled(labelled, "all", raw=True)[0].valid.any()


def test_nyu_without_its_split_or_cut_off(labelled, tmp_path):
    (tmp_path / "splits.mat").unlink()
    with pytest.raises(UnreadableInputError, match=r"splits\.mat is missing.*nyu"):
        NyuLabelled(labelled, "test")
    (tmp_path / "half.mat").write_bytes(labelled.read_bytes()[:100])
    with pytest.raises(UnreadableInputError, match=r"half\.mat is damaged"):
        NyuLabelled(tmp_path / "half.mat", "all")


def test_nyu_lists_with_both_kinds_of_depth(tmp_path):
    data = tmp_path / "data"
    _write(data / "nyu2_train/room_out/1.jpg", _grey(9))
    _write(data / "nyu2_train/room_out/1.png", np.full(HW, 51, np.uint8))
    _write(data / "nyu2_test/00000_colors.png", _grey(9))
    _write(data / "nyu2_test/00000_depth.png", np.full(HW, 2500, np.uint16))
    (data / "nyu2.csv").write_text(
        "data/nyu2_train/room_out/1.jpg,data/nyu2_train/room_out/1.png\n"
        "data/nyu2_test/00000_colors.png,data/nyu2_test/00000_depth.png\n"
    )
    train, test = NyuCsv(data / "nyu2.csv")
    assert train.depth_m[0, 0] == pytest.approx(2.0)
    assert test.depth_m[0, 0] == pytest.approx(2.5)
    (data / "nyu2.csv").write_text("one,two,three\n")
    with pytest.raises(UnreadableInputError, match="line 1"):
        NyuCsv(data / "nyu2.csv")


def test_make3d_grids(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    _write(tmp_path / "Test134/img-10.21op2.jpg", _grey(3, (40, 30)))
    with pytest.raises(UnreadableInputError, match="Gridlaserdata"):
        Make3d(tmp_path)
    grid = np.zeros((55, 305, 4))
    grid[:, :, 3] = 12
    (tmp_path / "Gridlaserdata").mkdir()
    path = tmp_path / "Gridlaserdata/depth_sph_corr-10.21op2.mat"
    scipy_io.savemat(path, {"Position3DGrid": grid})
    (frame,) = Make3d(tmp_path)
    assert frame.depth_m.shape == (55, 305)
    assert frame.depth_m[0, 0] == 12
    path.write_bytes(b"MATLAB 5.0 cut off")
    with pytest.raises(UnreadableInputError, match=r"\.mat is damaged"):
        Make3d(tmp_path)[0]


def test_waymo_segments_with_cameras(tmp_path):
    for n in range(3):
        _write(tmp_path / f"segment-1/{n:04d}.jpg", _grey(20 * n))
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 2, 3] = [0, 1, 2]
    np.savetxt(tmp_path / "segment-1/poses.txt", poses.reshape(3, 16))
    clips = waymo_clips(tmp_path, count=2)
    assert len(clips) == 2
    assert clips[1].poses[:, 2, 3].tolist() == [1, 2]
    np.testing.assert_allclose(clips[1].times_s, [0, 0.1])
    assert np.isnan(clips[1].intrinsics).all()
    with pytest.raises(UnreadableInputError, match=r"waymo\.com"):
        waymo_clips(Path(tmp_path / "segment-2"))
