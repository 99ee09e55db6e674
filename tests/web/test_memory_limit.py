"""How much memory the worker may take where nobody says otherwise."""

from __future__ import annotations

import os

import pytest

from pullfocus.web import memory_limit
from pullfocus.web.memory_limit import memory_of, usual_limit_bytes


@pytest.mark.parametrize(("told", "limit"), [("1000000000\n", 800_000_000), ("max\n", 8e9)])
def test_a_container_has_its_own_limit(tmp_path, monkeypatch, told, limit):
    (tmp_path / "memory.max").write_text(told)
    monkeypatch.setattr(memory_limit, "_CONTAINER", tmp_path / "memory.max")
    monkeypatch.setattr(memory_limit, "total_bytes", lambda: 10_000_000_000)
    assert usual_limit_bytes() == limit


def test_a_system_that_tells_nothing_sets_no_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_limit, "_CONTAINER", tmp_path / "none")
    monkeypatch.setattr(memory_limit, "total_bytes", lambda: None)
    assert usual_limit_bytes() is None


def test_a_process_holds_memory_while_it_runs():
    assert memory_of(os.getpid()) > 10_000_000
    assert memory_of(2**22 + 1) == 0
