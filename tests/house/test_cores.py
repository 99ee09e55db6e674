"""Work shared out among the cores: every row once, and no more threads than a task's part."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pullfocus import cores


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(cores, "usable_cores", lambda: 4)


def _threads_of_bands(count=200):
    seen, rows = set(), np.zeros(count, int)

    def work(first, end):
        seen.add(threading.get_ident())
        rows[first:end] += 1

    cores.in_bands(work, count, least=1)
    assert (rows == 1).all()
    return seen


def test_bands_run_in_threads_of_their_own(four_cores):
    assert threading.get_ident() not in _threads_of_bands()


def test_a_task_among_as_many_as_there_are_cores_stays_in_its_thread(four_cores):
    with cores.sharing_cores(4):
        assert _threads_of_bands() == {threading.get_ident()}
    assert threading.get_ident() not in _threads_of_bands()


def test_every_task_gets_its_part_of_the_cores(four_cores):
    with cores.sharing_cores(2):
        assert cores.worker_threads() == 2
    with cores.sharing_cores(9):
        assert cores.worker_threads() == 1
    assert cores.worker_threads() == 4


def test_threads_are_kept_from_one_call_to_the_next(four_cores):
    seen = set()
    for _ in range(20):
        seen |= _threads_of_bands()
    assert len(seen) <= cores.MOST_THREADS
    assert {thread.ident for thread in threading.enumerate()} >= seen


def test_bands_within_bands_end(four_cores):
    rows = np.zeros((40, 40), int)

    def inner(first, end, row):
        row[first:end] += 1

    def outer(first, end):
        for row in rows[first:end]:
            cores.in_bands(inner, 40, row, least=1)

    cores.in_bands(outer, 40, least=1)
    assert (rows == 1).all()


def test_what_a_band_raises_is_raised_after_all_have_ended(four_cores):
    running = []

    def work(first, end):
        running.append(first)
        if first == 0:
            running.remove(first)
            raise ValueError("odd row")
        running.remove(first)

    with pytest.raises(ValueError, match="odd row"):
        cores.in_bands(work, 200, least=1)
    assert running == []
    assert _threads_of_bands()


def test_many_tasks_share_the_threads(four_cores):
    with ThreadPoolExecutor(6) as pool:
        seen = set().union(*pool.map(lambda _: _threads_of_bands(), range(12)))
    assert len(seen) <= cores.MOST_THREADS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(four_cores):
    _threads_of_bands()
    child = os.fork()
    if child == 0:
        done = threading.Thread(target=_threads_of_bands, daemon=True)
        done.start()
        done.join(20)
        os._exit(int(done.is_alive()))
    assert os.waitpid(child, 0)[1] == 0


def test_a_render_starts_no_more_threads_than_a_task_may_take(monkeypatch):
    from pullfocus.focus import focus_at
    from pullfocus.render import render
    from pullfocus.types import DepthMap, Lens, Photo

    monkeypatch.setattr(cores, "usable_cores", lambda: 64)
    cores._new_threads()
    started, start = [], threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda own: (started.append(own), start(own)))
    photo = Photo.from_array(np.random.default_rng(0).integers(0, 255, (500, 700, 3), np.uint8))
    depth = DepthMap(np.linspace(0, 1, 700, dtype=np.float32)[None].repeat(500, 0), "relative")
    for _ in range(2):
        render(photo, depth, focus_at(depth, 0.5, 0.5), Lens(f_number=1.4))
    assert 1 <= len(started) <= cores.MOST_THREADS
