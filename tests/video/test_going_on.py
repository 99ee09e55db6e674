"""Long and interrupted videos: flat memory, Ctrl-C leaves a file that plays, --resume goes on."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from dataclasses import replace

import pytest

from pullfocus.errors import CannotWriteError, UsageError
from pullfocus.video import file_job
from pullfocus.video.file_job import pull_focus
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.media.resume import PartWriter

from .conftest import UNEVEN
from .test_kept import FAR, SHARP


def job(clip, **changes):
    options = FrameOptions(SHARP, FAR, every=100)
    return VideoJob(clip, clip.with_name("out.mp4"), options, **changes)


def stopped_after(count):
    """Return an event and a callback that sets it after `count` frames."""
    stop = threading.Event()

    def told(done, total):
        if done >= count:
            stop.set()

    return {"stop": stop, "told": told}


@pytest.fixture
def short_parts(monkeypatch):
    monkeypatch.setattr(file_job, "PART_FRAMES", 3)


def test_parts_join_without_a_seam(make_clip, facts, short_parts):
    """Parts are encoded alone, with reordered frames; times must come out as they went in."""
    clip = make_clip(times=UNEVEN)
    pull_focus(job(clip))
    before, after = facts(clip), facts(job(clip).output)
    assert after.times == before.times
    assert after.copied == before.copied
    assert sorted(path.name for path in clip.parent.iterdir()) == ["clip.mp4", "out.mp4"]


def test_stopping_leaves_a_file_that_plays_and_resuming_the_same_as_never_stopping(
    make_clip, facts, short_parts
):
    clip = make_clip(times=UNEVEN)
    report = pull_focus(job(clip), **stopped_after(4))
    half = facts(job(clip).output)
    whole = facts(clip)
    assert report.stopped
    assert half.times == whole.times[:4]
    assert 0 < len(half.copied["audio"]) < len(whole.copied["audio"])

    report = pull_focus(job(clip, resume=True))
    resumed = facts(job(clip).output)
    assert not report.stopped
    assert report.frames == len(UNEVEN)
    assert resumed.times == whole.times
    assert resumed.copied["audio"] == whole.copied["audio"]
    assert not job(clip).parts_folder.exists()


def test_resuming_with_other_settings_is_refused(make_clip, short_parts):
    clip = make_clip(audio=None)
    pull_focus(job(clip), **stopped_after(3))
    other = FrameOptions(SHARP.changed(blades=7), FAR, every=100)
    with pytest.raises(UsageError, match="other settings"):
        pull_focus(VideoJob(clip, job(clip).output, other, resume=True))


def test_a_killed_run_goes_on_from_its_last_whole_part(make_clip, facts, short_parts):
    clip = make_clip(times=UNEVEN, audio=None)
    pull_focus(job(clip), **stopped_after(7))
    folder = job(clip).parts_folder
    (folder / "000002.json").unlink()  # as if it had been killed while the third was written
    job(clip).output.unlink()
    pull_focus(job(clip, resume=True))
    assert facts(job(clip).output).times == facts(clip).times


def test_a_full_disk_is_a_sentence_and_what_is_done_stays(
    make_clip, facts, short_parts, monkeypatch
):
    clip = make_clip(times=UNEVEN, audio=None)
    write = PartWriter.write

    def full(self, packets):
        if self.path.stem == "000001":
            raise CannotWriteError("no space left") from None
        write(self, packets)

    with monkeypatch.context() as patched:
        patched.setattr(PartWriter, "write", full)
        with pytest.raises(CannotWriteError, match="no space"):
            pull_focus(job(clip))
    assert not job(clip).output.exists()
    pull_focus(job(clip, resume=True))
    assert facts(job(clip).output).times == facts(clip).times


def test_a_folder_that_cannot_be_written_is_named(make_clip, tmp_path):
    clip = make_clip(audio=None)
    job(clip).parts_folder.write_bytes(b"in the way")
    with pytest.raises(CannotWriteError, match="parts"):
        pull_focus(job(clip))


def test_stopped_in_the_first_of_two_passes_nothing_is_written(make_clip):
    clip = make_clip(audio=None)
    stop, counted = threading.Event(), []

    def told(done, total):
        counted.append((done, total))
        if done == 3:
            stop.set()

    two = job(clip)
    two = replace(two, options=replace(two.options, two_pass=True))
    report = pull_focus(two, stop=stop, told=told)
    assert (report.frames, report.stopped, len(counted)) == (0, True, 3)
    assert "nothing new is written" in report.notes[0]
    assert not two.output.exists()
    assert not two.parts_folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_leaves_a_file_that_plays(make_clip, facts):
    clip = make_clip(times=range(0, 400 * 512, 512), audio=None)
    output = clip.with_name("out.mp4")
    command = [
        sys.executable,
        "-m",
        "pullfocus",
        "video",
        clip,
        "-o",
        output,
        "--focus-at",
        ".5,.6",
    ]
    process = subprocess.Popen(
        [*map(str, command), "--f-number", "256", "--no-refine", "--every", "100"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    parts = VideoJob(clip, output).parts_folder
    wait_for(lambda: any(path.stat().st_size for path in parts.glob("*.bin")), process)
    process.send_signal(signal.SIGINT)
    words = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert "--resume" in words
    assert 1 <= len(facts(output).times) < 400


def wait_for(seen, process):
    deadline = time.monotonic() + 120
    while not seen():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_memory_stays_flat_over_many_frames(make_clip, monkeypatch):
    """Python's own memory, after the first frames and at the end of many: the same."""
    monkeypatch.setattr(file_job, "PART_FRAMES", 40)
    clip = make_clip(times=range(0, 240 * 512, 512), audio=None, size_hw=(16, 16))
    seen = {}

    def told(done, total):
        if done in (80, 240):
            seen[done] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        pull_focus(job(clip), told=told)
    finally:
        tracemalloc.stop()
    assert seen[240] - seen[80] < 200_000  # a frame of depth alone takes 600 kB
