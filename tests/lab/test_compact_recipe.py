"""The embedded network's recipe: it learns, resumes exactly after a kill, mixes its packs."""

import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("accelerate")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from pullfocus.errors import MissingModelError, UnreadableInputError, UsageError  # noqa: E402
from pullfocus.lab.cli import main  # noqa: E402
from pullfocus.lab.data.crops import CropConfig  # noqa: E402
from pullfocus.lab.data.pack import Item, write_pack  # noqa: E402
from pullfocus.lab.engine.checkpoint import read_checkpoint  # noqa: E402
from pullfocus.lab.engine.metrics_log import read_rows  # noqa: E402
from pullfocus.lab.engine.sampler import Order, read_batches  # noqa: E402
from pullfocus.lab.recipes.catalogue import CATALOGUE, trained_system  # noqa: E402
from pullfocus.lab.recipes.distill import HINT, HINTED, hints_of  # noqa: E402
from pullfocus.lab.teachers import STAGE_TENSORS, teacher_path  # noqa: E402

TINY = CATALOGUE["compact-tiny"]
SMALL = [
    "network.widths=[8,8,16,16,16]",
    "network.decoder=[8,8,16]",
    'shares={"photos":2,"people":1,"sensor":1}',
    "log_every=1",
    "save_every=3",
    "epoch_crops=32",
    "epochs=2",
]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def _pictures(count, source, person=None):
    rng = np.random.default_rng(0)
    for n in range(count):
        rgb = cv2.resize(rng.integers(0, 255, (6, 8, 3), np.uint8), (160, 120))
        slope = np.repeat(np.linspace(0, 1, 60, dtype=np.float32)[:, None], 80, 1)
        rgb[60:, :, n % 3] //= 2
        yield Item(str(n), source, rgb, slope, person)


def _write_teacher(path):
    """Write a network with a tensor of the teacher's name at every stage, of one size as it is."""
    rng = np.random.default_rng(0)
    nodes, weights = [], []

    def convolve(source, name, channels, stride):
        kernel = rng.normal(0, 0.3, (*channels[::-1], 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"{name}.w"))
        made = {"strides": [stride] * 2, "pads": [1] * 4}
        nodes.append(helper.make_node("Conv", [source, f"{name}.w"], [f"{name}.c"], **made))
        nodes.append(helper.make_node("Relu", [f"{name}.c"], [name]))

    name = STAGE_TENSORS
    convolve("input", name["e1"], (3, 4), 2)
    for coarse, fine in (("e1", "e2"), ("e2", "e3"), ("e3", "e4")):
        convolve(name[coarse], name[fine], (4, 4), 2)
    for encoder, decoder in (("e3", "d3"), ("e2", "d2"), ("e1", "d1")):
        convolve(name[encoder], name[decoder], (4, 4), 1)
    convolve("input", "output", (3, 1), 1)
    picture, depth = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 64, 96])
        for name, channels in (("input", 3), ("output", 1))
    )
    graph = helper.make_graph(nodes, "teacher", [picture], [depth], weights)
    opset = [helper.make_opsetid("", 17)]
    path.parent.mkdir(parents=True)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with a teacher; packs of photos, one of them of a person, and of measured depth."""
    root = tmp_path_factory.mktemp("data")
    person = np.zeros((60, 80), np.float32)
    person[10:40, 20:40] = 1
    items = [*_pictures(5, "photos/web"), *_pictures(1, "photos/web", person)]
    write_pack(root / "packs/photos", items[::-1])
    write_pack(root / "packs/sensor", _pictures(5, "sensor"))
    _write_teacher(teacher_path(root))
    return root


def _arguments(data, out, *changes, more=()):
    words = [word for change in changes for word in ("--set", change)]
    where = ["--data", str(data), "--cache", str(data / "packs"), "--out", str(out)]
    return ["train", "compact-tiny", *where, *more, *words]


def _terms(out):
    return {row["step"]: row for row in read_rows(out / "log.jsonl") if "loss" in row}


def _scores(out):
    return {row["step"]: row["ssi"] for row in read_rows(out / "log.jsonl") if "ssi" in row}


@pytest.fixture(scope="module")
def learned(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("learned")
    torch.set_num_threads(1)
    assert main(_arguments(data, out, "hint_weight=0")) == 0
    return out


def test_it_learns_without_a_teacher_too(learned):
    rows = list(_terms(learned).values())
    assert rows[-1]["ssi_photo"] < 0.6 * rows[0]["ssi_photo"]
    assert max(_terms(learned)) == 40
    scores = _scores(learned)
    assert scores[40] < scores[0]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    torch.set_num_threads(1)
    assert main(_arguments(data, out, *SMALL)) == 0
    return out


KILLER = """
import os, signal

