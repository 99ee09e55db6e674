"""Scripts without a suffix, imported as modules."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    """Return a function that imports scripts/NAME."""

    def load(name):
        path = str(ROOT / "scripts" / name)
        loader = importlib.machinery.SourceFileLoader(f"script_{name}", path)
        spec = importlib.util.spec_from_loader(loader.name, loader)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, loader.name, module)  # dataclasses look there
        loader.exec_module(module)
        return module

    return load
