"""The focus script: what JSON is one, and which plane and aperture it means at a moment."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullfocus.errors import UnreadableInputError, UsageError
from pullfocus.focus.script import (
    FOUND,
    FocusScript,
    Pull,
    eased,
    plane_at,
    read_script,
    script_json,
)

EASINGS = st.sampled_from(["linear", "smooth", "ease-in", "ease-out"])
UNIT = st.floats(0, 1)
SECONDS = st.floats(0, 30)


@st.composite
def scripts(draw):
    times = sorted(draw(st.sets(st.integers(0, 300), min_size=1, max_size=6)))
    rows = [
        {
            "at_s": time / 10,
            "focus": {"disparity": draw(UNIT)},
            "pull_s": draw(st.integers(0, 30)) / 10,
            "easing": draw(EASINGS),
        }
        for time in times
    ]
    return FocusScript.parse({"decisions": rows})


def plane(script, time_s):
    return plane_at(script, time_s, lambda target, _: target.disparity)


@given(EASINGS, st.floats(0.01, 5), st.lists(st.floats(-1, 6), min_size=2))
def test_easings_go_from_0_to_1_and_never_back(easing, duration_s, times):
    shares = [eased(easing, time, duration_s) for time in sorted(times)]
    assert all(0 <= share <= 1 for share in shares)
    assert all(a <= b for a, b in pairwise(shares))
    assert eased(easing, 0, duration_s) == 0
    assert eased(easing, duration_s, duration_s) == 1


@given(UNIT, UNIT, SECONDS, st.floats(0.01, 5), EASINGS, st.lists(SECONDS, min_size=2))
def test_a_pull_is_monotone_and_never_overshoots(start, target, at_s, pull_s, easing, times):
    pull = Pull(start, at_s, pull_s, easing)
    planes = [pull.plane(time, target) for time in sorted(times)]
    low, high = min(start, target), max(start, target)
    assert all(low - 1e-12 <= p <= high + 1e-12 for p in planes)
    steps = [b - a for a, b in pairwise(planes)]
    assert all(step * (target - start) >= -1e-12 for step in steps)
    assert pull.plane(at_s + pull_s + 1e-6, target) == pytest.approx(target, abs=1e-3)


@given(scripts(), SECONDS)
def test_the_plane_lies_between_what_the_script_names(script, time_s):
    named = [row.focus.disparity for row in script.decisions]
    assert min(named) - 1e-12 <= plane(script, time_s) <= max(named) + 1e-12


@given(scripts())
def test_the_focus_leaves_at_its_decision_and_arrives_after_its_pull(script):
    ends = [row.at_s for row in script.decisions[1:]] + [1e9]
    for row, end in zip(script.decisions, ends, strict=True):
        just_before = plane(script, row.at_s - 1e-9)
        if row is not script.decisions[0] and row.pull_s > 0:
            assert plane(script, row.at_s) == pytest.approx(just_before, abs=1e-6)
        arrived = row.at_s + row.pull_s + 1e-6
        if arrived < end:
            assert plane(script, arrived) == pytest.approx(row.focus.disparity)


def test_convention_a_smooth_pull_is_half_way_at_half_time():
    rows = [
        {"at_s": 0, "focus": {"disparity": 0.8}},
        {"at_s": 2, "focus": {"disparity": 0.2}, "pull_s": 1, "easing": "smooth"},
    ]
    script = FocusScript.parse({"decisions": rows})
    assert [plane(script, t) for t in (1.9, 2.0, 2.5, 3.0, 9.0)] == pytest.approx(
        [0.8, 0.8, 0.5, 0.2, 0.2]
    )


def test_a_pull_that_is_interrupted_goes_on_from_where_it_is():
    rows = [
        {"at_s": 0, "focus": {"disparity": 0.0}},
        {"at_s": 1, "focus": {"disparity": 1.0}, "pull_s": 2, "easing": "linear"},
        {"at_s": 2, "focus": {"disparity": 0.0}, "pull_s": 1, "easing": "linear"},
    ]
    script = FocusScript.parse({"decisions": rows})
    assert plane(script, 2.0) == pytest.approx(0.5)
    assert plane(script, 2.5) == pytest.approx(0.25)


def test_apertures_change_evenly_in_stops():
    rows = [{"at_s": 1, "f_number": 8, "change_s": 2, "easing": "linear"}]
    script = FocusScript.parse({**json.loads(script_json(FOUND)), "apertures": rows})
    assert [script.f_number_at(t, 2.0) for t in (0, 1, 2, 3, 9)] == pytest.approx([2, 2, 4, 8, 8])


@given(scripts())
def test_json_comes_back_the_same(script):
    assert FocusScript.parse(json.loads(script_json(script))) == script


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "decisions: field required"),
        ({"decisions": []}, "at least 1"),
        ({"decisions": [{"at_s": 0, "focus": {}}]}, "exactly one of"),
        ({"decisions": [{"at_s": 0, "focus": {"disparity": 1, "point": [0, 0]}}]}, "exactly one"),
        ({"decisions": [{"at_s": 0, "focus": {"subject": "anna"}}]}, "no subject 'anna'"),
        ({"decisions": [{"at_s": 0, "focus": {"point": [0, 1.2]}}]}, "less than or equal to 1"),
        ({"decisions": [{"at_s": -1, "focus": {"disparity": 1}}]}, "greater than or equal"),
        ({"decisions": [{"at_s": 0, "focus": {"disparity": 1}, "pul_s": 1}]}, "pul_s"),
        ("a script", "valid dictionary"),
    ],
)
def test_what_is_no_script_is_refused_in_a_sentence(content, words):
    with pytest.raises(UsageError, match=words) as refused:
        FocusScript.parse(content)
    assert "\n" not in str(refused.value)


def test_decisions_out_of_order_are_refused():
    rows = [{"at_s": t, "focus": {"disparity": 1}} for t in (1, 0)]
    with pytest.raises(UsageError, match="order of time"):
        FocusScript.parse({"decisions": rows})


def test_files(tmp_path):
    path = tmp_path / "pull.json"
    path.write_text(script_json(FOUND), encoding="utf-8")
    assert read_script(path) == FOUND
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        read_script(tmp_path / "none.json")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="not JSON"):
        read_script(path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"pull\.json: decisions"):
        read_script(path)


def test_the_published_schema_is_that_of_the_program():
    published = Path(__file__).parents[2] / "docs" / "focus-script.schema.json"
    assert json.loads(published.read_text("utf-8")) == FocusScript.model_json_schema()
