"""Protocols on miniature sets: rules, files, errors; scores against values worked out by hand."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pullfocus.depth.card import ModelCard
from pullfocus.depth.estimator import RawDepth
from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.lab.data.rgbd import read_rgbd_video
from pullfocus.lab.protocols import Options, evaluate, read_summary
from pullfocus.lab.protocols.alignment import Truth, aligned_depth, best_alignment
from pullfocus.lab.protocols.crops import crop_mask, kb_window
from pullfocus.lab.protocols.flip import merge_mirrored
from pullfocus.lab.protocols.metrics import d1_all, depth_scores
from pullfocus.lab.protocols.pictures import Look, Spread, row_of
from pullfocus.lab.protocols.temporal import carried

D = np.array([[1.1, 2.0, 6.0, 4.0]])
G = np.array([[1.0, 2.0, 4.0, 5.0]])
ALL = np.ones((1, 4), bool)


class Says:
    """A model that answers with a function of the picture."""

    def __init__(self, answer, kind="relative_disparity"):
        self.answer, self.id = answer, "says"
        self.card = ModelCard("says", "MIT", kind, "embedded")

    def estimate(self, rgb):
        return RawDepth(np.asarray(self.answer(rgb), np.float32), self.card.output)


def test_depth_scores_by_hand():
    found = depth_scores(D, G, ALL)
    log = np.log([1.1, 1, 1.5, 0.8])
    expected = {
        "abs_rel": (0.1 + 0 + 0.5 + 0.2) / 4,
        "sq_rel": (0.01 + 0 + 1 + 0.2) / 4,
        "rmse": np.sqrt((0.01 + 4 + 1) / 4),
        "rmse_log": np.sqrt((log**2).mean()),
        "log10": np.abs(np.log10([1.1, 1, 1.5, 0.8])).mean(),
        "silog": 100 * np.sqrt((log**2).mean() - log.mean() ** 2),
        "rmse_log10": np.sqrt((np.log10([1.1, 1, 1.5, 0.8]) ** 2).mean()),
        "delta1": 0.5,
        "delta2": 1.0,
        "delta3": 1.0,
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_scores_agree_with_torchmetrics():
    torch = pytest.importorskip("torch")
    torchmetrics = pytest.importorskip("torchmetrics")
    rng = np.random.default_rng(0)
    g, d = rng.uniform(1, 10, (2, 20, 30))
    found = depth_scores(d, g, np.ones_like(g, bool))
    a, b = torch.from_numpy(d).ravel(), torch.from_numpy(g).ravel()
    functional = torchmetrics.functional
    rmse = functional.mean_squared_error(a, b, squared=False)
    assert found["rmse"] == pytest.approx(float(rmse), abs=1e-6)
    abs_rel = functional.mean_absolute_percentage_error(a, b)
    assert found["abs_rel"] == pytest.approx(float(abs_rel), abs=1e-6)
    log = functional.mean_squared_error(a.log(), b.log(), squared=False)
    assert found["rmse_log"] == pytest.approx(float(log), abs=1e-6)


def test_d1_wants_both_three_pixels_and_five_percent():
    truth = np.array([[10.0, 100, 100, 10]])
    wrong = np.array([[13.0, 104, 106, 12]])
    assert d1_all(wrong, truth, ALL) == pytest.approx(50)


def test_crops_by_hand():
    garg = crop_mask("garg", (375, 1242))
    rows, columns = np.flatnonzero(garg.any(1)), np.flatnonzero(garg.any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (153, 370, 44, 1196)
    eigen = crop_mask("eigen", (375, 1242))
    assert np.flatnonzero(eigen.any(1))[[0, -1]].tolist() == [124, 341]
    nyu = crop_mask("nyu", (480, 640))
    assert nyu.sum() == (471 - 45) * (601 - 41)
    assert nyu[45, 41]
    assert kb_window((375, 1242)) == (slice(23, 375), slice(13, 1229))
    with pytest.raises(UsageError, match="garg"):
        crop_mask("gerg", (3, 3))


def test_flip_merging_takes_the_mirror_at_the_left_border():
    merged = merge_mirrored(np.full((1, 101), 2.0), np.full((1, 101), 4.0))
    np.testing.assert_allclose(merged[0, [0, 5, 10, 50, 90, 95, 100]], [4, 4, 3, 3, 3, 2, 2])
    half = merge_mirrored(np.zeros((1, 201)), np.ones((1, 201)))[0, 15]  # x = .075
    assert half == pytest.approx(0.5 + 0.25)


def _truth(**rig):
    return Truth(G, ALL, 1e-3, 80, **rig)


@pytest.mark.parametrize(
    ("kind", "values", "rule", "rig"),
    [
        ("metric_depth", G, "none", {}),
        ("metric_disparity", 1 / G, "none", {}),
        ("relative_disparity", 7 / G, "median", {}),
        ("relative_depth", 0.1 * G, "median", {}),
        ("relative_disparity", 3 / G + 2, "affine-disparity", {}),
        ("relative_depth", 3 * G + 2, "affine-depth", {}),
        ("relative_disparity", 0.5 * 100 / 4 / G, "stereo", {"focal_px": 100, "baseline_m": 0.5}),
    ],
)
def test_alignments_undo_what_they_are_for(kind, values, rule, rig):
    depth = aligned_depth(RawDepth(values.astype(np.float32), kind), _truth(**rig), rule)
    np.testing.assert_allclose(depth, G, rtol=1e-5)


def test_alignments_that_cannot_be_are_refused():
    raw = RawDepth(G.astype(np.float32), "relative_disparity")
    for rule, word in (("none", "metres"), ("stereo", "rig"), ("affine-depth", "disparity")):
        with pytest.raises(UsageError, match=word):
            aligned_depth(raw, _truth(), rule)
    with pytest.raises(UsageError, match="median"):
        aligned_depth(raw, _truth(), "medium")


def test_metric_models_are_left_alone_and_the_rest_get_the_protocols_rule():
    assert best_alignment("metric_depth", "median") == "none"
    assert best_alignment("relative_disparity", "median") == "median"
    assert best_alignment("relative_depth", "affine-disparity") == "affine-depth"
    assert best_alignment("metric_depth", "affine") == "affine-depth"


def _write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


@pytest.fixture
def rgbd(tmp_path):
    """Three frames whose red says their depth in decimetres."""
    for n in range(3):
        depth = np.tile(np.linspace(10, 90 - 10 * n, 40).astype(np.uint8), (30, 1))
        _write(tmp_path / f"set/rgb/{n}.png", np.dstack([depth * 0, depth * 0, depth]))
        _write(tmp_path / f"set/depth_mm/{n}.png", depth.astype(np.uint16) * 100)
    return tmp_path / "set"


def _knows(rgb):
    return 5 / (rgb[:, :, 0] / 10 + 1e-6) + 1


def test_affine_evaluation_of_the_truth_is_perfect_and_written_down(rgbd, tmp_path):
    out = tmp_path / "out"
    summary = evaluate("affine", Says(_knows), rgbd, out, Options(pictures=2))
    assert summary.alignment == "affine-disparity"
    assert summary.scores["abs_rel"] == pytest.approx(0, abs=1e-5)
    assert summary.scores["delta1"] == 1
    assert read_summary(out) == summary
    rows = list(csv.DictReader((out / "per_image.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["0", "1", "2"]
    assert "affine-disparity" in (out / "summary.md").read_text()
    assert cv2.imread(str(out / "sheet.png")).shape == (400, 1040, 3)
    assert len(list((out / "pictures").iterdir())) == 2


def test_scores_are_means_over_images_that_count_once(rgbd):
    wrong = Says(lambda rgb: 2 * rgb[:, :, 0] / 10 + 1e-6, "metric_depth")
    summary = evaluate("affine", wrong, rgbd, options=Options(alignment="none", limit=2, far_m=4))
    assert len(summary.rows) == 2
    each = [row["abs_rel"] for row in summary.rows]
    assert summary.scores["abs_rel"] == pytest.approx(np.mean(each))
    assert "4 m" in summary.settings["range"]
    clamped = np.linspace(10, 90, 40).astype(np.uint8) / 10
    counted = clamped[clamped < 4]
    by_hand = np.mean(np.abs(np.minimum(2 * counted, 4) - counted) / counted)
    assert each[0] == pytest.approx(by_hand, abs=1e-6)


def test_flip_asks_twice_and_is_named(rgbd):
    asked = []

    def answer(rgb):
        asked.append(rgb[0, 0, 0])
        return _knows(rgb)

    summary = evaluate("affine", Says(answer), rgbd, options=Options(flip=True, limit=1))
    assert asked == [10, 90]
    assert summary.settings["flip"] == "merged"
    assert summary.scores["abs_rel"] == pytest.approx(0, abs=1e-5)


def test_unknown_depth_is_not_65_metres(tmp_path):
    depth = np.full((30, 40), 2000, np.uint16)
    depth[:15], depth[20:25, 20:] = 65535, 1000
    _write(tmp_path / "a.png", np.zeros((30, 40, 3), np.uint8))
    _write(tmp_path / "a_depth_mm.png", depth)
    two = Says(lambda rgb: np.full(rgb.shape[:2], 2.0), "metric_depth")
    found = evaluate("affine", two, tmp_path, options=Options(alignment="none"))
    assert found.scores["abs_rel"] == pytest.approx(100 / 600, abs=1e-6)


def test_boundary_of_frames_and_of_masks(tmp_path):
    step = np.full((40, 40), 2000, np.uint16)
    step[10:30, 10:30] = 1000
    _write(tmp_path / "frames/rgb/a.png", np.dstack([step // 10] * 3).astype(np.uint8))
    _write(tmp_path / "frames/depth_mm/a.png", step)

    def exact(rgb):
        return 1 / (rgb[:, :, 0] / 100)

    found = evaluate("boundary", Says(exact), tmp_path / "frames")
    assert found.scores["boundary_f1"] == pytest.approx(1)
    assert found.alignment == "affine-disparity"
    mask = (step == 1000).astype(np.uint8) * 255
    _write(tmp_path / "m/images/a.jpg", np.dstack([mask] * 3))
    _write(tmp_path / "m/masks/a.png", mask)
    options = Options(subset="masks")
    near = Says(lambda rgb: np.where(rgb[:, :, 0] > 127, 1.0, 0.5))
    assert evaluate("boundary", near, tmp_path / "m", options=options).scores == {
        "boundary_recall": pytest.approx(1)
    }
    flat = Says(lambda rgb: np.ones(rgb.shape[:2]))
    found = evaluate("boundary", flat, tmp_path / "m", options=options)
    assert found.scores["boundary_recall"] == 0


def test_da_2k_counts_pairs_by_row_and_column(tmp_path):
    _write(tmp_path / "images/a.png", np.zeros((20, 30, 3), np.uint8))
    pairs = [
        {"point1": [19, 3], "point2": [2, 28], "closer_point": "point1"},
        {"point1": [15, 29], "point2": [5, 0], "closer_point": "point1"},
        {"point1": [1, 9], "point2": [18, 9], "closer_point": "point1"},
    ]
    said = {"images/a.png": pairs, "images/b.png": pairs[:1]}
    _write(tmp_path / "images/b.png", np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "annotations.json").write_text(json.dumps(said))
    summary = evaluate("da-2k", "lower-row", tmp_path, tmp_path / "out")
    assert summary.scores["accuracy"] == pytest.approx(3 / 4)
    assert summary.rows[0]["accuracy"] == pytest.approx(2 / 3)
    (tmp_path / "annotations.json").write_text("[]")
    with pytest.raises(UnreadableInputError, match="annotations"):
        evaluate("da-2k", "lower-row", tmp_path)


@pytest.fixture
def wall(tmp_path):
    """A camera that walks 0.5 m a frame towards a wall at 4 m; brightness says depth."""
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 2, 3] = [0, 0.5, 1.0]
    for n in range(3):
        _write(tmp_path / f"{n}.png", np.full((20, 30, 3), 40 - 5 * n, np.uint8))
        _write(tmp_path / f"{n}_depth_mm.png", np.full((20, 30), 4000 - 500 * n, np.uint16))
    np.savetxt(tmp_path / "poses.txt", poses.reshape(3, 16))
    np.savetxt(tmp_path / "K.txt", np.array([[20, 0, 15], [0, 20, 10], [0, 0, 1]]))
    return tmp_path


def test_tae_is_zero_for_the_truth_and_by_hand_for_a_model_that_does_not_move(wall):
    exact = Says(lambda rgb: rgb[:, :, 0] / 10, "metric_depth")
    found = evaluate("tae", exact, wall, options=Options(alignment="none"))
    assert found.scores["tae"] == pytest.approx(0, abs=1e-4)
    stuck = Says(lambda rgb: np.full(rgb.shape[:2], 4.0), "metric_depth")
    found = evaluate("tae", stuck, wall, options=Options(alignment="none"))
    assert found.scores["tae"] == pytest.approx(100 * 0.5 / 4, rel=1e-5)
    with pytest.raises(UsageError, match="median"):
        evaluate("tae", stuck, wall, options=Options(alignment="median"))


def test_what_is_missing_is_named(tmp_path, wall):
    with pytest.raises(UsageError, match="kitti-eigen"):
        evaluate("kitty", "lower-row", tmp_path)
    with pytest.raises(UnreadableInputError, match=r"eigen_test_files\.txt.*monodepth"):
        evaluate("kitti-eigen", "lower-row", tmp_path)
    (wall / "poses.txt").unlink()
    with pytest.raises(UnreadableInputError, match="pose"):
        evaluate("tae", "lower-row", wall)
    with pytest.raises(UnreadableInputError, match="no results"):
        read_summary(tmp_path)
    with pytest.raises(UsageError, match="eth3d"):
        evaluate("affine", "lower-row", tmp_path, options=Options(subset="none"))


def test_rows_are_spread_evenly_without_keeping_all():
    kept = Spread(3)
    for n in range(100):
        kept.offer(str(n), Look(np.zeros((4, 5, 3), np.uint8), None, np.full((4, 5), float(n))))
    names = [int(name) for name, _ in kept.chosen()]
    assert len(names) == 3
    assert names[0] == 0
    assert 25 < names[1] < 75
    assert names[2] > 75


def test_a_row_holds_photo_truth_answer_and_error():
    rgb = np.full((30, 40, 3), 100, np.uint8)
    truth = np.full((30, 40), np.nan)
    truth[:15] = np.linspace(1, 2, 40)
    error = np.where(np.isnan(truth), np.nan, 1.0)
    row = row_of(Look(rgb, truth, np.tile(np.linspace(0, 1, 40), (30, 1)), error))
    assert row.shape == (200, 4 * 260, 3)
    photo, true, answer, wrong = np.split(row, 4, 1)
    assert (photo[100, 130] == 100).all()
    assert true[150:].max() == 0
    assert answer[100, 200].sum() > answer[100, 60].sum()
    assert wrong[60, 130].sum() > 500
    assert wrong[150:].max() == 0


def _kitti(root):
    """One Eigen frame 375x1242 whose laser hit four points, and a KITTI 2015 pair."""
    day, drive = "2011_09_26", "2011_09_26_drive_0002_sync"
    folder = root / day / drive
    _write(folder / "image_02/data/0000000069.png", np.full((375, 1242, 3), 90, np.uint8))
    projection = "721.5 0 621 0 0 721.5 187 0 0 0 1 0"
    third = "721.5 0 621 -389.61 0 721.5 187 0 0 0 1 0"
    turn = "0 -1 0 0 0 -1 1 0 0"
    (root / day / "calib_cam_to_cam.txt").write_text(
        f"R_rect_00: 1 0 0 0 1 0 0 0 1\nP_rect_02: {projection}\nP_rect_03: {third}\n"
    )
    (root / day / "calib_velo_to_cam.txt").write_text(f"R: {turn}\nT: 0 0 0\n")
    points = np.array([[10, 1, -1, 0], [20, 0, -2, 0], [40, -3, -2, 0], [95, 0, -1, 0]])
    (folder / "velodyne_points/data").mkdir(parents=True)
    points.astype(np.float32).tofile(folder / "velodyne_points/data/0000000069.bin")
    (root / "eigen_test_files.txt").write_text(f"{day}/{drive} 0000000069 l\n")
    return root


def test_kitti_eigen_with_median_scaling_by_hand(tmp_path):
    constant = Says(lambda rgb: np.full((24, 80), 0.2))
    found = evaluate("kitti-eigen", constant, _kitti(tmp_path))
    assert found.alignment == "median"
    # truth 10, 20, 40 (95 lies beyond 80): the constant becomes their median, 20
    assert found.scores["abs_rel"] == pytest.approx((10 / 10 + 0 + 20 / 40) / 3, abs=1e-6)
    assert found.scores["rmse"] == pytest.approx(np.sqrt((100 + 0 + 400) / 3), abs=1e-6)
    assert found.scores["delta1"] == pytest.approx(1 / 3)
    rig = evaluate("kitti-eigen", constant, tmp_path, options=Options(alignment="stereo"))
    metres = 721.5 * 0.54 / (1242 * 0.2)
    by_hand = np.mean(np.abs(metres / np.array([10, 20, 40]) - 1))
    assert rig.scores["abs_rel"] == pytest.approx(by_hand, abs=1e-6)


def test_kitti_eigen_with_accumulated_truth_in_the_kb_crop(tmp_path):
    root = _kitti(tmp_path)
    truth = np.zeros((375, 1242), np.uint16)
    truth[300, 600], truth[310, 700], truth[10, 600] = 256 * 8, 256 * 16, 256 * 70
    name = "2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png"
    with pytest.raises(UnreadableInputError, match="depth_prediction"):
        evaluate("kitti-eigen", "lower-row", root, options=Options(improved=tmp_path / "deep"))
    _write(tmp_path / "deep/val" / name, truth)
    shapes = []

    def answer(rgb):
        shapes.append(rgb.shape)
        return np.full(rgb.shape[:2], 1 / 8)

    options = Options(improved=tmp_path / "deep", alignment="none")
    found = evaluate("kitti-eigen", Says(answer, "metric_disparity"), root, options=options)
    assert shapes == [(352, 1216, 3)]
    assert found.scores["abs_rel"] == pytest.approx((0 + 8 / 16) / 2, abs=1e-6)
    assert "KB" in found.settings["truth"]


def test_kitti_2015_by_hand(tmp_path):
    for n in (2, 3):
        _write(tmp_path / f"training/image_{n}/000000_10.png", np.zeros((4, 1242, 3), np.uint8))
    truth = np.zeros((4, 1242), np.uint16)
    truth[1], truth[2] = 20 * 256, 40 * 256
    _write(tmp_path / "training/disp_occ_0/000000_10.png", truth)
    says = Says(lambda rgb: np.full(rgb.shape[:2], 20 / 1242))
    found = evaluate("kitti-2015", says, tmp_path, options=Options(alignment="stereo"))
    assert found.scores["d1_all"] == pytest.approx(50, abs=1e-6)
    near, far = 721.5377 * 0.54 / np.array([40, 20])
    assert found.scores["abs_rel"] == pytest.approx((far - near) / near / 2, abs=1e-6)


def test_nyu_crops_before_it_counts(tmp_path):
    h5py = pytest.importorskip("h5py")
    scipy_io = pytest.importorskip("scipy.io")
    depths = np.full((1, 64, 48), 2, np.float32)
    depths[0, 0, 0] = 9  # outside the crop
    depths[0, 30, 20] = 4
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as out:
        out["images"], out["depths"] = np.zeros((1, 3, 64, 48), np.uint8), depths
    scipy_io.savemat(tmp_path / "splits.mat", {"testNdxs": [[1]]})
    two = Says(lambda rgb: np.full(rgb.shape[:2], 2.0), "metric_depth")
    found = evaluate("nyu", two, tmp_path)
    assert found.alignment == "none"
    counted = crop_mask("nyu", (48, 64)).sum()
    assert found.scores["abs_rel"] == pytest.approx(0.5 / counted, abs=1e-6)
    assert found.scores["delta3"] == pytest.approx(1 - 1 / counted, abs=1e-6)


def test_make3d_looks_at_the_middle_and_caps_at_70(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    _write(tmp_path / "Test134/img-a.jpg", np.zeros((80, 60, 3), np.uint8))
    grid = np.zeros((55, 305, 4))
    grid[:, :, 3] = 75
    grid[17:38, :100, 3], grid[17:38, 100:200, 3] = 10, 20
    (tmp_path / "Gridlaserdata").mkdir()
    scipy_io.savemat(tmp_path / "Gridlaserdata/depth_sph_corr-a.mat", {"Position3DGrid": grid})
    shapes = []

    def answer(rgb):
        shapes.append(rgb.shape)
        return np.full(rgb.shape[:2], 0.1)

    found = evaluate("make3d", Says(answer), tmp_path)
    assert shapes == [(30, 60, 3)]
    # medians: truth 15, so 15 everywhere: |15-10|/10 and |15-20|/20
    assert found.scores["abs_rel"] == pytest.approx((0.5 + 0.25) / 2, abs=1e-6)
    logs = np.log10([1.5, 0.75])
    assert found.scores["rmse_log10"] == pytest.approx(np.sqrt((logs**2).mean()), abs=1e-6)
    assert found.scores["log10"] == pytest.approx(np.abs(logs).mean(), abs=1e-6)


def test_eth3d_and_diode_as_they_lie_on_disk(tmp_path):
    depth = np.full((12, 16), 3, np.float32)
    depth[0] = np.inf
    scene = tmp_path / "eth/office"
    _write(scene / "images/dslr_images/DSC_1.JPG", np.zeros((12, 16, 3), np.uint8))
    (scene / "ground_truth_depth/dslr_images").mkdir(parents=True)
    depth.tofile(scene / "ground_truth_depth/dslr_images/DSC_1.JPG")
    three = Says(lambda rgb: np.full(rgb.shape[:2], 3.3), "metric_depth")
    options = Options(subset="eth3d", alignment="none")
    found = evaluate("affine", three, tmp_path / "eth", options=options)
    assert found.scores["abs_rel"] == pytest.approx(0.1, abs=1e-6)
    place = tmp_path / "diode/val/indoors/s/t"
    _write(place / "1.png", np.zeros((12, 16, 3), np.uint8))
    mask = np.zeros((12, 16))
    mask[3:] = 1
    np.save(place / "1_depth.npy", np.where(mask, 3.0, 0.1)[..., None])
    with pytest.raises(UnreadableInputError, match="1_depth_mask"):
        evaluate("affine", three, tmp_path / "diode", options=Options(subset="diode"))
    np.save(place / "1_depth_mask.npy", mask)
    options = Options(subset="diode", alignment="none")
    found = evaluate("affine", three, tmp_path / "diode", options=options)
    assert found.scores["abs_rel"] == pytest.approx(0.1, abs=1e-6)
    assert "0.6..350" in found.settings["range"]


HOLOLENS = Path(__file__).parents[3] / "shared/data/rgbd/hololens"


@pytest.mark.skipif(not HOLOLENS.exists(), reason=f"{HOLOLENS} is not on this machine")
def test_poses_of_real_frames_carry_their_depth_into_one_another():
    clip = read_rgbd_video(HOLOLENS, 10, 4)
    move = np.linalg.inv(clip.poses[3]) @ clip.poses[0]
    depth = np.nan_to_num(clip.depth_m, nan=0.0)
    rows, columns, moved = carried(depth[0], clip.intrinsics, move)
    there = depth[3][rows, columns]
    off = np.abs(moved - there)[there > 0] / there[there > 0]
    assert np.median(off) < 0.02
