"""Context: the parts of one running server, warmed up before the first photo comes."""

from __future__ import annotations

import threading

import pytest

from pullfocus.web.app_state import Context
from pullfocus.web.config import ServerConfig


@pytest.fixture
def context():
    made = Context.start(ServerConfig())
    yield made
    made.close()


def test_warming_up_goes_down_the_whole_line(context):
    size_hw = context.warm_up().future.result(120).future.result(120)
    assert size_hw == (48, 64)


def test_a_photo_that_comes_early_is_not_kept_waiting(context):
    """Its job has its turn between the two of the warm-up."""
    gate = threading.Event()
    context.queue.submit("gate", "another", lambda _: gate.wait(20))
    first = context.warm_up()
    early = context.queue.submit("open", "someone", lambda _: first.result.state)
    gate.set()
    assert early.future.result(120) == "waiting"


def test_close_removes_the_files(context):
    folder = context.store.folder
    context.store.place("a.jpg").path.write_bytes(b"x")
    context.close()
    assert not folder.exists()
