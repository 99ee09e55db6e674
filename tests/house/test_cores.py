"""Work shared out among the cores: every row once, and no more threads than a task's part."""

import threading

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
