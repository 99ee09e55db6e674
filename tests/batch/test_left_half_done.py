"""What killed runs, second processes and odd folders leave: the next run loses nothing."""

import json
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from pullfocus import files
from pullfocus.batch import plan_jobs, refocus_many, run
from pullfocus.cli import main
from pullfocus.errors import CannotWriteError
from pullfocus.photo import save
from pullfocus.pipeline import Settings, Sidecar
from pullfocus.types import DepthMap, Photo

posix = pytest.mark.skipif(os.name == "nt", reason="permissions, links and locks of POSIX")
LEFT = ["--save-depth", "--save-settings", "--at", "0.5,0.5"]


@pytest.fixture(autouse=True)
def quick_depth(monkeypatch):
    """A ramp instead of the network."""

    def estimate_depth(photo, model=None, *, refine=True, uncertainty=False):
        row = np.linspace(0, 1, photo.width, dtype=np.float32)
        return DepthMap(np.tile(row, (photo.height, 1)))

    monkeypatch.setattr("pullfocus.depth.estimate_depth", estimate_depth)


def fill(folder, count=3):
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 255, (24, 32, 3), np.uint8)
        save(Photo.from_array(pixels), folder / f"photo{index:02}.png")


def cli(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def jobs_for(folder, output=None, **options):
    given = {"at": "0.5,0.5"}
    return plan_jobs(sorted(folder.glob("*.png")), output, Sidecar(Settings()), given, **options)


@pytest.mark.parametrize(
    "lost", [["depth.png"], ["pullfocus.json"], ["depth.png", "pullfocus.json"]]
)
def test_depth_maps_and_sidecars_without_a_picture_are_made_anew(tmp_path, capsys, lost):
    fill(tmp_path)
    out = tmp_path / "out"
    assert cli(capsys, tmp_path, "-o", out, *LEFT)[0] == 0
    (out / "photo01.refocused.png").unlink()
    for ending in {"depth.png", "pullfocus.json"} - set(lost):
        (out / f"photo01.{ending}").unlink()
    code, told, _ = cli(capsys, tmp_path, "-o", out, *LEFT, "--json")
    answer = json.loads(told)
    assert code == 0
    assert (answer["done"], answer["skipped"]) == (1, 2)
    assert len(list(out.iterdir())) == 9


def test_files_of_other_people_are_not_taken_for_leftovers(tmp_path, capsys):
    fill(tmp_path)
    theirs = {"photo00.depth.png": b"a map of mine", "photo01.pullfocus.json": b'{"f_number": 2}'}
    for name, content in theirs.items():
        (tmp_path / name).write_bytes(content)
    code, told, _ = cli(capsys, tmp_path, *LEFT, "--json")
    assert code == 1
    assert json.loads(told)["failed"] == 2
    for name, content in theirs.items():
        assert (tmp_path / name).read_bytes() == content
    assert not (tmp_path / "photo00.pullfocus.json").exists()


def test_another_photos_sidecar_is_not_taken_for_a_leftover(tmp_path, capsys):
    fill(tmp_path)
    assert cli(capsys, tmp_path / "photo00.png", "--at", "0.5,0.5", "--save-settings")[0] == 0
    (tmp_path / "photo00.pullfocus.json").rename(tmp_path / "photo02.pullfocus.json")
    assert cli(capsys, tmp_path, *LEFT)[0] == 1
    sidecar = json.loads((tmp_path / "photo02.pullfocus.json").read_text())
    assert sidecar["record"]["photo"] == "photo00.png"


@pytest.mark.parametrize("moment", ["before reading", "while rendering"])
def test_what_another_process_made_meanwhile_is_skipped(tmp_path, monkeypatch, moment):
    fill(tmp_path)
    out = tmp_path / "out"
    jobs = jobs_for(tmp_path, out, save_depth=True, save_settings=True)
    other = jobs[1]

    def make():
        if not other.output.exists():
            refocus_many([other])

    if moment == "before reading":
        real_read = run._read

        def read(job, rules):
            if job == other and rules.resume:
                make()
            return real_read(job, rules)

        monkeypatch.setattr(run, "_read", read)
    else:
        real_write = run._write

        def write(job, result, rules):
            if job == other and rules.resume:
                make()
            return real_write(job, result, rules)

        monkeypatch.setattr(run, "_write", write)
    report = refocus_many(jobs)
    assert (len(report.done), len(report.skipped), len(report.failed)) == (2, 1, 0)
    assert report.skipped == [other]
    assert len(list(out.iterdir())) == 9


def test_a_picture_made_between_depth_and_picture_keeps_its_depth(tmp_path, monkeypatch):
    """The one that comes second must not take away what the first has finished."""
    fill(tmp_path)
    jobs = jobs_for(tmp_path, tmp_path / "out", save_depth=True)
    real = run._write_picture

    def write_picture(job, result, rules):
        if job == jobs[0] and rules.resume:
            real(job, result, rules)  # as the other process
        real(job, result, rules)

    monkeypatch.setattr(run, "_write_picture", write_picture)
    report = refocus_many(jobs)
    assert (len(report.done), len(report.skipped), len(report.failed)) == (2, 1, 0)
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_two_processes_on_one_folder_both_end_well(tmp_path):
    fill(tmp_path, 8)
    np.save(tmp_path / "ramp.npy", np.tile(np.linspace(0, 1, 32, dtype=np.float32), (24, 1)))
    code = (
        "from pullfocus.cli import main; import pullfocus.depth as d; import numpy as n;"
        "from pullfocus.types import DepthMap;"
        "d.estimate_depth = lambda photo, model=None, **_: DepthMap("
        "n.tile(n.linspace(0, 1, photo.width, dtype=n.float32), (photo.height, 1)));"
        f"main([{str(tmp_path)!r}, '-o', {str(tmp_path / 'out')!r}, '--at', '0.5,0.5', "
        "'--save-depth', '--json'])"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [json.loads(process.communicate(timeout=300)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(answer["failed"] == 0 for answer in answers)
    assert sum(answer["done"] for answer in answers) >= 8
    assert len(list((tmp_path / "out").iterdir())) == 16


@posix
def test_hidden_part_files_are_removed_and_others_stay(tmp_path, capsys):
    fill(tmp_path)
    ours = tmp_path / ".photo01.refocused.png.0123abcd.part"
    depth = tmp_path / ".photo02.depth.png.ffffffff.part"
    others = [
        tmp_path / name
        for name in (".photo09.refocused.png.0123abcd.part", ".photo01.refocused.png.part")
    ]
    for path in (ours, depth, *others):
        path.write_bytes(b"half")
    assert cli(capsys, tmp_path, *LEFT)[0] == 0
    assert not ours.exists()
    assert not depth.exists()
    assert all(path.read_bytes() == b"half" for path in others)


@posix
def test_a_part_that_is_being_written_stays(tmp_path, monkeypatch):
    target, inside, go_on = tmp_path / "cat.png", threading.Event(), threading.Event()
    real = files.os.replace

    def replace(source, path):
        inside.set()
        assert go_on.wait(timeout=30)
        real(source, path)

    monkeypatch.setattr(files.os, "replace", replace)
    writer = threading.Thread(target=files.write_whole, args=(target, b"whole"))
    writer.start()
    assert inside.wait(timeout=30)
    files.remove_leftovers([target])
    assert len(list(tmp_path.glob(".cat.png.*.part"))) == 1
    go_on.set()
    writer.join()
    assert target.read_bytes() == b"whole"
    assert os.listdir(tmp_path) == ["cat.png"]


@posix
@pytest.mark.parametrize(("given", "found"), [(0o600, 0o600), (0o640, 0o640), (0o444, 0o644)])
def test_nobody_reads_an_output_who_may_not_read_the_photo(tmp_path, capsys, given, found):
    fill(tmp_path)
    for photo in tmp_path.glob("*.png"):
        photo.chmod(given)
    before = os.umask(0o022)
    try:
        assert cli(capsys, tmp_path, "-o", tmp_path / "out", *LEFT)[0] == 0
        assert cli(capsys, "depth", tmp_path, "-o", tmp_path / "maps", "--preview")[0] == 0
        assert cli(capsys, "graded", tmp_path / "photo00.png", "--at", "0.5,0.5")[0] == 0
    finally:
        os.umask(before)
    made = [*(tmp_path / "out").iterdir(), *(tmp_path / "maps").iterdir()]
    made += [tmp_path / f"photo00_{end}" for end in ("disp.npy", "disp.png", "defocus.png")]
    assert len(made) == 9 + 6 + 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {found}


@posix
def test_a_private_output_stays_private_when_it_is_replaced(tmp_path, capsys):
    fill(tmp_path, 1)
    out = tmp_path / "out.png"
    out.write_bytes(b"")
    out.chmod(0o600)
    assert (
        cli(capsys, tmp_path / "photo00.png", "-o", out, "--at", "0.5,0.5", "--overwrite")[0] == 0
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_folder_that_takes_no_files_is_told_before_the_photo_is_read(tmp_path, monkeypatch):
    fill(tmp_path)
    jobs = jobs_for(tmp_path, tmp_path / "out")
    (tmp_path / "out").rmdir()
    monkeypatch.setattr("pullfocus.photo.load", lambda *_, **__: pytest.fail("was read"))
    report = refocus_many(jobs)
    assert [type(item.error) for item in report.failed] == [CannotWriteError] * 3
    assert "does not exist" in str(report.failed[0].error)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="Linux")
def test_proc_takes_no_new_files(tmp_path, capsys):
    fill(tmp_path)
    for place in ("/proc", "/proc/new/folder"):
        code, _, err = cli(capsys, tmp_path, "-o", place, "--at", "0.5,0.5")
        assert code in (1, 5), err
        assert "/proc" in err
        assert "does not exist" not in err
        assert "bug" not in err


@posix
def test_links_that_lead_nowhere_or_round(tmp_path, capsys):
    fill(tmp_path)
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    photos = [tmp_path / "photo00.png", tmp_path / "photo01.png"]
    cases = [
        ([photos[0], "-o", tmp_path / "a.png"], "loop"),
        ([photos[0], "-o", tmp_path / "a.png", "--overwrite"], "loop"),
        ([*photos, "-o", tmp_path / "round"], "leads nowhere"),
        ([*photos, "-o", tmp_path / "round" / "in"], "symbolic links"),
        ([*photos, "-o", tmp_path / "gone"], "leads nowhere"),
        (["depth", *photos, "-o", tmp_path / "round"], "leads nowhere"),
        (["depth", photos[0], "-o", tmp_path / "a.png"], "loop"),
    ]
    for arguments, words in cases:
        code, _, err = cli(capsys, *arguments)
        assert code == 5, err
        assert words in err, err
        assert "bug" not in err
    assert (tmp_path / "a.png").is_symlink()
