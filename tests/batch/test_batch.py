"""A folder of 50 photos with one broken: 49 results, a table of failures, exit code 1."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pullfocus.batch import plan_jobs, refocus_many
from pullfocus.cli import main
from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.photo import save
from pullfocus.pipeline import Settings, Sidecar
from pullfocus.types import DepthMap, Photo


def fill(folder, count, size_hw=(24, 32)):
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 255, (*size_hw, 3), np.uint8)
        save(Photo.from_array(pixels), folder / f"photo{index:02}.png")


@pytest.fixture
def quick_depth(monkeypatch):
    """A ramp instead of the network, where the test is about something else."""

    def estimate_depth(photo, model=None, *, refine=True, uncertainty=False):
        row = np.linspace(0, 1, photo.width, dtype=np.float32)
        return DepthMap(np.tile(row, (photo.height, 1)))

    monkeypatch.setattr("pullfocus.depth.estimate_depth", estimate_depth)


def jobs_for(paths, output=None, **given):
    return plan_jobs(paths, output, Sidecar(Settings()), given)


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_fifty_photos_with_one_broken(tmp_path, capsys, quick_depth):
    fill(tmp_path, 50)
    (tmp_path / "photo17.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    code, out, err = cli(capsys, tmp_path, "--at", "0.5,0.5", "--json")
    answer = json.loads(out)
    assert code == 1
    assert (answer["done"], answer["failed"], answer["skipped"]) == (49, 1, 0)
    assert len(list(tmp_path.glob("*.refocused.png"))) == 49
    assert "photo17.png" in err
    assert "1 of 50 failed" in err

    code, out, err = cli(capsys, tmp_path, "--at", "0.5,0.5", "--json")
    answer = json.loads(out)
    assert code == 1
    assert (answer["done"], answer["failed"], answer["skipped"]) == (0, 1, 49)
    assert "49 skipped" in err
    assert not list(tmp_path.glob(".*"))


def test_a_second_run_does_what_is_left(tmp_path, capsys):
    fill(tmp_path, 3)
    assert cli(capsys, tmp_path, "-o", tmp_path / "out")[0] == 0
    first = tmp_path / "out" / "photo01.refocused.png"
    first.unlink()
    code, _, err = cli(capsys, tmp_path, "-o", tmp_path / "out")
    assert code == 0
    assert first.is_file()
    assert "2 skipped" in err
    code, _, err = cli(capsys, tmp_path, "-o", tmp_path / "out", "--overwrite")
    assert "skipped" not in err


def test_a_picture_that_cannot_be_written_leaves_nothing_beside_it(tmp_path, capsys, quick_depth):
    """Else the next run would stumble over its depth, or take the photo as done."""
    fill(tmp_path, 2)
    blocked = tmp_path / "out" / "photo01.refocused.png"
    blocked.mkdir(parents=True)
    given = [tmp_path, "-o", tmp_path / "out", "--save-depth", "--save-settings", "--overwrite"]
    assert cli(capsys, *given)[0] == 1
    assert not list((tmp_path / "out").glob("photo01*.depth.png"))
    assert len(list((tmp_path / "out").iterdir())) == 4
    blocked.rmdir()
    assert cli(capsys, *given[:-1])[0] == 0
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_colliding_outputs_keep_their_suffix(tmp_path):
    paths = [tmp_path / "cat.png", tmp_path / "cat.jpg", tmp_path / "dog.png"]
    names = [job.output.name for job in jobs_for(paths, format="jpeg")]
    assert names == ["cat.png.refocused.jpg", "cat.jpg.refocused.jpg", "dog.refocused.jpg"]


def test_photos_of_one_name_from_two_folders_get_an_output_each(tmp_path):
    """As cameras number them: 100CANON/IMG_1.JPG and 101CANON/IMG_1.JPG."""
    paths = [tmp_path / "x" / "cat.jpg", tmp_path / "y" / "cat.jpg", tmp_path / "y" / "dog.jpg"]
    names = [job.output.name for job in jobs_for(paths, tmp_path / "out")]
    assert names == ["x.cat.jpg.refocused.jpg", "y.cat.jpg.refocused.jpg", "dog.refocused.jpg"]


def test_photos_of_one_stem_get_a_sidecar_and_a_depth_map_each(tmp_path, capsys, quick_depth):
    fill(tmp_path, 1)
    save(Photo.from_array(np.full((24, 32, 3), 90, np.uint8)), tmp_path / "photo00.jpg")
    code, out, _ = cli(capsys, tmp_path, "--save-settings", "--save-depth", "--json")
    results = json.loads(out)["results"]
    assert code == 0
    assert [item["photo"] for item in results] == [
        str(tmp_path / name) for name in ("photo00.jpg", "photo00.png")
    ]
    for name in ("photo00.jpg", "photo00.png"):
        sidecar = json.loads((tmp_path / f"{name}.pullfocus.json").read_text())
        assert sidecar["record"]["photo"] == name
        assert (tmp_path / f"{name}.depth.png").is_file()


def test_outputs_of_an_earlier_run_are_not_refocused_again(tmp_path, capsys, quick_depth):
    """`pullfocus *.png` twice: the shell names the first run's outputs too."""
    fill(tmp_path, 2)
    assert cli(capsys, *sorted(tmp_path.glob("*.png")))[0] == 0
    code, _, err = cli(capsys, *sorted(tmp_path.glob("*.png")))
    assert code == 0
    assert "2 skipped" in err
    assert len(list(tmp_path.iterdir())) == 4


