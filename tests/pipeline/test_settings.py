"""Settings: one schema, checked values, misspellings answered with the right name."""

import json

import pytest
from pydantic import ValidationError

from pullfocus.errors import UsageError
from pullfocus.pipeline import Settings
from pullfocus.pipeline.line import make_lens
from pullfocus.types import Lens


def test_text_and_numbers_give_the_same_settings():
    text = Settings.parse(at="0.42, 0.61", f_number="f/2.8", blades="7", range="0.9,0.5")
    assert text == Settings(at=(0.42, 0.61), f_number=2.8, blades=7, range=(0.9, 0.5))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"f_nmber": 2}, "did you mean 'f_number'"),
        ({"blade": 7}, "did you mean 'blades'"),
        ({"at": "1.2,0.5"}, "not inside the picture"),
        ({"at": "left"}, "not inside the picture"),
        ({"at": (float("nan"), 0.5)}, "not inside the picture"),
        ({"f_number": 0.1}, "f_number"),
        ({"f_number": "wide"}, "f_number"),
        ({"blades": 4}, "blades"),
        ({"at": (0.1, 0.1), "focus_m": 2}, "not both"),
        ({"focus_m": -1}, "focus_m"),
        ({"method": "box"}, "gaussian"),
        ({"range": "1"}, "cannot be 1: give its near and its far end, such as 0.9,0.5"),
        ({"range": "near,far"}, "give its near and its far end"),
        ({"range": (0.9, 0.5, 0.1)}, "cannot be 0.9,0.5,0.1: give its near and its far end"),
        ({"quality": 0}, "quality"),
        ({"subject": "dog"}, "person, face, nearest"),
        ({"subject": "#0"}, "person, face, nearest"),
        ({"subject": "0.5,0.2,0.4,0.9"}, "left < right"),
        ({"subject": "face", "at": (0.1, 0.1)}, "not both"),
    ],
)
def test_wrong_values_get_one_sentence(given, words):
    with pytest.raises(UsageError, match=words.replace("(", r"\(")) as caught:
        Settings.parse(given)
    assert "\n" not in str(caught.value)


def test_wrong_keyword_in_the_constructor_is_refused_too():
    with pytest.raises(UsageError, match="did you mean 'f_number'"):
        Settings(fnumber=2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"at": (2, 2)}, "The focus point 2 is not inside the picture"),
        ({"quality": 300}, "The setting quality cannot be 300"),
        ({"at": (0.1, 0.1), "focus_m": 2}, "Choose a point"),
        ({"range": (1, "x")}, "The sharp range cannot be"),
    ],
)
def test_the_constructor_speaks_in_sentences_of_ours(fields, words):
    with pytest.raises(UsageError, match=words) as caught:
        Settings(**fields)
    assert "pydantic" not in str(caught.value)


def test_settings_are_frozen_and_survive_json():
    settings = Settings(at=(0.1, 0.2), range=(0.9, 0.1), model="x")
    with pytest.raises(ValidationError):
        settings.f_number = 2.0
    assert Settings.parse(json.loads(json.dumps(settings.model_dump(mode="json")))) == settings


def test_a_new_focus_replaces_the_old_one_whole():
    replay = Settings(at=(0.1, 0.2), focus_disparity=0.7)
    assert replay.changed(f_number=4).focus_disparity == 0.7
    assert replay.changed(at="0.5,0.5").focus_disparity is None
    moved = replay.changed(focus_m=2)
    assert (moved.at, moved.focus_disparity, moved.focus_m) == (None, None, 2)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Face", "face"), (" #2 ", "#2"), ("0.1, 0.2,0.5,0.9", "0.1,0.2,0.5,0.9"), (None, None)],
)
def test_a_subject_is_kept_as_text_and_read_again(given, kept):
    settings = Settings.parse(subject=given)
    assert settings.subject == kept
    assert Settings.parse(settings.model_dump(mode="json")) == settings


def test_a_box_may_be_four_numbers():
    assert Settings(subject=(0.1, 0.2, 0.5, 0.9)).subject == "0.1,0.2,0.5,0.9"


def test_every_field_has_help_and_the_schema_has_it_too():
    properties = Settings.model_json_schema()["properties"]
    assert set(properties) == set(Settings.model_fields)
    for name, schema in properties.items():
        assert schema["description"].endswith("."), name
        assert schema["group"] in ("Focus", "Lens", "Style", "Depth", "Output"), name


def test_the_lens_of_default_settings_is_the_default_lens():
    assert make_lens(Settings()) == Lens()
