"""The engine on a toy: it learns, goes on, stops at NaN, and shows what it does."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from torch import nn  # noqa: E402

from pullfocus.errors import UnreadableInputError, UsageError  # noqa: E402
from pullfocus.lab.engine import pictures  # noqa: E402
from pullfocus.lab.engine.checkpoint import read_checkpoint  # noqa: E402
from pullfocus.lab.engine.guard import NotFiniteError  # noqa: E402
from pullfocus.lab.engine.loop import Run, train  # noqa: E402
from pullfocus.lab.engine.metrics_log import read_rows  # noqa: E402
from pullfocus.lab.engine.recipe import Count, Optimiser, Recipe, rate  # noqa: E402
from pullfocus.lab.engine.sampler import Order  # noqa: E402
from pullfocus.lab.engine.system import DepthGraph, System  # noqa: E402


class Slope(System):
    """Learns y = 3 x from noisy pairs, with dropout, so that random numbers matter."""

    def __init__(self, poison_step):
        super().__init__()
        self.layer = nn.Linear(4, 1)
        self.drop = nn.Dropout(0.1)
        self.poison_step = poison_step

    def predict(self, batch, step):
        return {"y": self.layer(self.drop(batch["x"]))[:, 0]}

    def losses(self, prediction, batch, step):
        error = (prediction["y"] - batch["y"]).square().mean()
        if step == self.poison_step:
            error = error * float("nan")
        return {"square": error, "size": 1e-4 * self.layer.weight.square().sum()}

    def scores(self, batch):
        return {"error": float((self.layer(batch["x"])[:, 0] - batch["y"]).abs().mean())}

    def pictures(self, batch):
        return {"y": pictures.rows([pictures.nearness(batch["x"])])}

    def depth_graph(self):
        return DepthGraph(self.layer, "relative_disparity", (1, 1), 1)


class Pairs:
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def draw(self, index, rng):
        x = np.random.default_rng(index).normal(size=4) + 0.05 * rng.normal(size=4)
        x = torch.from_numpy(x).float()
        return {"x": x, "y": 3 * x.sum()}


class Toy(Recipe):
    kind: str = "toy"
    epochs: Count = 6
    batch: Count = 4
    log_every: Count = 1
    save_every: Count = 5
    optimiser: Optimiser = Optimiser(rate=0.1, clip_norm=5.0)
    poison_step: int = -1

    def build(self):
        return Slope(self.poison_step)

    def sources(self, data, cache=None):
        return Pairs(32), Pairs(8)


def _losses(out: Path) -> dict[int, float]:
    return {r["step"]: r["loss"] for r in read_rows(out / "log.jsonl") if "loss" in r}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    scores = train(Run("toy", Toy(), None, out))
    return out, scores


def test_it_learns(whole):
    out, scores = whole
    rows = [r for r in read_rows(out / "log.jsonl") if "error" in r]
    assert [r["epoch"] for r in rows] == list(range(7))
    assert scores["error"] == rows[-1]["error"] < 0.2 * rows[0]["error"]


def test_the_log_holds_every_term_and_the_speed(whole):
    row = next(r for r in read_rows(whole[0] / "log.jsonl") if "loss" in r)
    assert row["loss"] == pytest.approx(row["square"] + row["size"], rel=1e-5)
    assert row["images_per_s"] > 0


def test_every_epoch_leaves_a_picture_and_the_settings_are_there(whole):
    names = sorted(p.name for p in (whole[0] / "pictures").iterdir())
    assert names == [f"epoch-{n:03d}-y.png" for n in range(7)]
    assert json.loads((whole[0] / "recipe.json").read_text())["batch"] == 4


def test_tensorboard_gets_the_curves(whole):
    pytest.importorskip("tensorboard")
    (events,) = (whole[0] / "tensorboard").iterdir()
    assert b"square" in events.read_bytes()


def test_the_same_seed_gives_the_same_curve_and_another_another(whole, tmp_path):
    train(Run("toy", Toy(), None, tmp_path / "a"))
    train(Run("toy", Toy(seed=2), None, tmp_path / "b"))
    assert _losses(tmp_path / "a") == _losses(whole[0])
    assert _losses(tmp_path / "b") != _losses(whole[0])


def test_a_run_that_stopped_between_epochs_goes_on_to_the_same_curve(whole, tmp_path, monkeypatch):
    from pullfocus.lab.engine import loop

    class Killed(BaseException):
        pass

    def die(self, batch):
        if self.step == 18:
            raise Killed
        return learn(self, batch)

    learn = loop.Trainer._learn
    monkeypatch.setattr(loop.Trainer, "_learn", die)
    with pytest.raises(Killed):
        train(Run("toy", Toy(), None, tmp_path))
    assert max(_losses(tmp_path)) == 18
    assert read_checkpoint(tmp_path / "checkpoint.pt").step == 16
    monkeypatch.setattr(loop.Trainer, "_learn", learn)
    train(Run("toy", Toy(), None, tmp_path))
    assert _losses(tmp_path) == _losses(whole[0])


def test_a_finished_run_only_measures_again(whole):
    before = _losses(whole[0])
    assert train(Run("toy", Toy(), None, whole[0])) == pytest.approx(whole[1])
    assert _losses(whole[0]) == before


def test_a_folder_with_another_run_is_refused(whole):
    with pytest.raises(UsageError, match=r"batch 4 not 8.*--out"):
        train(Run("toy", Toy(batch=8), None, whole[0]))


def test_more_epochs_may_be_asked_for(whole, tmp_path):
    import shutil

    shutil.copytree(whole[0], tmp_path / "more")
    train(Run("toy", Toy(epochs=7), None, tmp_path / "more"))
    assert max(_losses(tmp_path / "more")) == 56


def test_a_run_can_begin_with_the_weights_of_another(whole, tmp_path):
    start = whole[0] / "checkpoint.pt"
    train(Run("toy", Toy(seed=3, epochs=1), None, tmp_path / "new", start))
    assert read_rows(tmp_path / "new/log.jsonl")[0]["error"] == pytest.approx(whole[1]["error"])


def test_nan_stops_and_names_the_file_with_the_batch(tmp_path):
    with pytest.raises(NotFiniteError, match=r"square of step 7 .*not-finite-7-0\.pt") as caught:
        train(Run("toy", Toy(poison_step=7), None, tmp_path))
    assert "Traceback" not in str(caught.value)
    saved = torch.load(tmp_path / "not-finite-7-0.pt", weights_only=True)
    assert saved["step"] == 7
    assert saved["batch"]["x"].shape == (4, 4)
    assert torch.isnan(saved["terms"]["square"])


def test_bf16_learns_too_and_losses_stay_float32(tmp_path):
    seen = []

    class Spy(Slope):
        def losses(self, prediction, batch, step):
            seen.append((prediction["y"].dtype, (batch["x"] @ batch["x"].T).dtype))
            return super().losses(prediction, batch, step)

        def predict(self, batch, step):
            answer = super().predict(batch, step)
            seen.append(answer["y"].dtype)
            return answer

    class Half(Toy):
        precision: str = "bf16"

        def build(self):
            return Spy(-1)

    scores = train(Run("toy", Half(), None, tmp_path))
    assert seen[:2] == [torch.bfloat16, (torch.float32, torch.float32)]
    assert scores["error"] < 2


def test_fp16_without_a_gpu_is_refused(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UsageError, match="bf16"):
        train(Run("toy", Toy(precision="fp16"), None, tmp_path))


def test_gradients_are_clipped(tmp_path):
    free, clipped = (
        Optimiser(rate=1.0, clip_norm=norm) for norm in (None, 1e-12)
    )  # Adam divides by sqrt(v) + 1e-8, so a tiny norm leaves a tiny step
    train(Run("toy", Toy(epochs=1, optimiser=free), None, tmp_path / "free"))
    train(Run("toy", Toy(epochs=1, optimiser=clipped), None, tmp_path / "clipped"))
    errors = [
        [r["error"] for r in read_rows(tmp_path / name / "log.jsonl") if "error" in r]
        for name in ("free", "clipped")
    ]
    assert abs(errors[1][1] - errors[1][0]) < 0.01 * abs(errors[0][1] - errors[0][0])


def test_processes_share_a_batch_without_overlap():
    whole, halves = Order(20, 4, 1, 0, 9), [Order(20, 4, 1, 0, 9, r, 2) for r in (0, 1)]
    for step, left, right in zip(whole, *halves, strict=True):
        assert sorted(step) == sorted(left + right)
    assert list(Order(20, 4, 1, 6, 9)) == list(whole)[6:]


def test_an_epoch_is_shuffled_once(monkeypatch):
    """Shuffling a million samples takes 20 ms: as long as a step."""
    shuffled, real = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: shuffled.append(seed) or real(seed))
    order = Order(20, 4, 1, 3, 12)
    assert [keys[0][0] for keys in order] == [0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert shuffled == [(1, 0), (1, 1), (1, 2)]


def test_the_order_stays_what_it_was():
    """Runs that began with an earlier version go on with the same samples."""
    for step, keys in enumerate(Order(11, 3, 5, 0, 8)):
        epoch, place = divmod(step, 3)
        expected = np.random.default_rng((5, epoch)).permutation(11)[3 * place : 3 * place + 3]
        assert keys == [(epoch, int(index)) for index in expected]


def test_an_epoch_shows_every_sample_once():
    epoch = [index for keys in Order(20, 4, 1, 5, 10) for _, index in keys]
    assert sorted(epoch) == list(range(20))


def test_fewer_samples_than_a_batch_are_repeated():
    assert [len(keys) for keys in Order(3, 8, 1, 0, 2)] == [8, 8]


def test_a_batch_that_processes_cannot_share_is_refused():
    from pullfocus.lab.engine.start import check_batch

    with pytest.raises(UsageError, match="batch=6"):
        check_batch(5, 3)
    with pytest.raises(UsageError, match="2 micro-batches each; --set batch=12"):
        check_batch(9, 3, 2)


@pytest.mark.parametrize(
    ("schedule", "share", "factor"),
    [("constant", 0.9, 1), ("halve", 0.59, 1), ("halve", 0.6, 0.5), ("halve", 0.8, 0.25)],
)
def test_rates_follow_the_papers(schedule, share, factor):
    config = Optimiser(rate=2.0, schedule=schedule)
    assert rate(config, int(1000 * share), 1000) == 2 * factor


def test_the_cosine_warms_up_and_ends_at_a_hundredth():
    config = Optimiser(rate=1.0, schedule="cosine", warmup_steps=10)
    assert rate(config, 0, 100) == pytest.approx(0.1)
    assert rate(config, 100, 100) == pytest.approx(0.01)


def test_unknown_settings_are_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"no setting 'epoch'; did you mean epochs"):
        Toy().changed(["epoch=3"])
    with pytest.raises(UsageError, match=r"optimiser\.rate"):
        Toy().changed(["optimiser.rte=3"])
    with pytest.raises(UsageError, match=r"epochs = 0 is wrong"):
        Toy().changed(["epochs=0"])
    with pytest.raises(UsageError, match="KEY=VALUE"):
        Toy().changed(["epochs"])
    with pytest.raises(UsageError, match="one value, not a group"):
        Toy().changed(["epochs.x=1"])


def test_settings_are_set_by_dotted_keys():
    changed = Toy().changed(["optimiser.rate=0.5", "epochs=2", "precision=bf16"])
    assert (changed.optimiser.rate, changed.epochs, changed.precision) == (0.5, 2, "bf16")
    assert changed.optimiser.clip_norm == 5


def test_recipes_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Toy().epochs = 3


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_other_files_are_no_checkpoints(tmp_path, content):
    path = tmp_path / "checkpoint.pt"
    if content is None:
        torch.save({"net": {}}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(UnreadableInputError, match=r"checkpoint\.pt"):
        read_checkpoint(path)


def test_a_missing_checkpoint_is_said_to_be_missing(tmp_path):
    with pytest.raises(UnreadableInputError, match="is not there"):
        read_checkpoint(tmp_path / "checkpoint.pt")


def test_convention_pictures_bright_is_near_grey_is_at_rest(tmp_path):
    ramp = pictures.nearness(torch.linspace(0, 1, 32)[None].repeat(4, 1)).astype(int).sum(2)
    assert ramp[0, -1] > ramp[0, 0]
    field = torch.zeros(3, 4, 6)
    field[0, :, :3] = -1
    drawn = pictures.motion(field)
    assert drawn[0, 0].tolist() == [0, 128, 128]
    assert drawn[0, 5].tolist() == [128, 128, 128]
    pictures.write_png(tmp_path / "a/motion.png", drawn)
    assert (cv2.imread(str(tmp_path / "a/motion.png"))[:, :, ::-1] == drawn).all()
