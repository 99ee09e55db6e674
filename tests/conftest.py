"""For every test: shapes and types of the value rooms are checked while the tests run."""

import sys
from types import ModuleType

import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

CHECKED = ["lens", "focus", "pipeline", "render.graded_filters", "lab.losses", "lab.geometry"]
"""Rooms whose annotations are held: no numba kernels, no tests with wrong types on purpose."""

# The hook takes a name to import: an int where a float is asked is fine, as in PEP 484.
_checker = ModuleType("pullfocus_typechecker")
_checker.check = beartype(conf=BeartypeConf(is_pep484_tower=True))
sys.modules[_checker.__name__] = _checker
install_import_hook([f"pullfocus.{name}" for name in CHECKED], "pullfocus_typechecker.check")


@pytest.fixture(autouse=True)
def _same_random_networks() -> None:
    """Give every test the same random weights; torch is not imported for tests without it."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