def test_a_sidecar_moves_to_other_photos_without_its_plane(tmp_path):
    sidecar = Sidecar(Settings(at=(0.1, 0.2), focus_disparity=0.7), {"photo": "a.png"})
    own, other = plan_jobs([tmp_path / "a.png", tmp_path / "b.png"], None, sidecar, {})
    assert own.settings.focus_disparity == 0.7
    assert (other.settings.focus_disparity, other.settings.at) == (None, (0.1, 0.2))


def test_many_photos_need_a_folder(tmp_path):
    (tmp_path / "out.png").write_bytes(b"")
    with pytest.raises(UsageError, match="folder"):
        jobs_for([tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "out.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((UsageError, CannotWriteError)):
        jobs_for([tmp_path / "a.png"], tmp_path / "file" / "under/")


def test_a_bug_in_one_photo_does_not_stop_the_others(tmp_path, monkeypatch, quick_depth):
    fill(tmp_path, 3)
    from pullfocus.batch import run

    real = run.apply

    def apply(photo, settings, **options):
        if photo.metadata.path.name == "photo01.png":
            raise ZeroDivisionError("boom")
        return real(photo, settings, **options)

    monkeypatch.setattr(run, "apply", apply)
    report = refocus_many(jobs_for(sorted(tmp_path.glob("*.png")), at="0.5,0.5"))
    assert (len(report.done), len(report.failed)) == (2, 1)
    assert "report it" in str(report.failed[0].error)
    assert isinstance(report.failed[0].error.__cause__, ZeroDivisionError)


def test_the_next_photo_is_read_while_this_one_is_rendered(tmp_path, monkeypatch, quick_depth):
    import threading

    from pullfocus.batch import run

    fill(tmp_path, 2)
    both, real = threading.Event(), run._read
    reads, ahead = [], []

    def read(job, overwrite):
        reads.append(job.photo)
        if len(reads) == 2:
            both.set()
        return real(job, overwrite)

    def apply(photo, settings, *, progress, real=run.apply):
        ahead.append(both.wait(timeout=20))
        return real(photo, settings, progress=progress)

    monkeypatch.setattr(run, "_read", read)
    monkeypatch.setattr(run, "apply", apply)
    assert len(refocus_many(jobs_for(sorted(tmp_path.glob("*.png")), at="0.5,0.5")).done) == 2
    assert ahead == [True, True]


def test_memory_is_bounded(tmp_path, quick_depth):
    """At most three photos are alive at once: read ahead, rendered, written."""
    import gc

    fill(tmp_path, 8)
    alive = []

    def count():
        gc.collect()
        alive.append(sum(type(thing) is Photo for thing in gc.get_objects()))

    before = sum(type(thing) is Photo for thing in gc.get_objects())
    refocus_many(jobs_for(sorted(tmp_path.glob("*.png")), at="0.5,0.5"), finished=count)
    assert max(alive) - before <= 8  # each is a source, an image and their views


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    fill(tmp_path, 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pullfocus.files.os.fsync", full, raising=False)
    monkeypatch.setattr("pullfocus.files.os.replace", full, raising=False)
    report = refocus_many(jobs_for([tmp_path / "photo00.png"], at="0.5,0.5"))
    assert [item.error.exit_code for item in report.failed] == [5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo00.png"]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_leaves_no_half_file(tmp_path):
    fill(tmp_path, 40, (300, 400))
    process = subprocess.Popen(
        [sys.executable, "-m", "pullfocus", str(tmp_path), "--at", "0.5,0.5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.refocused.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    from pullfocus.photo import load

    made = list(tmp_path.glob("*.refocused.png"))
    assert 0 < len(made) < 40
    assert all(load(path).size_hw == (300, 400) for path in made)
    others = {path.name for path in tmp_path.iterdir() if not path.name.startswith("photo")}
    assert others == set()