class Killer:
    def row(self, step, values):
        if step == 11:
            os.kill(os.getpid(), signal.SIGKILL)

    def picture(self, step, name, rgb): ...
    def close(self): ...

def open_killer(folder, settings, step):
    return Killer()
"""


def test_a_run_killed_by_the_system_goes_on_to_the_same_curve(data, whole, tmp_path):
    """Hints, forcing, the average of the weights and the mixed packs included."""
    (tmp_path / "killing.py").write_text(KILLER)
    out = tmp_path / "run"
    arguments = _arguments(data, out, *SMALL, more=["--logger", "killing:open_killer"])
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [sys.executable, "-m", "pullfocus.lab", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert read_checkpoint(out / "checkpoint.pt").step == 9
    assert max(_terms(out)) == 11
    assert main(_arguments(data, out, *SMALL)) == 0
    names = [f"{name}_{kind}" for name in ("ssi", "grad") for kind in ("photo", "truth")]
    names += ["loss", "person", *HINTED]
    curves = [
        [[row[name] for name in names] for row in _terms(folder).values()]
        for folder in (out, whole)
    ]
    assert curves[0] == curves[1]
    assert len(curves[0]) == 16
    one, other = (read_checkpoint(folder / "checkpoint.pt") for folder in (out, whole))
    assert one.best == other.best
    exactly = {"rtol": 0, "atol": 0, "equal_nan": True}
    torch.testing.assert_close(one.system_as_used(), other.system_as_used(), **exactly)
    torch.testing.assert_close(one.average["weights"], other.average["weights"], **exactly)


def test_the_best_state_is_kept_and_is_the_averaged_one(learned):
    best = read_checkpoint(learned / "best.pt")
    assert best.best == min(_scores(learned).values())
    assert best.average["updates"] == best.step // 4
    system = trained_system(learned / "best.pt")
    for name in ("net.e3.0.0.weight", "net.e3.0.1.running_var"):
        assert not torch.equal(system.state_dict()[name], best.system[name])


def test_a_leg_begins_with_an_exported_network(data, learned, tmp_path):
    assert main(["export", str(learned / "checkpoint.pt"), "-o", str(tmp_path / "a.onnx")]) == 0
    more = ("--start", str(tmp_path / "a.onnx"), "--crops", "4")
    assert main(_arguments(data, tmp_path / "more", "hint_weight=0", more=more)) == 0
    assert max(_terms(tmp_path / "more")) == 1
    begun = _scores(tmp_path / "more")[0]
    assert begun == pytest.approx(_scores(learned)[40], abs=0.1)
    assert begun < 0.8 * _scores(learned)[0]


def test_a_leg_may_train_the_person_mask_alone(data, tmp_path):
    only = ("p3", "p2", "p1", "person")
    recipe = TINY.but(only=only, shares={"people": 4}, hint_weight=0)
    system = recipe.build()
    before = {name: value.clone() for name, value in system.net.state_dict().items()}
    batch = _batch(recipe, data)
    optimiser = torch.optim.Adam([p for p in system.parameters() if p.requires_grad])
    sum(system.train()(batch, 0).values()).backward()
    optimiser.step()
    changed = {n for n, v in system.net.state_dict().items() if not torch.equal(v, before[n])}
    assert "person.weight" in changed
    assert {name.split(".")[0] for name in changed} <= set(only)


def _batch(recipe, data, step=0):
    training, _ = recipe.sources(data, data / "packs")
    order = Order(len(training), recipe.batch, recipe.seed, step, step + 1, stream=True)
    return next(read_batches(training, order, 0))


def test_a_batch_holds_the_shares_and_the_size_of_its_step(data):
    sizes = ((32, 64), (64, 32))
    shares = {"photos": 3, "people": 1, "sensor": 2}
    recipe = TINY.but(shares=shares, batch=6, crops=CropConfig(sizes=sizes))
    seen = set()
    for step in range(8):
        batch = _batch(recipe, data, step)
        assert batch["is_truth"].sum() == 2
        assert torch.isfinite(batch["person"]).all(2).all(1).any()
        seen.add(tuple(batch["image"].shape[-2:]))
        assert batch[f"{HINT}d3"].shape[-1] == batch["image"].shape[-1] // 8
    assert seen == set(sizes)


def test_views_are_larger_late_in_the_run():
    large = CropConfig(sizes=((96, 96),))
    recipe = TINY.but(late_crops=large, late_from=100)
    assert recipe.crop_config(24) == recipe.crops
    assert recipe.crop_config(25) == large


def test_pasted_people_have_no_known_depth(data):
    recipe = TINY.but(crops=CropConfig(sizes=((32, 32),), min_scale=1.0, pasted=1.0))
    assert _batch(recipe, data)["disparity"].isnan().any(2).any(1).all()


def test_hints_stand_in_for_some_pictures_and_fewer_later(data):
    recipe = TINY.but(forcing_crops=80)
    assert [round(recipe.forced_share(step), 2) for step in (0, 10, 20, 30)] == [0.9, 0.45, 0, 0]
    system, batch = recipe.build(), _batch(recipe, data)
    torch.manual_seed(0)
    forced = torch.stack([h.isnan().flatten(1).all(1) for h in system._forced(batch, 10).values()])
    assert forced.shape == (5, 4)
    assert 0 < forced.sum() < 20
    assert system._forced(batch, 20) == {}
    assert set(hints_of(batch)) == set(HINTED)


def test_the_weight_of_hints_falls_to_a_tenth_after_forcing():
    recipe = CATALOGUE["compact"]
    whole = recipe.epochs * recipe.epoch_crops // recipe.batch
    assert recipe.hint_weight_at(0) == recipe.hint_weight_at(800) == recipe.hint_weight
    assert recipe.hint_weight_at(whole) == pytest.approx(0.1 * recipe.hint_weight, rel=1e-2)


def test_unknown_depth_everywhere_is_survived(data):
    batch = _batch(TINY, data)
    for name in ("disparity", "person"):
        batch[name] = torch.full_like(batch[name], torch.nan)
    batch["is_truth"][:] = True
    terms = TINY.build()(batch, 0)
    assert all(torch.isfinite(value) for value in terms.values())
    assert float(terms["d2"].detach()) == 0


def test_two_processes_share_the_packs(data, tmp_path):
    """Norms see half a batch each, so the curve is near that of one process and not the same."""
    command = [sys.executable, "-m", "pullfocus.lab"]
    small = [*SMALL, "steps=2"]
    arguments = _arguments(data, tmp_path, *small, more=("--processes", "2"))
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 process(es)" in done.stderr
    assert list(_terms(tmp_path)) == [1, 2]


def test_a_missing_teacher_is_said_before_the_first_step(data, tmp_path):
    with pytest.raises(MissingModelError, match=r"tcmonodepth-small\.onnx .*hint_weight=0"):
        TINY.sources(tmp_path, data / "packs")
    with pytest.raises(UsageError, match="--data"):
        TINY.sources(None, data / "packs")


def test_checkpoints_of_the_former_loop_are_refused_with_what_to_do(tmp_path):
    torch.save({"net": {}, "average": {}, "hint_scale": {}, "crops": 8}, tmp_path / "old.pt")
    with pytest.raises(UnreadableInputError, match=r"old\.pt was written by an earlier .*--start"):
        read_checkpoint(tmp_path / "old.pt")
