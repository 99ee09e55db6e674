"""The worker process: what ends it ends one job with a sentence, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from pullfocus.web.config import ServerConfig
from pullfocus.web.queue import Job
from pullfocus.web.steps import CancelledJobError
from pullfocus.web.worker import (
    DeadlineError,
    TooMuchMemoryError,
    UnexpectedError,
    Worker,
    WorkerEndedError,
)

from . import faults


@pytest.fixture(scope="module")
def faulty():
    """Give workers that are started the faults, too."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(Path(__file__).parents[2]))
        patched.setattr("pullfocus.web.worker.WORKER_MAIN", faults.main)
        yield


@pytest.fixture(scope="module")
def worker(faulty):
    made = Worker(ServerConfig(max_step_s=1.5, max_memory_mb=900))
    yield made
    made.close()


def job() -> Job:
    return Job("test", "me", lambda _: None)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("crash", WorkerEndedError, "SIGSEGV"),
        ("killed", TooMuchMemoryError, "memory ran out"),
        ("endless", DeadlineError, r"1\.5 s"),
        ("grow", (TooMuchMemoryError, MemoryError), None),
        ("grow at once", (TooMuchMemoryError, MemoryError), None),
        ("bug", UnexpectedError, "ZeroDivisionError"),
    ],
)
def test_what_ends_it_is_said_and_the_next_job_is_done(worker, fault, error, words):
    with pytest.raises(error, match=words):
        worker.run(job(), fault)
    assert worker.run(job(), "add", 2, 3) == 5


def test_a_bug_of_ours_does_not_end_it(worker):
    worker.run(job(), "add", 1, 1)
    pid = worker.pid
    with pytest.raises(UnexpectedError):
        worker.run(job(), "bug")
    assert worker.run(job(), "add", 2, 3) == 5
    assert worker.pid == pid


def test_steps_keep_the_deadline_away(worker):
    steps = job()
    assert worker.run(steps, "steps", 10, 0.25) == 10
    assert steps.progress >= 0.8


def test_cancel_stops_at_the_next_step_and_keeps_the_process(worker):
    steps = job()
    worker.run(job(), "add", 1, 1)
    pid = worker.pid
    threading.Timer(0.2, steps.cancel).start()
    with pytest.raises(CancelledJobError):
        worker.run(steps, "steps", 500, 0.02)
    assert worker.run(job(), "add", 2, 3) == 5
    assert worker.pid == pid


def test_cancel_kills_what_does_not_stop(worker):
    steps = job()
    worker.run(job(), "add", 1, 1)
    pid = worker.pid
    threading.Timer(0.2, steps.cancel).start()
    with pytest.raises(CancelledJobError):
        worker.run(steps, "endless")
    assert gone(pid)


def test_it_ends_with_the_server(faulty):
    worker = Worker(ServerConfig())
    worker.run(job(), "add", 1, 1)
    pid = worker.pid
    worker.close()
    with pytest.raises(CancelledJobError):
        worker.run(job(), "add", 1, 1)
    assert gone(pid)


def gone(pid: int) -> bool:
    """Wait until a process has ended; False if it stays."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def server(run_server, faulty):
    return run_server()


def test_a_crash_ends_the_job_and_not_the_server(server, finish, photo_bytes):
    client, queue = server.client(), server.app.state.context.queue
    open_ = finish(client, client.post("/api/photos?name=a.png", content=photo_bytes).json())
    worker = server.app.state.context.worker
    failed = queue.submit("test", "me", lambda job: worker.run(job, "crash"))
    told = finish(client, client.get(f"/api/jobs/{failed.id}").json())
    assert told["state"] == "failed"
    assert told["error"]["kind"] == "crashed"
    assert client.get(f"/api/photos/{open_['result']['id']}/colour.png").status_code == 200


def test_cancel_over_http_kills(server):
    client, context = server.client(), server.app.state.context
    endless = context.queue.submit("test", "me", lambda job: context.worker.run(job, "endless"))
    while context.worker.pid is None or endless.state != "running":
        time.sleep(0.05)
    pid = context.worker.pid
    assert client.delete(f"/api/jobs/{endless.id}").json()["state"] == "cancelled"
    assert gone(pid)
    assert client.get("/api/health").status_code == 200


def test_a_failure_is_logged_once(server, finish, caplog):
    client, context = server.client(), server.app.state.context
    bug = context.queue.submit("test", "me", lambda job: context.worker.run(job, "bug"))
    finish(client, client.get(f"/api/jobs/{bug.id}").json())
    for _ in range(5):
        told = client.get(f"/api/jobs/{bug.id}").json()
    assert told["error"]["kind"] == "internal"
    assert "ZeroDivisionError" not in told["error"]["message"]
    assert len([one for one in caplog.records if "ZeroDivisionError" in one.getMessage()]) == 1


@pytest.mark.browser
def test_the_page_goes_on_after_a_crash(page, server, photo_file, tmp_path):
    """What was open stays open, and is made again when it is asked for."""
    os.kill(server.app.state.context.worker.pid, signal.SIGKILL)
    other = tmp_path / "other.png"
    Image.open(photo_file).rotate(180).save(other)
    page.drop(other)
    page.until("() => pullfocus.photos.length === 2 && !!pullfocus.photos[1].depth")
    page.idle()
    page.js("() => pullfocus.select(pullfocus.photos[0])")
    page.idle()
    assert page.page.locator(".toast.bad").count() == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes otherwise")
def test_it_ends_when_the_server_is_killed(tmp_path):
    program = (
        "import os, signal\n"
        "from pullfocus.web.config import ServerConfig\n"
        "from pullfocus.web.queue import Job\n"
        "from pullfocus.web.worker import Worker\n"
        "if __name__ == '__main__':\n"
        "    worker = Worker(ServerConfig())\n"
        "    worker.run(Job('t', 'me', print), 'warm_render')\n"
        "    print(worker.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    script = tmp_path / "serve.py"
    script.write_text(program, encoding="utf-8")
    told = subprocess.run(
        [sys.executable, str(script)], check=False, capture_output=True, text=True, timeout=200
    )
    assert gone(int(told.stdout))
