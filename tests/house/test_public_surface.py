"""The public names, whole and typed, in whatever order they are imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import pullfocus

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_public_name_is_there_and_documented():
    for name in pullfocus.__all__:
        value = getattr(pullfocus, name)
        assert callable(value), name
        assert value.__doc__, name


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = pullfocus.nonsense


def test_render_may_be_called_though_a_room_has_its_name():
    code = (
        "import numpy as np, pullfocus.render, pullfocus\n"
        "from pullfocus import DepthMap, Focus, Photo, render\n"
        "photo = Photo.from_array(np.zeros((8, 8, 3), np.uint8))\n"
        "depth = DepthMap(np.zeros((8, 8), np.float32))\n"
        "assert render(photo, depth, Focus(0.0)).size_hw == (8, 8)\n"
        "assert pullfocus.render.render(photo, depth, Focus(0.0)).size_hw == (8, 8)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


def test_every_module_says_where_it_stands():
    import ast

    for path in sorted((ROOT / "src" / "pullfocus").rglob("*.py")):
        if "vendor" not in path.parts:
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_files_stay_small():
    for path in sorted((ROOT / "src" / "pullfocus").rglob("*.py")):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
