"""Workflows, forms and CITATION.cff: they fit their schemas, and name scripts that are here."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.dependabot": [ROOT / ".github" / "dependabot.yml"],
    "vendor.github-issue-forms": [p for p in sorted(FORMS.glob("*.yml")) if p.stem != "config"],
    "vendor.github-issue-config": [FORMS / "config.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def jobs():
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            yield pytest.param(job, id=f"{path.stem}-{name}")


@pytest.mark.parametrize("schema", list(SCHEMAS))
def test_files_fit_their_schema(schema):
    pytest.importorskip("check_jsonschema", reason="developers' tools: check-jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run(
        [*command, *map(str, SCHEMAS[schema])], capture_output=True, text=True, check=False
    )
    assert SCHEMAS[schema]
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("job", list(jobs()))
def test_jobs_end_pin_their_actions_and_name_scripts_that_exist(job):
    assert job["timeout-minutes"] <= 60
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        assert "${{" not in step.get("run", ""), "a title or branch name could be run as code"
        for script in re.findall(r"python ((?:scripts/|run)\S+)", step.get("run", "")):
            assert (ROOT / script).is_file(), script


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_only_read_unless_a_job_says_why(path):
    flow = yaml.safe_load(path.read_text("utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    for line in path.read_text("utf-8").splitlines():
        if re.search(r"^\s+[\w-]+: write", line):
            assert "#" in line, line


def test_pythons_of_the_matrix_begin_with_the_oldest_that_is_promised():
    text = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")
    suite, install = (yaml.safe_load(text)["jobs"][name] for name in ("suite", "install"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    for job in (suite, install):
        assert job["strategy"]["matrix"]["python"][0] == oldest
    assert len(install["strategy"]["matrix"]["os"]) == 3


def test_pre_commit_hooks_are_local_and_complete():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert {"id", "name", "entry", "language"} <= hook.keys()
