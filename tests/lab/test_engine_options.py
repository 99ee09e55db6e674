"""What every recipe can ask of the engine: averages, mixed sources, micro-batches, the best."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from torch import nn  # noqa: E402

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.lab.engine.checkpoint import read_checkpoint, resumable  # noqa: E402
from pullfocus.lab.engine.loop import Run, Trainer, train  # noqa: E402
from pullfocus.lab.engine.metrics_log import logger_named, read_rows  # noqa: E402
from pullfocus.lab.engine.mixer import SourceMixture, interleaved  # noqa: E402
from pullfocus.lab.engine.recipe import Count, Optimiser, Recipe, build_optimiser  # noqa: E402
from pullfocus.lab.engine.sampler import Order, read_batches  # noqa: E402
from pullfocus.lab.engine.start import begin_with  # noqa: E402
from pullfocus.lab.engine.system import DepthGraph, System  # noqa: E402
from pullfocus.lab.engine.weight_average import WeightAverage, measure_norms  # noqa: E402


class Line(System):
    """y = w x + b behind a norm."""

    def __init__(self, with_norm):
        super().__init__()
        self.norm = nn.BatchNorm1d(3) if with_norm else nn.Identity()
        self.layer = nn.Linear(3, 1)

    def predict(self, batch, step):
        return {"y": self.layer(self.norm(batch["x"]))[:, 0]}

    def losses(self, prediction, batch, step):
        return {"square": (prediction["y"] - batch["y"]).square().mean()}

    def scores(self, batch):
        return {"error": float((self.predict(batch, 0)["y"] - batch["y"]).abs().mean())}

    def pictures(self, batch):
        return {"x": np.zeros((4, 4, 3), np.uint8)}

    def depth_graph(self):
        return DepthGraph(self.layer, "relative disparity", (1, 1), 1)


class Points:
    """Points x about a centre, y = their sum."""

    def __init__(self, count, centre=0.0):
        self.count, self.centre = count, centre

    def __len__(self):
        return self.count

    def draw(self, index, rng):
        x = torch.from_numpy(np.random.default_rng(index).normal(self.centre, 1, 3)).float()
        return {"x": x, "y": x.sum(), "from": torch.tensor(self.centre)}


class Fit(Recipe):
    kind: str = "fit"
    epochs: Count = 4
    batch: Count = 8
    log_every: Count = 1
    save_every: Count = 3
    optimiser: Optimiser = Optimiser(rate=0.05)
    with_norm: bool = False

    def build(self):
        return Line(self.with_norm)

    def sources(self, data, cache=None):
        return Points(32, 2.0), Points(8, 2.0)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def _losses(out):
    return [row["loss"] for row in read_rows(out / "log.jsonl") if "loss" in row]


def test_micro_batches_take_the_steps_of_whole_batches(tmp_path):
    for parts in (1, 4):
        train(Run("fit", Fit(accumulate=parts), None, tmp_path / str(parts)))
    assert _losses(tmp_path / "4") == pytest.approx(_losses(tmp_path / "1"), rel=1e-4)
    assert len(_losses(tmp_path / "4")) == 16


def test_a_run_can_end_between_epochs_and_go_on(tmp_path):
    train(Run("fit", Fit(), None, tmp_path / "whole"))
    train(Run("fit", Fit(steps=6), None, tmp_path / "parts"))
    assert read_checkpoint(tmp_path / "parts/checkpoint.pt").step == 6
    train(Run("fit", Fit(), None, tmp_path / "parts"))
    assert _losses(tmp_path / "parts") == _losses(tmp_path / "whole")


def test_the_average_follows_the_weights_slowly():
    """Source of the expected values: Tarvainen and Valpola's recursion by hand."""
    system = Line(False)
    average = WeightAverage(system, 0.9)
    begun = system.layer.bias.item()
    with torch.no_grad():
        system.layer.bias.fill_(10.0)
    average.update(system)
    kept = 2 / 11
    assert average.weights["layer.bias"].item() == pytest.approx(kept * begun + (1 - kept) * 10)


