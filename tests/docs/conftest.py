"""Scripts without a suffix, imported as modules."""

import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script():
    """Return a function that imports scripts/NAME."""

    def load(name):
        path = str(ROOT / "scripts" / name)
        loader = importlib.machinery.SourceFileLoader(f"script_{name}", path)
        spec = importlib.util.spec_from_loader(loader.name, loader)
        module = importlib.util.module_from_spec(spec)
        loader.exec_module(module)
        return module

    return load
