"""`--suggest`: a lane for everybody, strong for the main person, weak for who becomes better."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pullfocus.cli import main
from pullfocus.focus.script import FocusScript, read_script
from pullfocus.focus.script_policy import Sighting
from pullfocus.pipeline import Settings
from pullfocus.video.file_job import pull_focus
from pullfocus.video.job import FrameOptions, VideoJob
from pullfocus.video.suggest import Chooser

ALONE, WITH_A_LARGER = {"person 1": 1.0}, {"person 1": 1.0, "person 2": 2.0}


def chosen(*moments, step_s: float = 0.2, cuts=(0,)) -> list[tuple[float, str | None, str]]:
    """Watch who is how prominent at each moment; return (time, subject, strength) of decisions."""
    chooser, last_seen = Chooser(), {}
    for number, there in enumerate(moments):
        time_s = number * step_s
        last_seen |= {name: (time_s, prominence) for name, prominence in there.items()}
        seen = {name: Sighting(time_s - at, value) for name, (at, value) in last_seen.items()}
        chooser.watch(seen, time_s, number in cuts)
    return [(row.at_s, row.focus.subject, row.strength) for row in chooser.decisions]


def test_who_becomes_clearly_more_prominent_gets_a_weak_decision_when_it_began():
    assert chosen(*[ALONE] * 5, *[WITH_A_LARGER] * 10) == [
        (0.0, "person 1", "strong"),
        (1.0, "person 2", "weak"),
    ]


def test_the_main_person_gets_a_strong_one_again_when_the_other_has_left():
    found = chosen(*[ALONE] * 3, *[WITH_A_LARGER] * 6, *[ALONE] * 12)
    assert [row[1:] for row in found] == [
        ("person 1", "strong"),
        ("person 2", "weak"),
        ("person 1", "strong"),
    ]


def test_somebody_who_only_passes_or_is_hardly_larger_changes_nothing():
    assert chosen(*[ALONE] * 5, WITH_A_LARGER, *[ALONE] * 10) == [(0.0, "person 1", "strong")]
    hardly = {"person 1": 1.0, "person 2": 1.3}
    assert chosen(*[ALONE] * 5, *[hardly] * 10) == [(0.0, "person 1", "strong")]


def test_a_cut_begins_with_the_best_that_is_there():
    other = {"person 2": 0.3, "person 3": 0.5}
    assert chosen(*[ALONE] * 5, *[other] * 5, cuts=(0, 5)) == [
        (0.0, "person 1", "strong"),
        (1.0, "person 3", "strong"),
    ]


def test_people_come_before_things():
    thing, both = {"thing 1": 3.0}, {"thing 1": 3.0, "person 1": 0.2}
    assert chosen(*[thing] * 5, *[both] * 5) == [
        (0.0, "thing 1", "strong"),
        (1.0, "person 1", "strong"),
    ]
    assert chosen(both)[0][1] == "person 1"


@pytest.fixture
def two_people(red_coats, tmp_path) -> Path:
    """One stands; from 0.8 s on a larger one comes in from the right, and stays."""
    pictures = []
    for n in range(14):
        other = (max(300 - 40 * (n - 4), 150), 20, 160) if n >= 4 else None
        pictures.append(red_coats.picture((60, 90, 66), other))
    return red_coats.clip(tmp_path / "two.mp4", pictures)


def test_a_clip_of_two_becomes_a_script_of_two_lanes_that_renders(two_people, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["video", str(two_people), "--suggest", f"{tmp_path}/pull.json", "--all-people-sharp"])
    assert ended.value.code == 0
    script = read_script(tmp_path / "pull.json")
    assert set(script.subjects) == {"person 1", "person 2"}
    first, second = script.decisions
    assert (first.at_s, first.focus.subject, first.strength) == (0, "person 1", "strong")
    assert (second.focus.subject, second.strength) == ("person 2", "weak")
    assert 0.8 <= second.at_s <= 2.0
    assert second.at_s >= script.subjects["person 2"].at_s
    assert first.everyone
    assert second.everyone
    edited = json.loads((tmp_path / "pull.json").read_text("utf-8"))
    edited["decisions"][1] |= {"strength": "strong", "also": ["person 1"]}
    options = FrameOptions(Settings(f_number=256, refine=False), FocusScript.parse(edited))
    report = pull_focus(VideoJob(two_people, tmp_path / "out.mp4", options))
    assert (report.frames, report.notes) == (14, [])
