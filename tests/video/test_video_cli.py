"""`pullfocus video`: flags, pipes, scripts, suggestions, and what it says."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pullfocus.cli import main
from pullfocus.cli.video_focus import Pace, script_from
from pullfocus.errors import UsageError
from pullfocus.focus.script import FOUND, FocusScript, script_json
from pullfocus.pipeline import Settings

SHARP = ("--f-number", "256", "--no-refine", "--every", "100")


@pytest.fixture
def video(capsys):
    """Run the verb in this process; give back (exit code, stdout, stderr)."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["video", *map(str, arguments)])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def test_a_clip_becomes_a_clip_beside_it(video, make_clip, facts):
    clip = make_clip()
    code, out, err = video(clip, "--focus-at", "0.5,0.6", *SHARP, "--json")
    answer = json.loads(out)
    assert (code, answer["frames"], answer["stopped"]) == (0, 8, False)
    assert {"decode", "depth", "render", "encode"} <= answer["busy_s"].keys()
    assert "clip.refocused.mp4" in err
    assert facts(clip.with_name("clip.refocused.mp4")).times == facts(clip).times
    assert video(clip, *SHARP)[0] == 5  # it is there already


def test_a_script_from_a_file(video, make_clip, tmp_path):
    clip = make_clip(audio=None)
    script = tmp_path / "pull.json"
    rows = [{"at_s": 0, "focus": {"disparity": 1}}, {"at_s": 0.1, "focus": {"disparity": 0}}]
    script.write_text(script_json(FocusScript.parse({"decisions": rows})), encoding="utf-8")
    assert video(clip, "--script", script, *SHARP)[0] == 0
    script.write_text("{}", encoding="utf-8")
    code, _, err = video(clip, "--script", script, *SHARP, "--overwrite")
    assert code == 2
    assert "decisions: field required" in err


def test_a_suggestion_is_a_script_that_runs(video, make_clip, tmp_path):
    clip = make_clip(audio=None)
    script = tmp_path / "pull.json"
    assert video(clip, "--suggest", script)[0] == 0
    content = FocusScript.parse(json.loads(script.read_text("utf-8")))
    assert content.decisions[0].focus.subject in content.subjects
    assert video(clip, "--script", script, *SHARP)[0] == 0


def test_two_passes(video, make_clip, facts):
    clip = make_clip(audio=None)
    code, out, _ = video(clip, "--two-pass", "--f-number", "256", "--no-refine", "--json")
    assert (code, json.loads(out)["frames"]) == (0, 8)
    assert facts(clip.with_name("clip.refocused.mp4")).times == facts(clip).times


def test_pipes(make_clip, facts, tmp_path):
    clip = make_clip("clip.mkv")
    output = tmp_path / "out.mkv"
    command = [
        sys.executable,
        "-m",
        "pullfocus",
        "video",
        "-",
        "-o",
        "-",
        "--at",
        "0.5,0.5",
        *SHARP,
    ]
    with clip.open("rb") as source, output.open("wb") as target:
        subprocess.run(command, check=True, stdin=source, stdout=target)
    before, after = facts(clip), facts(output)
    assert after.times == before.times
    assert [packet[2] for packet in after.copied["audio"]] == [
        packet[2] for packet in before.copied["audio"]
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Which video"),
        (("--webcam", "/dev/video99", "-o", "out.mkv"), 4, "camera"),
        (("-", "-o", "out.mkv"), 2, "Nothing comes from stdin"),
        (("none.mp4",), 4, "There is no video"),
        (("none.mp4", "--follow", "somebody"), 2, "--follow takes"),
        (("none.mp4", "--at", "0.5,0.5", "--follow", "person"), 2, "Choose one of"),
    ],
)
def test_wishes_that_cannot_be_served(video, monkeypatch, tmp_path, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answer, _, err = video(*arguments)
    assert answer == code
    assert words in err


def test_without_pyav_it_says_what_to_install(video, monkeypatch, make_clip):
    clip = make_clip(audio=None)
    for name in [name for name in sys.modules if name.startswith("pullfocus.video")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    code, _, err = video(clip)
    assert code == 3
    assert "pip install 'pullfocus[video]'" in err


def following(who):
    return script_from(None, who, None, Settings()).subjects["followed"]


def test_who_is_followed():
    assert following("person").person == 1
    assert following("0.4,0.6").point == (0.4, 0.6)
    assert following("0.4,0.6@1.5").at_s == 1.5
    assert following("0.1,0.2,0.3,0.4@2").box == (0.1, 0.2, 0.3, 0.4)
    assert script_from(None, None, None, Settings()) == FOUND
    for wrong in ("0.1", "0.1,2", "0.1,0.2@x", "0.1,0.2,0.3", "0.3,0.2,0.1,0.4"):
        with pytest.raises(UsageError):
            following(wrong)


def test_planes():
    metres = script_from(None, None, None, Settings.parse(focus_m=2))
    assert metres.decisions[0].focus.distance_m == 2
    held = script_from("0.2,0.3", None, None, Settings())
    assert held.decisions[0].focus.point == (0.2, 0.3)


def test_the_schema_of_scripts_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["schema", "focus-script"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out) == FocusScript.model_json_schema()


def test_the_pace_tells_the_time_left():
    seconds = iter([10.0, 12.0, 20.0])
    pace = Pace(lambda: next(seconds))
    assert pace.words(1, 101) == ""
    assert pace.words(9, 101) == "4.0 frames/s, 0:23 left"
    assert pace.words(41, 0) == "4.0 frames/s"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_private_clip_of_a_long_name_gives_a_private_clip(video, make_clip):
    clip = make_clip(audio=None)
    clip = clip.rename(clip.with_name("c" * 251 + clip.suffix))
    clip.chmod(0o600)
    code, out, err = video(clip, "--focus-at", "0.5,0.6", *SHARP, "--json")
    assert code == 0, err
    made = Path(json.loads(out)["output"])
    assert made.name.endswith(f".refocused{clip.suffix}")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert sorted(made.parent.iterdir()) == sorted([clip, made])  # no parts are left
