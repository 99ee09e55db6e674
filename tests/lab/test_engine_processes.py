"""Runs that are killed for real, runs of two processes, and the command as people start it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from pullfocus.errors import UsageError  # noqa: E402
from pullfocus.lab.cli import main  # noqa: E402
from pullfocus.lab.engine.metrics_log import read_rows  # noqa: E402
from pullfocus.lab.engine.processes import group_command  # noqa: E402

SMALL = [
    *("samples=rgbd", "hw=[32,48]", "unet_widths=[4,4,8,8]", "batch=2", "log_every=1"),
    *("optimiser.schedule=constant", "measure_every=100", "save_every=3"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """RGB-D frames whose depth follows their brightness."""
    root = tmp_path_factory.mktemp("rgbd")
    rng = np.random.default_rng(0)
    (root / "rgb").mkdir()
    (root / "depth_mm").mkdir()
    for n in range(12):
        grey = cv2.resize(rng.integers(0, 255, (3, 4), np.uint8), (48, 32))
        cv2.imwrite(str(root / f"rgb/{n:02d}.png"), np.repeat(grey[:, :, None], 3, 2))
        cv2.imwrite(str(root / f"depth_mm/{n:02d}.png"), 1000 + 10 * grey.astype(np.uint16))
    return root


def _arguments(folder, out, *more):
    changes = [word for change in (*SMALL, *more) for word in ("--set", change)]
    return ["train", "unet-tiny", "--data", str(folder), "--out", str(out), *changes]


def _start(arguments, **variables):
    command = [sys.executable, "-m", "pullfocus.lab", *arguments]
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"} | variables
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def _losses(out):
    return {row["step"]: row["loss"] for row in read_rows(out / "log.jsonl") if "loss" in row}


@pytest.fixture(scope="module")
def whole(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    torch.set_num_threads(1)
    assert main(_arguments(folder, out, "epochs=10")) == 0
    return out


def test_the_loss_falls(whole):
    losses = list(_losses(whole).values())
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:4])


def test_a_run_killed_by_the_system_goes_on_to_the_same_curve(folder, whole, tmp_path):
    process = _start(_arguments(folder, tmp_path, "epochs=100000"))
    try:
        while max(_losses(tmp_path), default=0) < 11 and process.poll() is None:
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    uninterrupted = _losses(whole)
    assert 11 <= max(_losses(tmp_path)) < max(uninterrupted)
    assert main(_arguments(folder, tmp_path, "epochs=10")) == 0
    assert _losses(tmp_path) == uninterrupted


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Stereo pairs of noise, 4 px apart."""
    root = tmp_path_factory.mktemp("pairs")
    rng = np.random.default_rng(0)
    for side in ("left", "right"):
        (root / side).mkdir()
    for n in range(5):
        wide = cv2.resize(rng.integers(0, 255, (16, 17, 3), np.uint8), (136, 128))
        cv2.imwrite(str(root / f"left/{n}.png"), wide[:, :128])
        cv2.imwrite(str(root / f"right/{n}.png"), wide[:, 4:132])
    return root


def test_two_processes_or_a_reading_process_take_the_steps_of_one(pairs, tmp_path):
    changes = ("samples=folder", "thin=16", "norm=false", "batch=2", "epochs=1", "log_every=1")
    words = [word for change in changes for word in ("--set", change)]
    arguments = ["train", "monodepth-tiny", "--data", str(pairs), *words, "--out"]
    process = _start([*arguments, str(tmp_path / "two"), "--devices", "2"])
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert "2 process(es)" in said
    torch.set_num_threads(1)
    assert main([*arguments, str(tmp_path / "one"), "--set", "workers=1"]) == 0
    one, two = _losses(tmp_path / "one"), _losses(tmp_path / "two")
    assert list(one) == [1, 2]
    assert two == pytest.approx(one, rel=1e-4)


def test_several_machines_meet_at_the_first():
    command = group_command(["train", "unet"], 8, 2, 1, "gpu0:29501")
    words = " ".join(command[1:])
    assert words.startswith("-m torch.distributed.run --nnodes 2 --nproc-per-node 8 --node-rank 1")
    assert words.endswith("--master-addr gpu0 --master-port 29501 -m -- pullfocus.lab train unet")


def test_torchrun_leaves_our_options_alone():
    """It takes the beginning of an option for the whole: --node, --start, --max..."""
    from torch.distributed.run import get_args_parser

    ours = ["train", "unet", "--node", "1", "--nodes", "2", "--start", "a.pt", "--meet", "h:1"]
    command = group_command(ours, 1, 2, 1, "h:1")
    read = get_args_parser().parse_args(command[3:])
    assert (read.training_script, read.training_script_args) == ("pullfocus.lab", ours)
    assert (read.node_rank, read.nnodes) == (1, "2")


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.skipif(
    "PULLFOCUS_LONG_TESTS" not in os.environ,
    reason="six processes that import torch take a minute on 2 cores; set PULLFOCUS_LONG_TESTS=1",
)
def test_two_machines_without_a_shared_folder_go_on_together(folder, tmp_path):
    """The first machine's checkpoint is everybody's; alone, the second would begin anew."""
    outs = [tmp_path / "machine 0", tmp_path / "machine 1"]
    torch.set_num_threads(1)
    assert main(_arguments(folder, outs[0], "epochs=1")) == 0
    meet = f"127.0.0.1:{_free_port()}"
    where = ["--nodes", "2", "--devices", "1", "--meet", meet]
    machines = [
        _start([*_arguments(folder, out, "epochs=2"), *where, "--node", str(node)])
        for node, out in enumerate(outs)
    ]
    try:
        said = [machine.communicate(timeout=240)[1] for machine in machines]
    finally:
        for machine in machines:
            machine.kill()
    assert [machine.returncode for machine in machines] == [0, 0], said
    steps = list(_losses(outs[0]))
    assert steps == list(range(1, len(steps) + 1))
    assert "2 process(es)" in said[0]
    assert not (outs[1] / "checkpoint.pt").exists()


def test_several_machines_without_a_place_to_meet_are_refused():
    with pytest.raises(UsageError, match="--meet"):
        group_command(["train", "unet"], 8, 2, 0, None)


def test_without_torch_the_verb_says_what_to_install():
    program = "import sys; sys.modules['torch'] = None; import pullfocus.cli as c; c.main()"
    command = [sys.executable, "-c", program, "lab", "train", "unet-tiny"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "pip install 'pullfocus[lab]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_failure_is_one_sentence(tmp_path):
    command = [sys.executable, "-m", "pullfocus", "lab", "train", "unet-tiny", "--set", "rums=3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "no setting 'rums'; did you mean rooms" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_settings_of_a_run_are_kept(whole):
    said = json.loads((whole / "recipe.json").read_text())
    assert (said["kind"], said["epochs"], said["hw"]) == ("supervised", 10, [32, 48])
