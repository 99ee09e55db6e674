"""Recipes: every one is sound, every system learns on something small, truth means what it says."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from pullfocus.errors import MissingModelError, UsageError  # noqa: E402
from pullfocus.lab.data.samples import Clip, StereoPair  # noqa: E402
from pullfocus.lab.engine.loop import Run, train  # noqa: E402
from pullfocus.lab.engine.metrics_log import read_rows  # noqa: E402
from pullfocus.lab.engine.sampler import held_out_batches  # noqa: E402
from pullfocus.lab.geometry.camera import look_from  # noqa: E402
from pullfocus.lab.recipes.catalogue import CATALOGUE, KINDS, recipe_named, trained_system  # noqa: E402
from pullfocus.lab.recipes.dynamic import _angle_deg, moves  # noqa: E402
from pullfocus.lab.recipes.samples import Clips, Made, Stereo, softened, split_last  # noqa: E402
from pullfocus.lab.recipes.supervised import scores_in_metres  # noqa: E402
from pullfocus.lab.recipes.two_heads import iou  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_recipe_survives_the_way_through_a_file(name):
    recipe = CATALOGUE[name]
    again = KINDS[recipe.kind].model_validate_json(recipe.model_dump_json())
    assert again == recipe


def test_recipes_follow_the_papers():
    monodepth, dynamic = CATALOGUE["monodepth-vgg"], CATALOGUE["dynamic"]
    assert (monodepth.batch, monodepth.hw, monodepth.epochs) == (8, (256, 512), 50)
    assert (monodepth.optimiser.rate, monodepth.optimiser.schedule) == (1e-4, "halve")
    assert (dynamic.batch, dynamic.hw) == (16, (128, 416))
    assert (dynamic.optimiser.rate, dynamic.optimiser.clip_norm) == (2e-4, 10)
    assert CATALOGUE["unet"].hw == (240, 320)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean laina"):
        recipe_named("lania")


def _pair(bottom_px):
    """Clouds 2 px apart in the upper half and ``bottom_px`` in the lower one."""
    rng = np.random.default_rng(bottom_px)
    coarse = rng.integers(0, 255, (8, 10, 3), np.uint8)
    wide = cv2.resize(coarse, (160, 128), interpolation=cv2.INTER_CUBIC)
    left, right = wide[:, :128].copy(), wide[:, 2:130].copy()
    right[64:] = wide[64:, bottom_px : 128 + bottom_px]
    truth = np.full((128, 128), 2, np.float32)
    truth[64:] = bottom_px
    return StereoPair(str(bottom_px), left, right, truth, np.nan, np.nan)


def test_monodepth_learns_disparity_from_pairs_alone():
    recipe = CATALOGUE["monodepth-tiny"].but(thin=16, norm=False, begin=0.15)
    system = recipe.build()
    source = Stereo([_pair(10)], recipe.hw, augmented=False)
    batch = next(held_out_batches(source, 1))
    optimiser = torch.optim.Adam(system.parameters(), 3e-3)
    with torch.no_grad():
        untrained = system.scores(batch)
    for step in range(100):
        optimiser.zero_grad()
        sum(system(batch, step).values()).backward()
        optimiser.step()
    with torch.no_grad():
        trained = system.scores(batch)
    assert trained["error_px"] < 0.6 * untrained["error_px"]
    assert trained["flipped_px"] < 0.6 * untrained["flipped_px"]
    assert trained["rmse_px"] > trained["error_px"]
    assert trained["error_px"] < 0.6 * trained["constant_px"]
    assert trained["reconstruction"] < untrained["reconstruction"]


def test_one_pair_cannot_be_normalised_over_the_batch():
    system = CATALOGUE["monodepth-tiny"].but(thin=16).build()
    one = torch.rand(1, 3, 128, 128)
    with pytest.raises(UsageError, match="at least two pairs"):
        system({"left": one, "right": one}, 0)


def test_clips_give_every_pair_of_neighbours():
    poses = np.repeat(np.eye(4)[None], 3, 0)
    poses[:, 2, 3] = [0, 1, 3]
    frames = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    depth, still = np.ones((3, 8, 8), np.float32), np.zeros((3, 8, 8), bool)
    clip = Clip("ahead", frames, np.arange(3.0), np.eye(3), poses, depth, still)
    source = Clips([clip, clip], (8, 8), False, frames=3)
    steps = [source.draw(i, np.random.default_rng())["translation"][2].item() for i in range(4)]
    assert steps == [-1, -2, -1, -2]


def test_a_soft_lens_leaves_no_single_pixels_and_all_of_the_truth():
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    frames[:, :, ::2] = 200
    depth = np.ones((2, 8, 8), np.float32)
    sharp = Clip("stripes", frames, np.arange(2.0), np.eye(3), depth_m=depth)
    soft = softened(sharp, 1.0)
    assert np.ptp(soft.frames[:, :, 2:-2].astype(int)) < 10
    assert soft.frames.mean() == pytest.approx(100, abs=2)
    assert soft.depth_m is depth
    assert softened(sharp, 0) is sharp


def test_flights_come_softened_with_their_truth_and_measure_what_they_teach():
    recipe = CATALOGUE["dynamic-tiny"].but(hw=(32, 64), clips=1, frames=2)
    rng = np.random.default_rng(0)
    try:
        taught, measured = (source.draw(0, rng) for source in recipe.sources(None))
    except MissingModelError as error:
        pytest.skip(str(error))
    sharp = recipe.but(soft_px=0).sources(None)[0].draw(0, rng)
    roughness = [batch["first"].diff(dim=2).abs().mean() for batch in (taught, sharp)]
    assert roughness[0] < 0.8 * roughness[1]
    torch.testing.assert_close(taught["depth_m"], sharp["depth_m"])
    torch.testing.assert_close(taught["first"], measured["first"])
    assert taught["moving"].any()
    assert taught["translation"].norm() > 0.2


def _batch(kind):
    image = torch.rand(2, 3, 32, 64)
    if kind == "dynamic":
        camera = torch.tensor([[40.0, 0, 32], [0, 40, 16], [0, 0, 1]]).expand(2, 3, 3)
        return {"first": image, "second": image.roll(1, 3), "intrinsics": camera}
    depth = torch.linspace(1, 4, 32).view(1, 1, 32, 1).expand(2, 1, 32, 64).clone()
    depth[:, :, :4] = float("nan")
    person = torch.zeros(2, 1, 32, 64)
    person[:, :, 8:24, 16:32] = 1
    return {"image": image, "depth_m": depth, "person": person}


SMALL = {
    "dynamic-tiny": {"thin": 16},
    "unet-tiny": {"unet_widths": (4, 4, 8, 8)},
    "laina-tiny": {"laina_width": 16},
    "dpt-both-tiny": {},
    "dpt-both": {"size": "ti", "uncertainty": True},
}


def _settled(system, batch):
    """Leave the means of this batch to the norms, and draw no dropout: one function of the weights.

    Over two small pictures, norms in training amplify rounding so much that it decides the loss.
    """
    for module in system.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        system(batch, 0)
    return system.eval()


def _loss(system, batch):
    """Return the same function of the weights at every call: what is drawn is drawn again."""
    torch.manual_seed(1)
    return sum(system(batch, 0).values())


def _descended(system, batch):
    """Step down the gradient, half as far until a tenth of what its slope promises is there.

    Returns the loss before and after. A gradient that is the loss's own always allows such a step,
    whatever the order in which a processor adds; a wrong one does not.
    """
    system.zero_grad()
    before = _loss(system, batch)
    before.backward()
    moved = [(p, p.detach().clone()) for p in system.parameters() if p.grad is not None]
    slope = sum(float(p.grad.double().square().sum()) for p, _ in moved)
    for halved in range(14):
        step = before.item() / slope * 2.0**-halved
        with torch.no_grad():
            for p, start in moved:
                p.copy_(start - step * p.grad)
            after = _loss(system, batch).item()
        if after <= before.item() - 0.1 * step * slope:
            return before.item(), after
    pytest.fail(f"no step down the gradient lowers {before.item()}")


@pytest.mark.parametrize("name", SMALL)
def test_a_system_learns_a_batch_by_heart(name):
    recipe = CATALOGUE[name].but(**SMALL[name])
    batch = _batch(recipe.kind)
    is_dynamic = recipe.kind == "dynamic"  # its norms have no means to settle: they draw noise
    system = recipe.build() if is_dynamic else _settled(recipe.build(), batch)
    steps = [_descended(system, batch) for _ in range(4)]
    assert steps[-1][1] < (1.0 if is_dynamic else 0.8) * steps[0][0]
    grads = [p.grad for p in system.parameters() if p.grad is not None]
    assert all(grad.isfinite().all() for grad in grads)
    assert sum(grad.abs().max() > 0 for grad in grads) > 0.6 * len(list(system.parameters()))


@pytest.mark.parametrize("name", ["dynamic-tiny", "unet-tiny", "dpt-both-tiny"])
def test_a_system_draws_what_it_sees(name):
    recipe = CATALOGUE[name].but(**SMALL[name])
    system = recipe.build().eval()
    with torch.no_grad():
        drawn = system.pictures(_batch(recipe.kind))
    for rgb in drawn.values():
        assert rgb.dtype == np.uint8
        assert rgb.shape[0] == 2 * 32
        assert rgb.shape[1] % 64 == 0


def test_half_a_truth_teaches_its_own_head():
    system = CATALOGUE["dpt-both-tiny"].build()
    batch = _batch("two-heads")
    without = batch | {"person": torch.full_like(batch["person"], float("nan"))}
    terms = {name: value.item() for name, value in system(without, 0).items()}
    assert terms["bce"] == terms["dice"] == 0
    assert terms["ssi"] > 0


def test_a_network_and_a_loss_of_different_papers_are_refused():
    with pytest.raises(UsageError, match="cannot learn by the loss deep3d"):
        CATALOGUE["monodepth-vgg"].but(loss="deep3d").build()


@pytest.mark.parametrize("name", ["monodepth-vgg", "dynamic", "unet"])
def test_recipes_on_files_ask_for_the_folder(name):
    with pytest.raises(UsageError, match="--data"):
        CATALOGUE[name].sources(None)


def test_the_u_net_has_no_public_encoder():
    recipe = CATALOGUE["unet-tiny"].but(backbone="microsoft/resnet-34")
    with pytest.raises(UsageError, match="UNet has no public encoder"):
        recipe.initialise(recipe.build())


def test_what_is_held_out_comes_last_and_never_trains():
    training, held_out = split_last(range(20), 1 / 4)
    assert [*training, *held_out] == list(range(20))
    assert len(held_out) == 5
    with pytest.raises(UsageError, match="too few"):
        split_last(range(1))


def test_samples_are_made_once():
    made = []
    samples = Made(lambda seed: made.append(seed) or seed, 3, first=7)
    assert [*samples, *samples] == [7, 8, 9] * 2
    assert made == [7, 8, 9]


def test_rgbd_sets_are_held_out_by_time(tmp_path):
    for place in ("a", "b"):
        for n in range(4):
            (tmp_path / place / "rgb").mkdir(parents=True, exist_ok=True)
            (tmp_path / place / "depth_mm").mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / place / f"rgb/{n}.png"), np.full((8, 8, 3), n, np.uint8))
            depth = np.full((8, 8), 1000 * (n + 1), np.uint16)
            cv2.imwrite(str(tmp_path / place / f"depth_mm/{n}.png"), depth)
    (tmp_path / "notes").mkdir()
    recipe = CATALOGUE["unet-tiny"].but(samples="rgbd", hw=(8, 8))
    training, held_out = recipe.sources(tmp_path)
    assert (len(training), len(held_out)) == (6, 2)
    depths = {float(held_out.draw(i, np.random.default_rng())["depth_m"].mean()) for i in (0, 1)}
    assert depths == {4.0}


def test_convention_disparity_scales_with_the_picture():
    sample = Stereo([_pair(10)], (64, 64), augmented=False).draw(0, np.random.default_rng())
    assert sample["disparity_px"].unique().tolist() == [1, 5]


def test_unknown_disparity_is_nan():
    pair = _pair(10)
    pair = StereoPair(pair.name, pair.left, pair.right, None, np.nan, np.nan)
    sample = Stereo([pair], (64, 64), augmented=False).draw(0, np.random.default_rng())
    assert torch.isnan(sample["disparity_px"]).all()


def test_convention_motion_takes_points_of_the_first_camera_to_the_second():
    """A camera that goes 1 m ahead sees a wall at 5 m grow by 5 / 4 about its centre."""
    poses = np.stack([np.eye(4), np.eye(4)])
    poses[1, 2, 3] = 1.0
    frames = np.zeros((2, 32, 64, 3), np.uint8)
    camera = np.array([[40.0, 0, 32], [0, 40, 16], [0, 0, 1]])
    walls, still = np.full((2, 32, 64), 5, np.float32), np.zeros((2, 32, 64), bool)
    clip = Clip("wall", frames, np.arange(2.0), camera, poses, walls, still)
    sample = Clips([clip], (32, 64), augmented=False).draw(0, np.random.default_rng())
    assert sample["translation"].tolist() == [0, 0, -1]
    rotation, translation = sample["rotation"][None], sample["translation"].view(1, 3, 1, 1)
    view = look_from(sample["depth_m"][None], sample["intrinsics"][None], rotation, translation)
    assert view.xy_px[0, :, 0, 0].tolist() == pytest.approx([32 - 31.5 * 1.25, 16 - 15.5 * 1.25])


def test_scores_are_zero_for_the_truth_and_those_of_the_median_for_a_constant():
    truth = torch.tensor([1.0, 2.0, 4.0, float("nan")]).view(1, 1, 2, 2)
    scores = scores_in_metres(truth.nan_to_num(9.0), truth, 10.0)
    assert (scores["abs_rel"], scores["rmse"], scores["delta1"]) == (0, 0, 1)
    assert scores["constant_abs_rel"] == pytest.approx((1 + 0 + 0.5) / 3)


def test_overlap_of_masks():
    a, b = torch.tensor([True, True, False]), torch.tensor([False, True, True])
    assert iou(a, b) == pytest.approx(1 / 3)
    assert iou(a & False, b & False) == 1


def test_what_moves_is_longer_than_a_quarter_of_the_longest():
    field = torch.zeros(3, 1, 3)
    field[0, 0] = torch.tensor([4.0, 1.1, 0.9])
    assert moves(field).tolist() == [[True, True, False]]


def test_angles_of_rotations_are_exact_when_small():
    from pullfocus.lab.geometry.pose import rotation_matrix

    small = rotation_matrix(torch.tensor([[0.0, np.deg2rad(0.01), 0.0]]))[0]
    assert _angle_deg(small) == pytest.approx(0.01, rel=1e-3)
    large = rotation_matrix(torch.tensor([[0.0, 0.0, np.deg2rad(120)]]))[0]
    assert _angle_deg(large) == pytest.approx(120, rel=1e-5)


class _Same:
    """The samples of a batch, again and again."""

    def __init__(self, batch, count):
        self.batch, self.count = batch, count

    def __len__(self):
        return self.count

    def draw(self, index, rng):
        return {name: values[index % len(values)] for name, values in self.batch.items()}


@pytest.mark.parametrize("name", ["monodepth-tiny", "dynamic-tiny", "unet-tiny", "dpt-both-tiny"])
def test_every_system_trains_in_the_engine_with_all_it_offers(name, tmp_path, monkeypatch):
    if name == "monodepth-tiny":
        small = {"thin": 16, "norm": False}
        batch = {side: torch.rand(2, 3, 128, 128) for side in ("left", "right")}
        batch["disparity_px"] = torch.full((2, 1, 128, 128), 4.0)
    else:
        small, batch = SMALL[name], _batch(CATALOGUE[name].kind)
    recipe = CATALOGUE[name].but(**small, batch=4, accumulate=2, steps=2, ema=0.5, epochs=1)
    source = _Same(batch, 4)
    monkeypatch.setattr(type(recipe), "sources", lambda *_: (source, source))
    scores = train(Run(name, recipe, None, tmp_path))
    steps = [row for row in read_rows(tmp_path / "log.jsonl") if "loss" in row]
    assert steps[-1]["step"] == 2
    assert np.isfinite(steps[-1]["loss"])
    assert scores
    assert trained_system(tmp_path / "checkpoint.pt").recipe == recipe


def test_the_documents_name_every_recipe():
    said = (Path(__file__).parents[2] / "docs/lab.md").read_text(encoding="utf-8")
    table = said.split("## Recipes")[1].split("## Settings")[0]
    missing = [name for name in CATALOGUE if not re.search(rf"\b{name}\b", table)]
    assert not missing
