"""Choose one of the subjects: the one that was asked for, else the most plausible; say which."""

from __future__ import annotations

from collections.abc import Sequence

from pullfocus.errors import UsageError
from pullfocus.focus.box import Box
from pullfocus.focus.subjects import Subject, find_subjects, subject_in_box
from pullfocus.types import DepthMap, Focus, Photo

_WORDS = {
    "person": "person",
    "salient": "salient subject",
    "nearest": "nearest thing",
    "box": "box",
}


def focus_on_subject(photo: Photo, depth: DepthMap) -> Focus:
    """Focus on the most plausible subject: a face, a person, the salient one, the nearest thing.

    Of several people the largest, nearest and most central wins. `Focus.chosen` says what it is;
    x, y is the place, in fractions.
    """
    return focus_on(find_subjects(photo, depth)[0])


def focus_on(subject: Subject) -> Focus:
    """Focus on a subject; its face when it shows one."""
    x, y = subject.point
    chosen = "face" if subject.face else _WORDS[subject.kind]
    return Focus(subject.disparity, x=x, y=y, chosen=chosen)


def choose_subject(subjects: Sequence[Subject], depth: DepthMap, wish: str) -> Subject:
    """Return the subject that a wish means.

    wish: "person", "face", "nearest", an id such as "#2", or a box "left,top,right,bottom" in
        fractions.

    Raises:
        UsageError: there is none, with what there is instead.
    """
    if "," in wish:
        return subject_in_box(depth, Box(*(float(part) for part in wish.split(","))))
    for subject in subjects:
        if wish in _names(subject):
            return subject
    there = ", ".join(f"{subject.id} ({_WORDS[subject.kind]})" for subject in subjects)
    raise UsageError(
        f"There is no {wish} in this photo; there is {there}: choose one of these, or a point with "
        "--at."
    )


def people_range(subjects: Sequence[Subject]) -> tuple[float, float]:
    """Return the near and far disparity between which every person's face lies (else the body).

    Raises:
        UsageError: nobody was found.
    """
    people = [subject for subject in subjects if subject.kind == "person"]
    if not people:
        raise UsageError(
            "Nobody was found in this photo to keep sharp; choose a point with --at, and a --range."
        )
    near = max(person.near_disparity for person in people)
    return near, min(person.far_disparity for person in people)


def _names(subject: Subject) -> set[str]:
    names = {subject.id, subject.kind}
    if subject.face is not None:
        names.add("face")
    if subject.is_nearest:
        names.add("nearest")
    return names