def test_averaged_weights_get_norms_of_their_own_and_training_goes_on_untouched():
    system = Line(True)
    average = WeightAverage(system, 0.9)
    batch = {"x": 5 + 2 * torch.randn(64, 3), "y": torch.zeros(64)}
    before = {name: value.clone() for name, value in system.state_dict().items()}
    average.weights["layer.bias"].fill_(7.0)
    with average.in_place(system, [batch, batch], 0):
        assert system.layer.bias.item() == 7
        torch.testing.assert_close(system.norm.running_mean, batch["x"].mean(0))
        torch.testing.assert_close(system.norm.running_var, batch["x"].var(0))
    torch.testing.assert_close(system.state_dict(), before)
    assert system.norm.momentum == 0.1


def test_frozen_norms_are_not_measured():
    system = Line(True)
    system.norm.eval()
    measure_norms(system, [{"x": 5 + torch.randn(8, 3), "y": torch.zeros(8)}], 0)
    assert system.norm.running_mean.tolist() == [0, 0, 0]


def test_what_is_scored_is_what_the_checkpoint_exports(tmp_path):
    recipe = Fit(with_norm=True, ema=0.8, best_score="error")
    scores = train(Run("fit", recipe, None, tmp_path))
    found = read_checkpoint(tmp_path / "checkpoint.pt")
    used, trained = Line(True), Line(True)
    used.load_state_dict(found.system_as_used())
    trained.load_state_dict(found.system)
    held_out = torch.utils.data.default_collate([Points(8, 2.0).draw(i, None) for i in range(8)])
    for system in (used, trained):
        system.eval().requires_grad_(False)
    assert used.scores(held_out)["error"] == pytest.approx(scores["error"])
    assert trained.scores(held_out)["error"] != pytest.approx(scores["error"])
    fresh = Line(True)
    begin_with(fresh, tmp_path / "checkpoint.pt")
    torch.testing.assert_close(fresh.state_dict(), used.state_dict())


def test_a_killed_run_with_an_average_goes_on_to_the_same_state(tmp_path, monkeypatch):
    recipe = Fit(with_norm=True, ema=0.8, ema_every=2, best_score="error")
    train(Run("fit", recipe, None, tmp_path / "whole"))

    class Killed(BaseException):
        pass

    def die(self, micro_batches):
        if self.step == 8:
            raise Killed
        return learn(self, micro_batches)

    learn = Trainer._learn
    monkeypatch.setattr(Trainer, "_learn", die)
    with pytest.raises(Killed):
        train(Run("fit", recipe, None, tmp_path / "parts"))
    monkeypatch.setattr(Trainer, "_learn", learn)
    train(Run("fit", recipe, None, tmp_path / "parts"))
    one, other = (read_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("whole", "parts"))
    torch.testing.assert_close(one.average, other.average, rtol=0, atol=0)
    assert one.best == other.best
    assert _losses(tmp_path / "whole") == _losses(tmp_path / "parts")


@pytest.mark.parametrize(("best_is", "choose"), [("smallest", min), ("largest", max)])
def test_the_best_state_is_kept(tmp_path, best_is, choose):
    recipe = Fit(best_score="error", best_is=best_is, optimiser=Optimiser(rate=2.0))
    train(Run("fit", recipe, None, tmp_path))
    rows = [row for row in read_rows(tmp_path / "log.jsonl") if "error" in row]
    best = read_checkpoint(tmp_path / "best.pt")
    assert best.best == choose(row["error"] for row in rows)
    assert best.step == choose(rows, key=lambda row: row["error"])["step"]


def test_a_best_score_that_is_none_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(UsageError, match=r"best_score = 'delta1' is no score .* error"):
        train(Run("fit", Fit(best_score="delta1"), None, tmp_path))


def test_norms_over_processes_need_gpus(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UsageError, match="sync_norms needs GPUs"):
        train(Run("fit", Fit(sync_norms=True), None, tmp_path))


