"""scripts/sbom: every installed part of pullfocus, native libraries too, in valid CycloneDX."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cyclonedx", reason="developers' tools: cyclonedx-python-lib")
ROOT = Path(__file__).resolve().parents[2]


def made(path):
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    subprocess.run([sys.executable, ROOT / "scripts" / "sbom", path], env=environment, check=True)
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bill") / "deep" / "bom.json")


def test_the_bill_names_what_is_installed(text, tmp_path):
    bill = json.loads(text)
    assert bill["specVersion"] == "1.6"
    assert bill["metadata"]["component"]["name"] == "pullfocus"
    wheels = [part for part in bill["components"] if "#" not in part["bom-ref"]]
    parts = {part["bom-ref"].partition("@")[0]: part for part in wheels}
    for name in ("numpy", "onnxruntime", "numba", "llvmlite", "pillow", "fastapi"):
        part = parts[f"pkg:pypi/{name}"]
        assert part["version"]
        assert part["licenses"]
    assert [ref for ref in bill["components"] if "#avcodec" in ref["bom-ref"]]
    assert made(tmp_path / "again.json") == text


def test_the_bill_is_valid(text):
    from cyclonedx.exception import MissingOptionalDependencyException
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    try:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    except MissingOptionalDependencyException:
        pytest.skip("validation needs cyclonedx-python-lib[json-validation]")
