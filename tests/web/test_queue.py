from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from pullfocus.web.app_state import outcome
from pullfocus.web.queue import BusyError, CancelledJobError, JobQueue


@pytest.fixture
def queue():
    made = JobQueue(max_waiting=20)
    yield made
    made.close()


def test_owners_take_turns(queue):
    order: list[str] = []
    gate = threading.Event()
    queue.submit("gate", "x", lambda _: gate.wait(5))
    jobs = [queue.submit("a", "greedy", lambda _: order.append("greedy")) for _ in range(5)]
    jobs.append(queue.submit("b", "modest", lambda _: order.append("modest")))
    gate.set()
    for job in jobs:
        job.future.result(5)
    assert order.index("modest") <= 1
    assert len(order) == 6


def test_one_job_at_a_time(queue):
    running, most = [0], [0]

    def work(_):
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.01)
        running[0] -= 1

    for job in [queue.submit("w", str(k % 3), work) for k in range(9)]:
        job.future.result(5)
    assert most == [1]


def test_cancel_waiting_and_running(queue):
    started, ran = threading.Event(), []

    def long(job):
        started.set()
        for _ in range(500):
            job.step(0.5, "working")
            time.sleep(0.01)

    first = queue.submit("long", "me", long)
    second = queue.submit("never", "me", lambda _: ran.append(1))
    assert started.wait(5)
    second.cancel()
    first.cancel()
    assert first.state == second.state == "cancelled"
    with pytest.raises(CancelledJobError):
        first.future.result(5)
    with pytest.raises(CancelledJobError):
        second.future.result(5)
    assert not ran


def test_failures_are_kept_and_the_worker_lives(queue):
    def fail(_):
        raise ValueError("no")

    failed = queue.submit("f", "me", fail)
    with pytest.raises(ValueError, match="no"):
        failed.future.result(5)
    assert failed.state == "failed"
    assert queue.submit("g", "me", lambda _: 3).future.result(5) == 3


def test_a_full_queue_refuses(queue):
    gate = threading.Event()
    queue.submit("gate", "x", lambda _: gate.wait(5))
    time.sleep(0.05)
    for _ in range(20):
        queue.submit("w", "x", lambda _: None)
    with pytest.raises(BusyError):
        queue.submit("w", "x", lambda _: None)
    gate.set()


def test_what_a_job_would_have_used_is_dropped(queue):
    gate, dropped = threading.Event(), []
    queue.submit("gate", "x", lambda _: gate.wait(5))
    job = queue.submit("open", "x", lambda _: None, unwanted=lambda: dropped.append(1))
    job.cancel()
    gate.set()
    with pytest.raises(CancelledJobError):
        job.future.result(5)
    assert dropped == [1]


def test_a_refused_job_drops_what_it_would_have_used():
    queue, dropped = JobQueue(max_waiting=0), []
    with pytest.raises(BusyError):
        queue.submit("open", "x", lambda _: None, unwanted=lambda: dropped.append(1))
    queue.close()
    assert dropped == [1]


class Picture:
    """Something large that a job works on."""


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_that_has_ended_holds_nothing_that_it_used(queue, fails):
    picture = Picture()
    held = weakref.ref(picture)

    def work(_, photo=picture):
        if fails:
            raise ValueError(f"no {type(photo).__name__}")
        return {"done": True}

    job = queue.submit("depth", "x", work)
    del picture, work
    assert isinstance(job.future.exception(5), ValueError if fails else type(None))
    queue.submit("next", "x", lambda _: None).future.result(5)
    gc.collect()
    assert held() is None
    assert queue.find(job.id) is job


def in_a_loop(work):
    """Run it in a thread of its own: in this one a browser of other tests may have a loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result(10)


def test_an_outcome_that_was_heard_is_not_kept(queue):
    job = queue.submit("preview", "x", lambda _: b"a large picture")
    assert in_a_loop(outcome(job)) == b"a large picture"
    queue.submit("next", "x", lambda _: None)
    assert queue.find(job.id) is None


def test_a_failure_that_nobody_waits_for_any_more_is_no_traceback(queue, caplog):
    gate = threading.Event()

    async def hang_up():
        waiting = asyncio.create_task(outcome(queue.submit("w", "x", lambda job: fail(job, gate))))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait({waiting})
        gate.set()
        await asyncio.sleep(0.1)
        gc.collect()

    def fail(job, gate):
        gate.wait(5)
        job.check()

    in_a_loop(hang_up())
    assert not caplog.records