def test_weight_decay_can_leave_biases_and_norms_alone():
    config = Optimiser(name="adamw", weight_decay=0.1, decayed="kernels", beta2=0.9)
    optimiser = build_optimiser(config, Line(True))
    kernels, others = optimiser.param_groups
    assert [p.ndim for p in kernels["params"]] == [2]
    assert len(others["params"]) == 3
    assert (kernels["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert kernels["betas"] == (0.9, 0.9)


def test_loggers_get_every_number_and_picture(tmp_path):
    seen = {"rows": [], "pictures": [], "closed": 0}

    class Logger:
        def row(self, step, values):
            seen["rows"].append((step, dict(values)))

        def picture(self, step, name, rgb):
            seen["pictures"].append((step, name, rgb.shape))

        def close(self):
            seen["closed"] += 1

    def open_logger(folder, settings, step):
        seen["opened"] = (folder, settings["kind"], step)
        return Logger()

    train(Run("fit", Fit(epochs=1), None, tmp_path, loggers=(open_logger,)))
    assert seen["opened"] == (tmp_path, "fit", 0)
    assert [step for step, values in seen["rows"] if "square" in values] == [1, 2, 3, 4]
    assert [step for step, values in seen["rows"] if "error" in values] == [0, 4]
    assert seen["pictures"] == [(0, "x", (4, 4, 3)), (4, "x", (4, 4, 3))]
    assert seen["closed"] == 1


def test_loggers_are_found_by_name():
    assert logger_named("json:dumps") is json.dumps
    for name in ("json", "json:missing", "no_such_module:f"):
        with pytest.raises(UsageError, match=f"--logger {name} names no function"):
            logger_named(name)


def _mixture(batch=5):
    sources = {"a": Points(7, 1.0), "b": Points(4, 2.0)}
    return SourceMixture(sources, {"a": 3, "b": 2}, batch, 20, seed=1)


def test_a_mixture_keeps_its_shares_in_every_batch():
    order = Order(20, 5, 1, 0, 6, stream=True)
    for batch in read_batches(_mixture(), order, 0):
        assert sorted(batch["from"].tolist()) == [1, 1, 1, 2, 2]
    assert [name for name, _ in interleaved({"a": 3, "b": 2})] == ["a", "b", "a", "b", "a"]


def test_a_mixture_shows_every_sample_of_a_part_once_in_its_epoch():
    mixture = _mixture()
    located = [mixture.locate(number) for number in range(50)]
    of_a = [index for name, index in located if name == "a"]
    assert len(of_a) == 30
    epochs = [of_a[start : start + 7] for start in range(0, 28, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    again = _mixture()
    assert [again.locate(number) for number in reversed(range(50))] == located[::-1]


def test_processes_and_micro_batches_share_a_stream_without_overlap():
    whole = [key for keys in Order(20, 8, 1, 2, 5, stream=True) for key in keys]
    assert whole == [(0, number) for number in range(16, 40)]
    parts = [
        key
        for rank in (0, 1)
        for keys in Order(20, 8, 1, 2, 5, rank, 2, micro_batches=2, stream=True)
        for key in keys
    ]
    assert sorted(parts) == whole
    order = Order(20, 8, 1, 0, 3, micro_batches=4)
    assert len(order) == len(list(order)) == 12


def test_runs_of_a_version_without_these_settings_go_on(tmp_path):
    train(Run("fit", Fit(epochs=1), None, tmp_path))
    path = tmp_path / "checkpoint.pt"
    state = torch.load(path, weights_only=True)
    for name in ("ema", "steps", "accumulate", "best_score"):
        del state["settings"][name]
    del state["average"], state["best"]
    torch.save(state, path)
    assert resumable(path, "fit", Fit(epochs=2)).step == 4
    with pytest.raises(UsageError, match=r"ema None not 0\.9"):
        resumable(path, "fit", Fit(ema=0.9))
