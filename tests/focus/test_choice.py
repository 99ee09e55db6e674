"""Strong decisions stay until the subject leaves; weak ones until another is clearly better."""

import pytest

from pullfocus.focus.script import Decision, Target
from pullfocus.focus.script_policy import LEFT_AFTER_S, Sighting, subject_in_focus

HERE, HIDDEN, LEFT = 0.0, LEFT_AFTER_S / 2, LEFT_AFTER_S * 2


def decision(strength, subject="anna"):
    return Decision(at_s=0, focus=Target(subject=subject), strength=strength)


def choose(strength, now, anna, ben):
    seen = {"anna": Sighting(*anna), "ben": Sighting(*ben)}
    return subject_in_focus(decision(strength), now, seen)


@pytest.mark.parametrize(
    ("now", "anna", "ben", "expected"),
    [
        ("anna", (HERE, 0.1), (HERE, 0.9), "anna"),  # strong: however prominent the other is
        ("anna", (HIDDEN, 0.1), (HERE, 0.9), "anna"),
        ("anna", (LEFT, 0.1), (HERE, 0.9), "ben"),
        ("ben", (LEFT, 0.1), (HERE, 0.9), "ben"),
        ("ben", (HERE, 0.1), (HERE, 0.9), "anna"),  # and comes back with it
        ("anna", (LEFT, 0.1), (LEFT, 0.9), "anna"),  # nobody there: the focus stays
    ],
)
def test_strong(now, anna, ben, expected):
    assert choose("strong", now, anna, ben) == expected


@pytest.mark.parametrize(
    ("now", "anna", "ben", "expected"),
    [
        (None, (HERE, 0.3), (HERE, 0.3), "anna"),
        ("anna", (HERE, 0.3), (HERE, 0.4), "anna"),  # not clearly better
        ("anna", (HERE, 0.3), (HERE, 0.5), "ben"),
        ("ben", (HERE, 0.4), (HERE, 0.3), "ben"),  # no going back and forth
        ("anna", (LEFT, 0.3), (HERE, 0.1), "ben"),
        ("anna", (HERE, 0.3), (HIDDEN, 0.9), "anna"),
    ],
)
def test_weak(now, anna, ben, expected):
    assert choose("weak", now, anna, ben) == expected


def test_a_plane_needs_no_subject():
    row = Decision(at_s=0, focus=Target(disparity=0.5))
    assert subject_in_focus(row, "anna", {"anna": Sighting(0.0, 1.0)}) is None


def test_a_subject_that_was_never_seen_is_waited_for():
    assert subject_in_focus(decision("strong"), None, {}) == "anna"
    assert subject_in_focus(decision("weak"), None, {}) == "anna"
